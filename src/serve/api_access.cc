#include <nlohmann/json.hpp>

#include "serve/api.h"
#include "serve/notifications.h"
#include "serve/record_json.h"

// Who may ask what: refusals, CORS, limits, the audit, and the tokens themselves.
namespace segue::serve {
namespace {

using nlohmann::json;
using store::Role;

json TokenJson(const store::TokenRecord& token) {
  const auto time = [](int64_t at) { return at == 0 ? json() : json(store::Iso8601(at)); };
  return {{"id", token.id}, {"name", token.name}, {"role", Name(token.role)}, {"listener", OrNull(token.listener)},
          {"legacy", !token.legacy_md5.empty()}, {"created", time(token.created_at)}, {"last_used", time(token.last_used_at)},
          {"revoked", time(token.revoked_at)}};
}

/// What went wrong, as the audit keeps it: "403: this needs ...".
std::string OutcomeOf(const Response& response) {
  if (response.status < 400) return "ok";
  const json body = json::parse(response.body, nullptr, false);
  const std::string detail = body.is_object() ? body.value("detail", "") : "";
  return std::to_string(response.status) + (detail.empty() ? "" : ": " + detail);
}

}  // namespace

bool IsPreflight(const Request& request) { return request.method == "OPTIONS" && request.origin_is_named; }

void Api::Meet(Request& request) {
  request.origin_is_named = IsNamedOrigin(context_.settings.cors_origins, request.origin);
  request.caller = gate_.Identify(request);
  const Settings& settings = context_.settings;
  const int64_t limit = request.loopback ? settings.rate_per_minute_on_loopback : settings.rate_per_minute;
  const Row* row = Find(request);
  if (row == nullptr || row->access == Access::kOpen) return;
  const std::string who = request.caller.token_id.empty() ? "address " + request.address : request.caller.token_id;
  request.allowance = limiter_.Take(who, limit, context_.clock.NowMs());
}

std::optional<Response> Api::Refusal(const Request& request) const {
  const Row* row = Find(request);
  if (row == nullptr) return std::nullopt;
  const auto refuse = [&](int status, std::string_view title, const std::string& why) {
    return row->refusal != nullptr ? row->refusal(status, why) : Problem(status, title, why);
  };
  if (!request.allowance.granted) {
    return refuse(429, "Too many requests", "more than " + std::to_string(request.allowance.limit) + " requests a minute; try again in " +
                                                std::to_string(request.allowance.reset_in_s) + " s");
  }
  if (row->pattern == kNotificationsRoute) {
    // Who notifies has a secret of his own, and needs no other; with it set, loopback needs it too.
    const std::string& secret = context_.settings.notifications_secret;
    const bool by_token = request.caller.known && request.caller.role == Role::kAdmin && (secret.empty() || !request.caller.token_id.empty());
    if (by_token || (!secret.empty() && KnowsSecret(request, secret))) return std::nullopt;
    return refuse(401, "Unauthorized", "send notifications.secret: Authorization: Bearer ..., or the body's HMAC-SHA256 with it as "
                                       "X-Segue-Signature: sha256=...");
  }
  if (row->access == Access::kOpen || row->access == Access::kItself) return std::nullopt;
  if (!request.caller.known) return refuse(401, "Unauthorized", "send a token: Authorization: Bearer ... (`segue tokens create` makes one)");
  const bool names_listener = row->access == Access::kOwn || row->access == Access::kOwnChange || row->access == Access::kOwner;
  const std::string listener = names_listener ? request.path[2] : "";
  if (const auto permitted = Permits(row->access, request.caller, listener); !permitted.ok()) {
    return refuse(403, "Not allowed", permitted.error().message);
  }
  return std::nullopt;
}

uint64_t Api::BodyLimit(const Request& request) const {
  const auto limit = static_cast<uint64_t>(context_.settings.max_body_bytes);
  // What ListenBrainz takes; but nobody unknown fills our memory with it.
  const bool known = request.caller.known;
  return known && request.route == kSubmitListensRoute ? std::max(limit, kMostSubmittedBytes) : limit;
}

void Api::Finish(const Request& request, Response& response) {
  TellAllowance(response, request.allowance, context_.clock.NowSeconds());
  if (!request.origin.empty() && !context_.settings.cors_origins.empty()) response.headers.emplace_back("Vary", "Origin");
  if (request.origin_is_named) {
    response.headers.emplace_back("Access-Control-Allow-Origin", request.origin);
    response.headers.emplace_back("Access-Control-Expose-Headers", "ETag, Location, X-Request-Id, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset-In, "
                                                                   "X-RateLimit-Reset, Retry-After, X-List-Id");
    if (IsPreflight(request)) {
      response.headers.emplace_back("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
      response.headers.emplace_back("Access-Control-Allow-Headers", "Authorization, Content-Type, If-None-Match, X-API-Key, X-Request-Id");
      response.headers.emplace_back("Access-Control-Max-Age", "600");
    }
  }
  const Row* row = Find(request);
  const bool audited = row != nullptr && (row->access == Access::kAdmin || row->access == Access::kOwner) && row->method != "GET";
  if (!audited || !request.caller.known) return;
  const std::string path = ShownTarget(request.target.substr(0, request.target.find('?')));
  const auto kept = context_.catalog.access().AppendAudit({.at = context_.clock.NowSeconds(), .actor = request.caller.name,
                                                           .action = request.method + " " + path, .subject = response.subject,
                                                           .outcome = OutcomeOf(response)});
  if (!kept.ok()) context_.instruments.Warn("serve", "the audit lacks " + request.method + " " + path + ": " + kept.error().message);
}

Response Api::Tokens() const {
  const auto tokens = context_.catalog.access().Tokens();
  if (!tokens.ok()) return ProblemOf(tokens.error());
  json items = json::array();
  for (const auto& token : *tokens) items.push_back(TokenJson(token));
  return Json({{"items", items}});
}

Response Api::CreateToken(const Request& request) {
  const auto body = ParseObject(request.body);
  if (!body.ok()) return ProblemOf(body.error());
  for (const char* text : {"name", "role", "listener"}) {
    if (body->contains(text) && !(*body)[text].is_string()) return Problem(400, "Bad request", std::string(text) + ": expected a text");
  }
  if (body->contains("legacy") && !(*body)["legacy"].is_boolean()) return Problem(400, "Bad request", "legacy: expected true or false");
  const auto role = store::ParseRole(body->value("role", ""));
  if (!role) return Problem(400, "Bad request", "role: expected \"read\", \"listen\" or \"admin\"");
  const std::string secret = store::NewSecret();
  const auto token = store::MakeToken(body->value("name", ""), *role, body->value("listener", ""), body->value("legacy", false), secret,
                                      context_.clock.NowSeconds());
  if (!token.ok()) return ProblemOf(token.error());
  if (const auto added = context_.catalog.access().AddToken(*token); !added.ok()) return ProblemOf(added.error());
  json answer = TokenJson(*token);
  answer["token"] = secret;
  Response response = Json(answer, 201);
  response.subject = token->name + " (" + std::string(Name(token->role)) + ")";
  return response;
}

Response Api::RevokeToken(const Request& request) {
  const auto revoked = context_.catalog.access().RevokeToken(request.path[2], context_.clock.NowSeconds());
  if (!revoked.ok()) return ProblemOf(revoked.error());
  Response response = Json(TokenJson(*revoked));
  response.subject = revoked->name + " (" + std::string(Name(revoked->role)) + ")";
  return response;
}

Response Api::Audit(const Request& request) const {
  const auto n = QueryNumber(request, "n", 100, 1, 10'000);
  const auto before = QueryNumber(request, "before", 0, 0, INT64_MAX);
  if (!n.ok() || !before.ok()) return ProblemOf(n.ok() ? before.error() : n.error());
  const auto records = context_.catalog.access().Audit(*before, *n);
  if (!records.ok()) return ProblemOf(records.error());
  json items = json::array();
  for (const auto& record : *records) {
    items.push_back({{"id", record.id}, {"at", store::Iso8601(record.at)}, {"actor", record.actor}, {"action", record.action},
                     {"subject", OrNull(record.subject)}, {"outcome", record.outcome}});
  }
  return Json({{"items", items}, {"next", records->size() == static_cast<size_t>(*n) ? json(records->back().id) : json()}});
}

}  // namespace segue::serve
