#include "core/text.h"
#include "serve/access.h"
#include "serve/dialects/lastfm.h"

// The page on which somebody lets a program in that knows no password.
namespace segue::serve {
namespace {

constexpr std::string_view kHead =
    "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"><title>Segue</title>"
    "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:32em;margin:4em auto;padding:0 1em}input{font:inherit;width:100%;padding:.4em;"
    "box-sizing:border-box}button{font:inherit;margin-top:1em;padding:.4em 1em}</style>";

Response Page(int status, std::string_view body) {
  return {.status = status, .body = std::string(kHead) + std::string(body) + "</html>", .type = "text/html; charset=utf-8",
          // It asks for a secret: no other site may frame it, and nobody keeps it.
          .headers = {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"},
                      {"Cache-Control", "no-store"}, {"Referrer-Policy", "no-referrer"}}};
}

bool IsHex(std::string_view text) { return !text.empty() && text.find_first_not_of("0123456789abcdef") == std::string_view::npos; }

std::string FormFor(const std::string& token, bool open, std::string_view complaint) {
  const std::string what = open ? "Your name as a listener, or your token" : "Your token";
  return "<h1>Let a program in?</h1><p>A program wants to tell Segue what you listen to, and to see your recommendations." + std::string(complaint) +
         "</p><form method=\"post\"><input type=\"hidden\" name=\"token\" value=\"" + token + "\"><label>" + what +
         "<input name=\"secret\" type=\"" + (open ? "text" : "password") + "\" autocomplete=\"off\" required></label><button>Let it in</button></form>";
}

}  // namespace

Response LastFm::AskApproval(const Request& request) {
  const auto token = request.query.find("token");
  if (token == request.query.end() || !IsHex(token->second)) {
    return Page(400, "<h1>There is nothing to approve</h1><p>The program has to send a token that auth.getToken gave it.</p>");
  }
  return Page(200, FormFor(token->second, parts_.gate.Open(request), ""));
}

Response LastFm::Approve(const Request& request) {
  auto form = ParseForm(request.body, "the form");
  if (!form.ok()) return Page(400, "<h1>That cannot be read</h1>");
  const std::string token = (*form)["token"];
  const auto listener = parts_.gate.ListenerOf(request, Trimmed((*form)["secret"]));
  if (!listener) return Page(403, FormFor(IsHex(token) ? token : "", parts_.gate.Open(request), " <strong>That token opens nothing here.</strong>"));
  {
    const std::lock_guard lock(mutex_);
    const auto it = asked_.find(token);
    if (it == asked_.end() || it->second.until <= parts_.context.clock.NowSeconds()) {
      return Page(404, "<h1>Too late</h1><p>The program asked too long ago. Let it ask again.</p>");
    }
    it->second.listener = *listener;
  }
  return Page(200, "<h1>Done</h1><p>Go back to the program. <code>segue tokens revoke</code> shuts it out again.</p>");
}

}  // namespace segue::serve
