#include "serve/dialects/gorse_body.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <nlohmann/json.hpp>

#include "serve/times.h"
#include "store/clock.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMost = 10'000;
constexpr size_t kLongestId = 256;
constexpr size_t kMostLabelBytes = 64'000;
constexpr int kDeepestLabels = 8;
constexpr int64_t kClockSkew = 86'400;
constexpr const char* kZeroTime = "0001-01-01T00:00:00Z";

constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kTypes = {{
    {"read", "play"}, {"play", "play"}, {"listen", "play"}, {"click", "play"}, {"view", "play"}, {"skip", "skip"},
    {"star", "like"}, {"like", "like"}, {"love", "like"}, {"favorite", "like"}, {"thumbs_up", "like"},
    {"dislike", "dislike"}, {"hate", "dislike"}, {"thumbs_down", "dislike"}, {"rating", "rating"}, {"rate", "rating"},
}};

Error Wrong(const std::string& where, const std::string& what) { return {ErrorCode::kInvalid, where + ": " + what}; }

Result<json> Parse(std::string_view body) {
  try {
    return json::parse(body);
  } catch (const json::parse_error& error) {
    return Error{ErrorCode::kInvalid, "this is not JSON: byte " + std::to_string(error.byte) + " does not fit"};
  }
}

/// Null where it is not there.
const json* Field(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

Status ReadText(const json& object, const char* name, std::string& text, size_t longest = kMostLabelBytes) {
  const json* field = Field(object, name);
  if (field == nullptr) return {};
  if (!field->is_string()) return Wrong(name, "expected a text");
  const auto& value = field->get_ref<const std::string&>();
  if (value.size() > longest) return Wrong(name, "longer than " + std::to_string(longest) + " bytes");
  if (value.find('\0') != std::string::npos) return Wrong(name, "has a NUL");
  text = value;
  return {};
}

Status ReadId(const json& object, const char* name, std::string& id) {
  SEGUE_RETURN_IF_ERROR(ReadText(object, name, id, kLongestId));
  if (id.empty()) return Wrong(name, "is missing");
  const bool odd = std::any_of(id.begin(), id.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
  return odd ? Status(Wrong(name, "has control characters")) : Status();
}

/// As Gorse judges labels: what can be compared.
bool AreLabels(const json& labels, int depth) {
  if (depth > kDeepestLabels) return false;
  if (labels.is_array()) {
    const auto all = [&](bool (*fits)(const json&)) { return std::all_of(labels.begin(), labels.end(), fits); };
    return all([](const json& one) { return one.is_string(); }) || all([](const json& one) { return one.is_number(); });
  }
  if (!labels.is_object()) return true;
  return std::all_of(labels.begin(), labels.end(), [&](const json& one) { return AreLabels(one, depth + 1); });
}

Status ReadLabels(const json& object, std::string& labels) {
  const json* field = Field(object, "Labels");
  if (field == nullptr) return {};
  if (!AreLabels(*field, 0)) return Wrong("Labels", "expected texts, lists of texts or of numbers, or an object of these");
  std::string text = field->dump(-1, ' ', false, json::error_handler_t::replace);
  if (text.size() > kMostLabelBytes) return Wrong("Labels", "longer than " + std::to_string(kMostLabelBytes) + " bytes");
  labels = std::move(text);
  return {};
}

/// `at` stays as it is where none is told.
Status ReadTimestamp(const json& object, int64_t& at) {
  std::string text;
  SEGUE_RETURN_IF_ERROR(ReadText(object, "Timestamp", text, 100));
  if (text.empty() || text == kZeroTime) return {};
  if (text.size() == 10) text += "T00:00:00Z";
  const auto time = ParseTime(text);
  if (!time.ok()) return time.error().In("Timestamp");
  at = *time;
  return {};
}

Status ReadCategories(const json& object, std::vector<std::string>& categories) {
  const json* field = Field(object, "Categories");
  if (field == nullptr) return {};
  const bool texts = field->is_array() && std::all_of(field->begin(), field->end(), [](const json& one) { return one.is_string(); });
  if (!texts || field->size() > 1000) return Wrong("Categories", "expected a list of at most 1000 texts");
  categories = field->get<std::vector<std::string>>();
  return {};
}

Status ReadFlag(const json& object, const char* name, bool& flag) {
  const json* field = Field(object, name);
  if (field == nullptr) return {};
  if (!field->is_boolean()) return Wrong(name, "expected true or false");
  flag = field->get<bool>();
  return {};
}

Status Read(const json& object, GorseUser& user) {
  if (!object.is_object()) return Error{ErrorCode::kInvalid, "expected an object"};
  SEGUE_RETURN_IF_ERROR(ReadLabels(object, user.labels));
  return ReadText(object, "Comment", user.comment);
}

Status Read(const json& object, GorseItem& item) {
  if (!object.is_object()) return Error{ErrorCode::kInvalid, "expected an object"};
  SEGUE_RETURN_IF_ERROR(ReadFlag(object, "IsHidden", item.hidden));
  SEGUE_RETURN_IF_ERROR(ReadFlag(object, "Deleted", item.deleted));
  SEGUE_RETURN_IF_ERROR(ReadCategories(object, item.categories));
  SEGUE_RETURN_IF_ERROR(ReadTimestamp(object, item.at));
  SEGUE_RETURN_IF_ERROR(ReadLabels(object, item.labels));
  return ReadText(object, "Comment", item.comment);
}

/// The objects in a body; a wrong number of them is an error.
Result<std::vector<json>> ObjectsIn(std::string_view body, bool many) {
  SEGUE_TRY(json parsed, Parse(body));
  if (!many) return std::vector<json>{std::move(parsed)};
  if (!parsed.is_array()) return Error{ErrorCode::kInvalid, "expected a list"};
  if (parsed.size() > kMost) return Error{ErrorCode::kInvalid, "more than 10000 in one request"};
  return parsed.get<std::vector<json>>();
}

template <typename Thing>
Result<std::vector<Thing>> ReadAllOf(std::string_view body, bool many, const char* id) {
  SEGUE_TRY(const auto objects, ObjectsIn(body, many));
  std::vector<Thing> things(objects.size());
  for (size_t i = 0; i < objects.size(); ++i) {
    const std::string where = many ? "[" + std::to_string(i) + "]" : "the body";
    if (const Status read = Read(objects[i], things[i]); !read.ok()) return read.error().In(where);
    if (const Status read = ReadId(objects[i], id, things[i].id); !read.ok()) return read.error().In(where);
  }
  return things;
}

std::string KnownTypes() {
  std::string known;
  for (const auto& [type, kind] : kTypes) known += (known.empty() ? "" : ", ") + std::string(type);
  return known;
}

Result<GorseFeedback> ReadFeedback(const json& object, int64_t now) {
  if (!object.is_object()) return Error{ErrorCode::kInvalid, "expected an object"};
  GorseFeedback feedback{.at = now};
  SEGUE_RETURN_IF_ERROR(ReadId(object, "FeedbackType", feedback.type));
  SEGUE_RETURN_IF_ERROR(ReadId(object, "UserId", feedback.user));
  SEGUE_RETURN_IF_ERROR(ReadId(object, "ItemId", feedback.item));
  if (KindOfGorse(feedback.type).empty()) {
    return Wrong("FeedbackType", "'" + feedback.type + "' stands for nothing here; known: " + KnownTypes());
  }
  if (const json* value = Field(object, "Value")) {
    if (!value->is_number()) return Wrong("Value", "expected a number");
    feedback.value = value->get<double>();
    if (!(feedback.value >= 0 && feedback.value <= 1e9)) return Wrong("Value", "expected a number from 0 to 1000000000");
  }
  SEGUE_RETURN_IF_ERROR(ReadTimestamp(object, feedback.at));
  if (feedback.at < kFirstListen || feedback.at > now + kClockSkew) {
    return Wrong("Timestamp", std::to_string(feedback.at) + " (Unix seconds) is not between October 2002 and now");
  }
  return feedback;
}

std::string TextIn(const json& labels, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const json* field = Field(labels, name);
    if (field != nullptr && field->is_string()) return field->get<std::string>();
  }
  return "";
}

}  // namespace

std::string_view KindOfGorse(std::string_view type) {
  for (const auto& [known, kind] : kTypes) {
    if (known == type) return kind;
  }
  return "";
}

Result<std::vector<GorseUser>> ParseGorseUsers(std::string_view body, bool many) { return ReadAllOf<GorseUser>(body, many, "UserId"); }
Result<std::vector<GorseItem>> ParseGorseItems(std::string_view body, bool many) { return ReadAllOf<GorseItem>(body, many, "ItemId"); }

Result<std::vector<GorseFeedback>> ParseGorseFeedback(std::string_view body, int64_t now) {
  SEGUE_TRY(const auto objects, ObjectsIn(body, true));
  std::vector<GorseFeedback> feedback;
  for (size_t i = 0; i < objects.size(); ++i) {
    auto one = ReadFeedback(objects[i], now);
    if (!one.ok()) return one.error().In("[" + std::to_string(i) + "]");
    feedback.push_back(*std::move(one));
  }
  return feedback;
}

Status PatchGorseUser(std::string_view body, GorseUser& user) {
  SEGUE_TRY(const json parsed, Parse(body));
  return Read(parsed, user);
}

Status PatchGorseItem(std::string_view body, GorseItem& item) {
  SEGUE_TRY(const json parsed, Parse(body));
  return Read(parsed, item);
}

TrackNaming NamingOf(const GorseItem& item) {
  TrackNaming track;
  const json labels = json::parse(item.labels, nullptr, false);
  if (labels.is_object()) {
    track.artist = TextIn(labels, {"artist", "Artist"});
    track.title = TextIn(labels, {"title", "Title", "name", "track"});
    track.album = TextIn(labels, {"album", "Album"});
  }
  const std::string_view id = item.id;
  if (id.starts_with("mbid:")) track.source_id = MbidSource(id.substr(5));
  if (id.starts_with("isrc:")) track.source_id = IsrcSource(id.substr(5));
  if (id.starts_with("spotify:track:")) track.source_id = SpotifySource(id);
  if (track.source_id.empty()) track.source_id = "gorse:" + item.id;
  return track;
}

json ToJson(const GorseUser& user) {
  return {{"UserId", user.id}, {"Labels", json::parse(user.labels, nullptr, false)}, {"Comment", user.comment}};
}

json ToJson(const GorseItem& item) {
  return {{"ItemId", item.id}, {"IsHidden", item.hidden}, {"Categories", item.categories}, {"Timestamp", GorseTime(item.at)},
          {"Labels", json::parse(item.labels, nullptr, false)}, {"Comment", item.comment}};
}

std::string GorseTime(int64_t at) { return at == 0 ? kZeroTime : store::Iso8601(at); }

}  // namespace segue::serve
