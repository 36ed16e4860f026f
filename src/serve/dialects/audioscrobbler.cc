#include "serve/dialects/audioscrobbler.h"

#include <algorithm>
#include <cstdlib>

#include "serve/access.h"
#include "serve/api.h"
#include "serve/notifications.h"
#include "serve/random_id.h"

namespace segue::serve {
namespace {

constexpr std::string_view kSource = "audioscrobbler";
constexpr int64_t kMostSkew = 3600;     ///< seconds that a client's clock may be off
constexpr size_t kMostSessions = 10'000;

Response Lines(std::string text) { return {.body = std::move(text), .type = "text/plain; charset=utf-8"}; }

}  // namespace

Response AudioscrobblerFailed(int, std::string_view why) { return Lines("FAILED " + std::string(why) + "\n"); }

std::string LegacyAnswer(std::string_view md5_of_password, std::string_view timestamp) {
  return store::Md5Hex(std::string(md5_of_password) + std::string(timestamp));
}

std::string BaseAddress(const Settings& settings, const Request& request) {
  std::string base = settings.public_url;
  while (base.ends_with('/')) base.pop_back();
  return base.empty() ? (request.tls ? "https://" : "http://") + request.host : base;
}

Response Audioscrobbler::Handshake(const Request& request) {
  const std::string version = FieldOf(request.query, "p");
  if (!version.starts_with("1.2")) return AudioscrobblerFailed(400, "protocol '" + version + "' is not spoken here; 1.2 is");
  const std::string user = FieldOf(request.query, "u");
  const std::string timestamp = FieldOf(request.query, "t");
  const int64_t told = ParseWholeNumber(timestamp);
  const int64_t now = parts_.context.clock.NowSeconds();
  if (told < 0 || std::llabs(now - told) > kMostSkew) return Lines("BADTIME\n");
  auto session = Authenticate(request, user, timestamp, FieldOf(request.query, "a"));
  if (!session.ok()) return AudioscrobblerFailed(500, session.error().message);
  if (!*session) return Lines("BADAUTH\n");
  const std::string id = RandomHex() + RandomHex();
  {
    const std::lock_guard lock(mutex_);
    if (sessions_.size() >= kMostSessions) {
      sessions_.erase(std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) { return a.second.since < b.second.since; }));
    }
    (*session)->since = now;
    sessions_[id] = **std::move(session);
  }
  const std::string base = BaseAddress(parts_.context.settings, request);
  return Lines("OK\n" + id + "\n" + base + "/np_1.2\n" + base + "/protocol_1.2\n");
}

Result<std::optional<Audioscrobbler::Session>> Audioscrobbler::Authenticate(const Request& request, const std::string& user,
                                                                            const std::string& timestamp, const std::string& answer) const {
  SEGUE_TRY(const auto tokens, parts_.context.catalog.access().Tokens());
  for (const store::TokenRecord& token : tokens) {
    const std::string& listener = token.listener.empty() ? token.name : token.listener;
    if (token.revoked_at != 0 || token.legacy_md5.empty() || listener != user) continue;
    if (SameSecret(LegacyAnswer(token.legacy_md5, timestamp), answer)) return std::optional(Session{listener, token.hash});
  }
  if (!parts_.gate.Open(request) || !IsListenerName(user)) return std::optional<Session>();
  return std::optional(Session{user, ""});
}

std::optional<std::string> Audioscrobbler::ListenerOf(const std::string& session) {
  Session found;
  {
    const std::lock_guard lock(mutex_);
    const auto it = sessions_.find(session);
    if (it == sessions_.end()) return std::nullopt;
    found = it->second;
  }
  if (found.token_hash.empty()) return found.listener;
  const auto token = parts_.context.catalog.access().FindToken(found.token_hash);
  return token.ok() && *token ? std::optional(found.listener) : std::nullopt;  // revoked meanwhile
}

Response Audioscrobbler::NowPlaying(const Request& request) {
  const auto playing = ParseLegacyNowPlaying(request.body);
  if (!playing.ok()) return AudioscrobblerFailed(400, playing.error().message);
  const auto listener = ListenerOf(playing->session);
  if (!listener) return Lines("BADSESSION\n");
  parts_.scrobbles.SetPlaying(*listener, playing->listens.front());
  return Lines("OK\n");
}

Response Audioscrobbler::Submit(const Request& request) {
  const auto submissions = ParseLegacySubmissions(request.body, parts_.context.clock.NowSeconds());
  if (!submissions.ok()) return AudioscrobblerFailed(400, submissions.error().message);
  const auto listener = ListenerOf(submissions->session);
  if (!listener) return Lines("BADSESSION\n");
  if (const auto taken = parts_.scrobbles.Take(*listener, submissions->listens, kSource); !taken.ok()) {
    return AudioscrobblerFailed(500, taken.error().message);
  }
  if (submissions->ignored > 0) {
    parts_.context.instruments.Warn("serve", "audioscrobbler: " + std::to_string(submissions->ignored) + " entries without artist, title or a possible time are left out");
  }
  return Lines("OK\n");
}

}  // namespace segue::serve
