#include "serve/dialects/audioscrobbler.h"

// What Audioscrobbler's clients send, as data.
namespace segue::serve {
namespace {

using Form = std::map<std::string, std::string>;

constexpr int kMostEntries = 50;
constexpr int64_t kLongestSeconds = 86'400;

/// `index` "[3]" for submissions, "" for now-playing.
Submission ReadEntry(const Form& form, const std::string& index) {
  Submission submission;
  submission.track.artist = FieldOf(form, "a" + index);
  submission.track.title = FieldOf(form, "t" + index);
  submission.track.album = FieldOf(form, "b" + index);
  submission.track.source_id = MbidSource(FieldOf(form, "m" + index));
  const int64_t seconds = ParseWholeNumber(FieldOf(form, "l" + index));
  if (seconds > 0 && seconds <= kLongestSeconds) submission.track.duration_ms = 1000 * seconds;
  const std::string rating = FieldOf(form, "r" + index);
  submission.verdict = rating == "L" ? 1 : rating == "B" ? -1 : 0;
  submission.skipped = rating == "B" || rating == "S";
  return submission;
}

}  // namespace

Result<LegacySubmissions> ParseLegacySubmissions(std::string_view body, int64_t now) {
  SEGUE_TRY(const Form form, ParseForm(body, "the submission"));
  LegacySubmissions submissions{.session = FieldOf(form, "s")};
  for (int i = 0; i < kMostEntries; ++i) {
    const std::string index = "[" + std::to_string(i) + "]";
    if (!form.contains("a" + index) && !form.contains("t" + index)) break;
    Submission submission = ReadEntry(form, index);
    submission.listened_at = ParseWholeNumber(FieldOf(form, "i" + index));
    const bool good = !submission.track.artist.empty() && !submission.track.title.empty() && submission.listened_at >= kFirstListen &&
                      submission.listened_at <= now + kClockAhead;
    if (good) {
      submissions.listens.push_back(std::move(submission));
    } else {
      ++submissions.ignored;
    }
  }
  if (submissions.listens.empty() && submissions.ignored == 0) return Error{ErrorCode::kInvalid, "the submission has no a[0] and t[0]"};
  return submissions;
}

Result<LegacySubmissions> ParseLegacyNowPlaying(std::string_view body) {
  SEGUE_TRY(const Form form, ParseForm(body, "the notification"));
  LegacySubmissions playing{.session = FieldOf(form, "s"), .listens = {ReadEntry(form, "")}};
  const TrackNaming& track = playing.listens.front().track;
  if (track.artist.empty() || track.title.empty()) return Error{ErrorCode::kInvalid, "the notification lacks a or t"};
  return playing;
}

}  // namespace segue::serve
