#include "serve/dialects/lastfm.h"

#include <algorithm>
#include <cctype>

#include "serve/access.h"
#include "serve/api.h"
#include "serve/notifications.h"
#include "serve/random_id.h"

namespace segue::serve {
namespace {

constexpr std::string_view kSource = "lastfm";
constexpr int64_t kTokenSeconds = 3600;  ///< "valid for 60 minutes from the moment they are granted"
constexpr size_t kMostAsked = 10'000;

/// What was sent, with Last.fm's mark of what it had to correct: nothing here.
Element Uncorrected(std::string name, std::string text) { return {.name = std::move(name), .attributes = {{"corrected", "0"}}, .text = std::move(text)}; }

Element EntryOf(std::string name, const TrackNaming& track, const std::string& album_artist, int ignored) {
  return {.name = std::move(name),
          .children = {Uncorrected("track", track.title), Uncorrected("artist", track.artist), Uncorrected("album", track.album),
                       Uncorrected("albumArtist", album_artist),
                       {.name = "ignoredMessage", .attributes = {{"code", std::to_string(ignored)}}}}};
}

Response SessionAnswer(const std::string& listener, const std::string& key, bool as_json) {
  return LastFmAnswer({.name = "session", .children = {{.name = "name", .text = listener}, {.name = "key", .text = key}, {.name = "subscriber", .text = "0"}}},
                      as_json);
}

}  // namespace

Response LastFmRefusal(int status, std::string_view why) { return LastFmError(status == 429 ? 29 : 16, why, false); }

std::span<const LastFm::Method> LastFm::Methods() {
  static constexpr Method kMethods[] = {
      {"track.scrobble", true, true, &LastFm::TakeScrobbles},
      {"track.updatenowplaying", true, true, &LastFm::TakeNowPlaying},
      {"track.love", true, true, &LastFm::Love},
      {"track.unlove", true, true, &LastFm::Unlove},
      {"auth.getmobilesession", true, false, &LastFm::GiveMobileSession},
      {"auth.gettoken", true, false, &LastFm::GiveToken},
      {"auth.getsession", true, false, &LastFm::GiveSession},
      {"user.getrecenttracks", false, false, &LastFm::RecentTracks},
      {"track.getsimilar", false, false, &LastFm::SimilarTracks},
      {"artist.getsimilar", false, false, &LastFm::SimilarArtists},
  };
  return kMethods;
}

Response LastFm::Call(const Request& request) {
  Asking asking{.request = request, .form = request.query};
  if (request.method == "POST") {
    auto body = ParseForm(request.body, "the body");
    if (!body.ok()) return LastFmError(6, "Invalid parameters - " + body.error().message, FieldOf(request.query, "format") == "json");
    asking.form.merge(*body);
  }
  asking.json = FieldOf(asking.form, "format") == "json";
  std::string wanted = FieldOf(asking.form, "method");
  for (char& c : wanted) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  const auto methods = Methods();
  const auto method = std::find_if(methods.begin(), methods.end(), [&](const Method& m) { return m.name == wanted; });
  if (method == methods.end()) return LastFmError(3, "Invalid Method - No method with that name in this package", asking.json);
  if (FieldOf(asking.form, "api_key").empty()) return LastFmError(10, "Invalid API key - You must be granted a valid key by last.fm", asking.json);
  const std::string& secret = parts_.context.settings.lastfm_secret;
  if (method->signs && !secret.empty() && !SameSecret(LastFmSignature(asking.form, secret), FieldOf(asking.form, "api_sig"))) {
    return LastFmError(13, "Invalid method signature supplied", asking.json);
  }
  asking.listener = parts_.gate.ListenerOf(request, FieldOf(asking.form, "sk")).value_or("");
  if (method->session && asking.listener.empty()) return LastFmError(9, "Invalid session key - Please re-authenticate", asking.json);
  return (this->*method->answer)(asking);
}

Response LastFm::TakeScrobbles(const Asking& asking) {
  const auto scrobbles = ParseScrobbles(asking.form, parts_.context.clock.NowSeconds());
  if (!scrobbles.ok()) return LastFmError(6, scrobbles.error().message, asking.json);
  std::vector<Submission> good;
  Element answer{.name = "scrobbles"};
  for (size_t i = 0; i < scrobbles->size(); ++i) {
    const Scrobble& scrobble = (*scrobbles)[i];
    if (scrobble.ignored == 0) good.push_back(scrobble.submission);
    Element entry = EntryOf("scrobble", scrobble.submission.track, FieldOf(asking.form, "albumArtist[" + std::to_string(i) + "]"), scrobble.ignored);
    entry.children.push_back({.name = "timestamp", .text = std::to_string(scrobble.submission.listened_at)});
    answer.children.push_back(std::move(entry));
  }
  if (const auto taken = parts_.scrobbles.Take(asking.listener, good, kSource); !taken.ok()) return LastFmError(16, taken.error().message, asking.json);
  answer.attributes = {{"accepted", std::to_string(good.size())}, {"ignored", std::to_string(scrobbles->size() - good.size())}};
  return LastFmAnswer(answer, asking.json);
}

Response LastFm::TakeNowPlaying(const Asking& asking) {
  const TrackNaming track = ReadLastFmTrack(asking.form, "");
  if (track.artist.empty() || track.title.empty()) return LastFmError(6, "Invalid parameters - artist and track are required", asking.json);
  parts_.scrobbles.SetPlaying(asking.listener, {.track = track});
  return LastFmAnswer(EntryOf("nowplaying", track, FieldOf(asking.form, "albumArtist"), 0), asking.json);
}

Response LastFm::Love(const Asking& asking) { return Judge(asking, 1); }
Response LastFm::Unlove(const Asking& asking) { return Judge(asking, 0); }

Response LastFm::Judge(const Asking& asking, int verdict) {
  const TrackNaming track = ReadLastFmTrack(asking.form, "");
  if (track.artist.empty() || track.title.empty()) return LastFmError(6, "Invalid parameters - artist and track are required", asking.json);
  if (const auto judged = parts_.scrobbles.Judge(asking.listener, track, verdict, kSource); !judged.ok()) {
    return LastFmError(16, judged.error().message, asking.json);
  }
  // Last.fm's own answer: an empty one.
  if (asking.json) return {.body = "{}"};
  return {.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<lfm status=\"ok\"></lfm>\n", .type = "text/xml; charset=utf-8"};
}

Response LastFm::GiveMobileSession(const Asking& asking) {
  const std::string user = FieldOf(asking.form, "username");
  const std::string password = FieldOf(asking.form, "password");
  // The password is a token, and opens the session that it names. Where none is
  // needed, any password does: then the key is the listener's name.
  auto listener = parts_.gate.Find(password) ? parts_.gate.ListenerOf(asking.request, password) : std::nullopt;
  std::string key = password;
  if (!listener && parts_.gate.Open(asking.request)) {
    listener = parts_.gate.ListenerOf(asking.request, user);
    key = user;
  }
  if (!listener || *listener != user) return LastFmError(4, "Authentication Failed - You do not have permissions to access the service", asking.json);
  return SessionAnswer(*listener, key, asking.json);
}

Response LastFm::GiveToken(const Asking& asking) {
  const std::string token = RandomHex() + RandomHex();
  const int64_t now = parts_.context.clock.NowSeconds();
  {
    const std::lock_guard lock(mutex_);
    std::erase_if(asked_, [&](const auto& entry) { return entry.second.until <= now; });
    if (asked_.size() >= kMostAsked) return LastFmError(16, "too many programs ask to be let in; try again in an hour", asking.json);
    asked_[token] = {"", now + kTokenSeconds};
  }
  return LastFmAnswer({.name = "token", .text = token}, asking.json);
}

Response LastFm::GiveSession(const Asking& asking) {
  std::string listener;
  {
    const std::lock_guard lock(mutex_);
    const auto it = asked_.find(FieldOf(asking.form, "token"));
    if (it == asked_.end()) return LastFmError(4, "Invalid authentication token supplied", asking.json);
    if (it->second.until <= parts_.context.clock.NowSeconds()) return LastFmError(15, "This token has expired", asking.json);
    if (it->second.listener.empty()) return LastFmError(14, "This token has not been authorized", asking.json);
    listener = it->second.listener;
    asked_.erase(it);  // good for one session
  }
  const std::string secret = store::NewSecret();
  auto token = store::MakeToken("last.fm session", store::Role::kListen, listener, false, secret, parts_.context.clock.NowSeconds());
  if (token.ok()) token->name += " " + token->id;
  if (!token.ok()) return LastFmError(16, token.error().message, asking.json);
  if (const auto added = parts_.context.catalog.access().AddToken(*token); !added.ok()) return LastFmError(16, added.error().message, asking.json);
  return SessionAnswer(listener, secret, asking.json);
}

}  // namespace segue::serve
