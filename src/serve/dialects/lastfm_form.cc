#include "serve/dialects/lastfm.h"
#include "store/access.h"

// What Last.fm's clients send, as data.
namespace segue::serve {
namespace {

constexpr int kMostScrobbles = 50;
constexpr int64_t kLongestSeconds = 86'400;

int IgnoredCode(const Submission& submission, int64_t now) {
  if (submission.track.artist.empty()) return 1;
  if (submission.track.title.empty()) return 2;
  if (submission.listened_at < kFirstListen) return 3;
  return submission.listened_at > now + kClockAhead ? 4 : 0;
}

}  // namespace

TrackNaming ReadLastFmTrack(const LastFmForm& form, const std::string& index) {
  TrackNaming track{.artist = FieldOf(form, "artist" + index), .title = FieldOf(form, "track" + index), .album = FieldOf(form, "album" + index)};
  track.source_id = MbidSource(FieldOf(form, "mbid" + index));
  const int64_t seconds = ParseWholeNumber(FieldOf(form, "duration" + index));
  if (seconds > 0 && seconds <= kLongestSeconds) track.duration_ms = 1000 * seconds;
  return track;
}

Result<std::vector<Scrobble>> ParseScrobbles(const LastFmForm& form, int64_t now) {
  std::vector<Scrobble> scrobbles;
  const auto read = [&](const std::string& index) -> Status {
    for (const char* field : {"artist", "track", "timestamp"}) {
      if (!form.contains(field + index)) return Error{ErrorCode::kInvalid, "Invalid parameters - Your request is missing a required parameter: " + (field + index)};
    }
    Scrobble scrobble{.submission = {.track = ReadLastFmTrack(form, index), .listened_at = ParseWholeNumber(FieldOf(form, "timestamp" + index))}};
    scrobble.ignored = IgnoredCode(scrobble.submission, now);
    scrobbles.push_back(std::move(scrobble));
    return {};
  };
  const auto there = [&](const std::string& index) {
    return form.contains("artist" + index) || form.contains("track" + index) || form.contains("timestamp" + index);
  };
  if (there("[" + std::to_string(kMostScrobbles) + "]")) return Error{ErrorCode::kInvalid, "Invalid parameters - at most 50 scrobbles are taken at once"};
  for (int i = 0; i < kMostScrobbles && there("[" + std::to_string(i) + "]"); ++i) SEGUE_RETURN_IF_ERROR(read("[" + std::to_string(i) + "]"));
  if (scrobbles.empty()) SEGUE_RETURN_IF_ERROR(read(""));
  return scrobbles;
}

std::string LastFmSignature(const LastFmForm& form, std::string_view secret) {
  std::string all;
  for (const auto& [name, value] : form) {  // a map: in the order of bytes
    if (name != "format" && name != "callback" && name != "api_sig") all += name + value;
  }
  return store::Md5Hex(all + std::string(secret));
}

}  // namespace segue::serve
