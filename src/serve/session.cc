#include "serve/session.h"

#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "core/identity.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostTracks = 1000;
constexpr int64_t kApart = 180;  ///< seconds

Error Wrong(const std::string& where, const std::string& what) { return {ErrorCode::kInvalid, where + ": " + what}; }

Result<std::string> Text(const json& entry, const char* name, const std::string& where) {
  const auto it = entry.find(name);
  if (it == entry.end() || it->is_null()) return std::string();
  if (!it->is_string()) return Wrong(where + "." + name, "is " + it->dump() + ", expected a text");
  return it->get<std::string>();
}

Result<std::optional<uint32_t>> RowOf(const json& entry, const std::string& where, const Snapshot& snapshot) {
  SEGUE_TRY(const std::string id, Text(entry, "track_id", where));
  if (!id.empty()) return snapshot.RowOf(id);
  SEGUE_TRY(const std::string artist, Text(entry, "artist", where));
  SEGUE_TRY(const std::string title, Text(entry, "title", where));
  const std::string key = NameKey(artist, title);
  if (key.empty()) return Wrong(where, "names no track: give track_id, or artist and title");
  return snapshot.RowOf(TrackIdOf(key));
}

}  // namespace

Result<Session> ReadSession(const json& body, const Snapshot& snapshot, int64_t now) {
  const auto tracks = body.find("tracks");
  if (tracks == body.end() || !tracks->is_array()) return Wrong("tracks", "expected a list of {\"track_id\"} or {\"artist\",\"title\"}, the oldest first");
  if (tracks->size() > kMostTracks) return Wrong("tracks", "has " + std::to_string(tracks->size()) + " entries, expected at most 1000: send the newest");
  Session session;
  std::vector<Event> events;
  for (size_t i = 0; i < tracks->size(); ++i) {
    const json& entry = (*tracks)[i];
    const std::string where = "tracks[" + std::to_string(i) + "]";
    if (!entry.is_object()) return Wrong(where, "expected an object with track_id, or artist and title");
    SEGUE_TRY(const auto row, RowOf(entry, where, snapshot));
    SEGUE_TRY(const std::string kind, Text(entry, "kind", where));
    const auto did = ParseEventKind(kind.empty() ? "play" : kind);
    const bool fits = did == EventKind::kPlay || did == EventKind::kSkip || did == EventKind::kLike || did == EventKind::kDislike;
    if (!fits) return Wrong(where + ".kind", "is '" + kind + "', expected play, skip, like or dislike");
    if (!row) {
      session.unknown.push_back(i);
      continue;
    }
    const int64_t at = now - kApart * static_cast<int64_t>(tracks->size() - 1 - i);
    events.push_back({.track = TrackIx{*row}, .kind = *did, .at = at});
  }
  session.taste.now = snapshot.WhoDid(events);
  return session;
}

}  // namespace segue::serve
