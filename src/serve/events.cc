#include "serve/events.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "serve/http.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostEvents = 1000;
constexpr size_t kLongestText = 1000;
constexpr int64_t kEarliest = 946'684'800;  // 2000-01-01
constexpr int64_t kClockSkew = 86'400;

Error Wrong(const std::string& where, const std::string& what) { return {ErrorCode::kInvalid, where + ": " + what}; }

/// A text field; "" where it is not there.
Result<std::string> Text(const json& event, const char* name, const std::string& where) {
  const auto it = event.find(name);
  if (it == event.end() || it->is_null()) return std::string();
  if (!it->is_string()) return Wrong(where + "." + name, "expected a text");
  const auto& text = it->get_ref<const std::string&>();
  if (text.size() > kLongestText) return Wrong(where + "." + name, "longer than 1000 bytes");
  if (text.find('\0') != std::string::npos) return Wrong(where + "." + name, "has a NUL");
  return text;
}

Status ReadTrack(const json& event, const std::string& where, const Snapshot& snapshot, store::FeedbackEvent& result) {
  SEGUE_TRY(result.track_id, Text(event, "track_id", where));
  SEGUE_TRY(result.artist, Text(event, "artist", where));
  SEGUE_TRY(result.title, Text(event, "title", where));
  if (!result.track_id.empty()) {
    const auto row = snapshot.RowOf(result.track_id);
    if (!row) {
      return Error{ErrorCode::kNotFound, where + ".track_id: there is no track '" + result.track_id +
                                             "'; name it by artist and title to add it"};
    }
    result.track_id = snapshot.data().tracks.id[*row];
    return {};
  }
  const std::string key = NameKey(result.artist, result.title);
  if (key.empty()) return Wrong(where, "names no track: give track_id, or artist and title");
  result.track_id = snapshot.Canonical(TrackIdOf(key));
  return {};
}

Status ReadTime(const json& event, const std::string& where, int64_t now, store::FeedbackEvent& result) {
  result.at = now;
  const auto it = event.find("at");
  if (it == event.end() || it->is_null()) return {};
  if (it->is_number()) {
    const double at = it->get<double>();
    if (!(std::fabs(at) < 1e15)) return Wrong(where + ".at", "not a time");
    result.at = static_cast<int64_t>(at);
  } else if (it->is_string()) {
    auto time = ParseTime(it->get_ref<const std::string&>());
    if (!time.ok()) return time.error().In(where + ".at");
    result.at = *time;
  } else {
    return Wrong(where + ".at", "expected Unix seconds or an ISO 8601 text");
  }
  if (result.at < kEarliest || result.at > now + kClockSkew) {
    return Wrong(where + ".at", std::to_string(result.at) + " is not between the year 2000 and now (Unix seconds)");
  }
  return {};
}

Status ReadValue(const json& event, const std::string& where, store::FeedbackEvent& result) {
  const auto it = event.find("value");
  const bool given = it != event.end() && !it->is_null();
  if (!given && result.kind == "rating") return Wrong(where + ".value", "a rating needs a value");
  if (!given) return {};
  if (!it->is_number()) return Wrong(where + ".value", "expected a number");
  result.value = it->get<double>();
  if (!std::isfinite(result.value) || result.value < 0 || result.value > 1e9) {
    return Wrong(where + ".value", "expected a number from 0 to 1000000000");
  }
  return {};
}

Result<store::FeedbackEvent> ReadEvent(const json& event, const std::string& where, const Snapshot& snapshot, int64_t now,
                                       const std::string& listener) {
  if (!event.is_object()) return Wrong(where, "expected an object");
  store::FeedbackEvent result;
  result.received_at = now;
  result.source = "api";
  SEGUE_TRY(result.event_id, Text(event, "event_id", where));
  SEGUE_TRY(result.listener, Text(event, "listener", where));
  SEGUE_TRY(result.list_id, Text(event, "list_id", where));
  SEGUE_TRY(result.kind, Text(event, "kind", where));
  if (result.listener.empty()) result.listener = listener;
  if (result.listener.empty()) return Wrong(where + ".listener", "is missing");
  if (!listener.empty() && result.listener != listener) {
    return Error{ErrorCode::kPermission, where + ".listener: is '" + result.listener + "', and the token belongs to '" + listener + "'"};
  }
  if (!ParseEventKind(result.kind) || result.kind == "review") {
    return Wrong(where + ".kind", "is '" + result.kind + "', expected play, skip, like, dislike, neutral or rating");
  }
  SEGUE_RETURN_IF_ERROR(ReadTrack(event, where, snapshot, result));
  SEGUE_RETURN_IF_ERROR(ReadTime(event, where, now, result));
  SEGUE_RETURN_IF_ERROR(ReadValue(event, where, result));
  return result;
}

}  // namespace

Result<std::vector<store::FeedbackEvent>> ParseEvents(std::string_view body, const Snapshot& snapshot, int64_t now,
                                                      const std::string& listener) {
  SEGUE_TRY(const json parsed, ParseObject(body));
  if (!parsed.contains("events") || !parsed["events"].is_array()) {
    return Error{ErrorCode::kInvalid, "expected {\"events\": [...]}"};
  }
  const json& list = parsed["events"];
  if (list.empty() || list.size() > kMostEvents) {
    return Error{ErrorCode::kInvalid, "events has " + std::to_string(list.size()) + " entries, expected 1 to 1000"};
  }
  std::vector<store::FeedbackEvent> events;
  for (size_t i = 0; i < list.size(); ++i) {
    SEGUE_TRY(auto event, ReadEvent(list[i], "events[" + std::to_string(i) + "]", snapshot, now, listener));
    events.push_back(std::move(event));
  }
  return events;
}

}  // namespace segue::serve
