#include <cstdlib>
#include <optional>

#include <nlohmann/json.hpp>

#include "serve/dialects/listenbrainz.h"

// What players send in POST /1/submit-listens, judged as ListenBrainz judges it:
// listenbrainz/webserver/views/api.py and api_tools.py of its server, in whose
// words the errors are, because clients show them.
namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostListens = 1000;
constexpr size_t kMostListenBytes = 10'240;
constexpr size_t kMostTags = 50;
constexpr size_t kLongestTag = 64;
constexpr int64_t kLongestMs = 86'400'000;

Error Wrong(const std::string& why) { return {ErrorCode::kInvalid, why}; }

/// A field of an object that may not be there; null where it is not.
const json* Field(const json& object, const char* name) {
  const auto it = object.find(name);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::string TextOr(const json& object, const char* name) {
  const json* field = Field(object, name);
  return field != nullptr && field->is_string() ? field->get<std::string>() : "";
}

/// A number, or a text that is one (clients send both), in 1 to `most`; `missing` else.
int64_t NumberOr(const json& object, const char* name, int64_t missing, int64_t most) {
  const json* field = Field(object, name);
  if (field == nullptr) return missing;
  double value = 0;
  if (field->is_number()) {
    value = field->get<double>();
  } else if (field->is_string()) {
    value = std::strtod(field->get_ref<const std::string&>().c_str(), nullptr);
  }
  return value >= 0 && value <= static_cast<double>(most) ? static_cast<int64_t>(value) : missing;
}

Status CheckTags(const json& info) {
  const json* tags = Field(info, "tags");
  if (tags == nullptr) return {};
  if (!tags->is_array()) return Wrong("JSON document must contain a list in track_metadata.additional_info.tags.");
  if (tags->size() > kMostTags) {
    return Wrong("JSON document may not contain more than 50 items in track_metadata.additional_info.tags.");
  }
  for (const json& tag : *tags) {
    if (!tag.is_string()) return Wrong("JSON document must contain strings in track_metadata.additional_info.tags.");
    if (tag.get_ref<const std::string&>().size() > kLongestTag) {
      return Wrong("JSON document may not contain track_metadata.additional_info.tags longer than 64 characters.");
    }
  }
  return {};
}

Status CheckMbids(const json& info) {
  const auto good = [](const json& mbid) { return mbid.is_string() && IsUuid(mbid.get_ref<const std::string&>()); };
  for (const char* key : {"release_mbid", "recording_mbid", "release_group_mbid", "track_mbid"}) {
    const json* mbid = Field(info, key);
    const bool empty = mbid != nullptr && mbid->is_string() && mbid->get_ref<const std::string&>().empty();
    if (mbid != nullptr && !empty && !good(*mbid)) return Wrong(std::string(key) + " MBID format invalid.");
  }
  for (const char* key : {"artist_mbids", "work_mbids"}) {
    const json* mbids = Field(info, key);
    if (mbids == nullptr) continue;
    if (!mbids->is_array()) return Wrong(std::string(key) + " MBID format invalid.");
    for (const json& mbid : *mbids) {
      if (!good(mbid)) return Wrong(std::string(key) + " MBID format invalid.");
    }
  }
  return {};
}

Status ReadListenedAt(const json& listen, ListenType type, int64_t now, Submission& submission) {
  const json* at = Field(listen, "listened_at");
  if (type == ListenType::kPlayingNow) {
    return at == nullptr ? Status() : Wrong("JSON document must not contain listened_at while submitting playing_now.");
  }
  if (at == nullptr) return Wrong("JSON document must contain the key listened_at at the top level.");
  const double value = at->is_number() ? at->get<double>() : at->is_string() ? std::strtod(at->get_ref<const std::string&>().c_str(), nullptr) : 0;
  if (!at->is_number() && !at->is_string()) return Wrong("JSON document must contain an int value for listened_at.");
  if (value > static_cast<double>(now + kClockAhead)) return Wrong("Value for key listened_at is too high.");
  if (!(value >= static_cast<double>(kFirstListen))) {
    return Wrong("Value for key listened_at is too low. listened_at timestamp should be greater than 1033430400 (2002-10-01 00:00:00 UTC).");
  }
  submission.listened_at = static_cast<int64_t>(value);
  return {};
}

Status ReadName(const json& metadata, const char* name, bool required, std::string& text) {
  const json* field = Field(metadata, name);
  if (field == nullptr || (field->is_string() && field->get_ref<const std::string&>().empty())) {
    return required ? Wrong("JSON document does not contain required track_metadata." + std::string(name) + ".") : Status();
  }
  if (!field->is_string()) return Wrong(std::string(name) + " must be a single string.");
  text = field->get<std::string>();
  if (text.find('\0') != std::string::npos) return Wrong(std::string(name) + " contains a unicode null");
  return {};
}

void ReadInfo(const json& info, Submission& submission) {
  TrackNaming& track = submission.track;
  track.source_id = MbidSource(TextOr(info, "recording_mbid"));
  if (track.source_id.empty()) track.source_id = IsrcSource(TextOr(info, "isrc"));
  if (track.source_id.empty()) track.source_id = SpotifySource(TextOr(info, "spotify_id"));
  track.duration_ms = NumberOr(info, "duration_ms", 0, kLongestMs);
  if (track.duration_ms == 0) track.duration_ms = 1000 * NumberOr(info, "duration", 0, kLongestMs / 1000);
  if (const int64_t played = NumberOr(info, "duration_played", -1, kLongestMs / 1000); played >= 0) submission.ms_played = 1000 * played;
}

Result<Submission> ReadListen(const json& listen, ListenType type, int64_t now) {
  Submission submission;
  if (!listen.is_object()) return Wrong("Invalid JSON document submitted.");
  SEGUE_RETURN_IF_ERROR(ReadListenedAt(listen, type, now, submission));
  const json* metadata = Field(listen, "track_metadata");
  if (metadata == nullptr || !metadata->is_object()) {
    return Wrong("JSON document does not contain a valid metadata.track_name and/or track_metadata.artist_name.");
  }
  SEGUE_RETURN_IF_ERROR(ReadName(*metadata, "track_name", true, submission.track.title));
  SEGUE_RETURN_IF_ERROR(ReadName(*metadata, "artist_name", true, submission.track.artist));
  SEGUE_RETURN_IF_ERROR(ReadName(*metadata, "release_name", false, submission.track.album));
  if (const json* info = Field(*metadata, "additional_info")) {
    if (!info->is_object()) return Wrong("JSON document must contain an object in track_metadata.additional_info.");
    SEGUE_RETURN_IF_ERROR(CheckTags(*info));
    SEGUE_RETURN_IF_ERROR(CheckMbids(*info));
    ReadInfo(*info, submission);
  }
  return submission;
}

std::optional<ListenType> ParseListenType(const json* type) {
  if (type == nullptr || !type->is_string()) return std::nullopt;
  if (*type == "single") return ListenType::kSingle;
  if (*type == "playing_now") return ListenType::kPlayingNow;
  if (*type == "import") return ListenType::kImport;
  return std::nullopt;
}

}  // namespace

Result<SubmittedListens> ParseSubmitListens(std::string_view body, int64_t now) {
  json document;
  try {
    document = json::parse(body);
  } catch (const json::parse_error& error) {
    return Wrong("Cannot parse JSON document: byte " + std::to_string(error.byte) + " does not fit");
  }
  const json* payload = document.is_object() ? Field(document, "payload") : nullptr;
  if (payload == nullptr || !payload->is_array()) return Wrong("Invalid JSON document submitted.");
  if (payload->empty()) return Wrong("JSON document does not contain any listens");
  if (payload->size() > kMostListens) return Wrong("Too many listens. You may not submit more than 1000 listens at once.");
  if (body.size() > payload->size() * kMostListenBytes) {
    return Wrong("JSON document is too large. In aggregate, listens may not be larger than 10240 characters.");
  }
  const auto type = ParseListenType(Field(document, "listen_type"));
  if (!type) return Wrong("JSON document requires a valid listen_type key.");
  if (*type != ListenType::kImport && payload->size() > 1) {
    return Wrong("JSON document contains more than listen for a single/playing_now. It should contain only one.");
  }
  SubmittedListens submitted{.type = *type};
  for (const json& listen : *payload) {
    SEGUE_TRY(Submission submission, ReadListen(listen, *type, now));
    submitted.listens.push_back(std::move(submission));
  }
  return submitted;
}

}  // namespace segue::serve
