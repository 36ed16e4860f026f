#include "serve/dialects/scrobbles.h"

#include <algorithm>

#include "core/hash.h"
#include "core/identity.h"

namespace segue::serve {
namespace {

constexpr int64_t kPlayingSeconds = 600;
constexpr size_t kMostPlaying = 100'000;
constexpr int64_t kHeardMs = 240'000;  ///< who heard so much has heard it

/// Names the same for everybody who tells of it; see Take.
std::string EventIdOf(const std::string& listener, const std::string& key, int64_t listened_at) {
  return "listen:" + Sha256Hex(listener + "\x1f" + key + "\x1f" + std::to_string(listened_at)).substr(0, 32);
}

/// What a track is known by before any catalogue is asked.
std::string KeyOf(const TrackNaming& track) {
  const std::string name = NameKey(track.artist, track.title);
  return name.empty() ? track.source_id : name;
}

/// Too short to count as heard, as far as the player tells: half of the track
/// or four minutes count, and where its length is not told `skip_below_ms`.
bool WasSkipped(const Submission& submission, int64_t skip_below_ms) {
  if (submission.skipped) return true;
  if (submission.ms_played < 0 || submission.ms_played >= kHeardMs) return false;
  const int64_t duration = submission.track.duration_ms;
  return duration > 0 ? 2 * submission.ms_played < duration && submission.ms_played < skip_below_ms : submission.ms_played < skip_below_ms;
}

store::FeedbackEvent EventOf(const std::string& listener, const TrackNaming& track, std::string track_id, std::string_view source, int64_t now) {
  return {.listener = listener, .track_id = std::move(track_id), .artist = track.artist, .title = track.title, .received_at = now,
          .album = track.album, .source_id = track.source_id, .duration_ms = track.duration_ms, .source = std::string(source)};
}

}  // namespace

std::string Scrobbles::IdOf(const Snapshot& snapshot, const TrackNaming& track) {
  if (const std::string name = NameKey(track.artist, track.title); !name.empty()) {
    std::string id = snapshot.Canonical(TrackIdOf(name));
    if (snapshot.RowOf(id)) return id;
    if (const auto known = snapshot.TrackOfSource(track.source_id)) return *known;
    return id;
  }
  if (const auto known = snapshot.TrackOfSource(track.source_id)) return *known;
  // An id of ours is itself; another source's stands for a track that waits for its name.
  return track.source_id.starts_with('t') ? snapshot.Canonical(track.source_id) : TrackIdOf(track.source_id);
}

Result<Scrobbles::Taken> Scrobbles::Take(const std::string& listener, std::span<const Submission> submissions, std::string_view source) {
  const auto snapshot = live_.Now();
  const int64_t now = context_.clock.NowSeconds();
  Taken taken;
  std::vector<store::FeedbackEvent> events, verdicts;
  for (const Submission& submission : submissions) {
    store::FeedbackEvent event = EventOf(listener, submission.track, IdOf(*snapshot, submission.track), source, now);
    event.event_id = EventIdOf(listener, KeyOf(submission.track), submission.listened_at);
    event.at = submission.listened_at;
    event.ms_played = submission.ms_played;
    event.kind = WasSkipped(submission, context_.settings.skip_below_ms) ? "skip" : "play";
    taken.track_ids.push_back(event.track_id);
    events.push_back(std::move(event));
    if (submission.verdict == 0) continue;
    if (auto verdict = Verdict(*snapshot, listener, submission.track, submission.verdict, source)) verdicts.push_back(*std::move(verdict));
  }
  const size_t listens = events.size();
  events.insert(events.end(), verdicts.begin(), verdicts.end());
  SEGUE_TRY(const auto outcome, Append(events));
  taken.duplicates = outcome.duplicates;  // verdicts are never duplicates
  taken.accepted = static_cast<int64_t>(listens) - outcome.duplicates;
  return taken;
}

std::optional<store::FeedbackEvent> Scrobbles::Verdict(const Snapshot& snapshot, const std::string& listener, const TrackNaming& track,
                                                       int verdict, std::string_view source) const {
  const int64_t now = context_.clock.NowSeconds();
  store::FeedbackEvent event = EventOf(listener, track, IdOf(snapshot, track), source, now);
  event.kind = verdict > 0 ? "like" : verdict < 0 ? "dislike" : "neutral";
  event.at = now;
  const auto opinions = snapshot.OpinionsOf(listener);
  const auto before = std::find_if(opinions.begin(), opinions.end(), [&](const Opinion& o) { return o.track_id == event.track_id; });
  if (before == opinions.end()) return verdict == 0 ? std::nullopt : std::optional(event);
  if (before->verdict == verdict) return std::nullopt;
  // Of two in one second the later one has to stand.
  event.at = std::max(now, before->at + 1);
  return event;
}

Result<std::string> Scrobbles::Judge(const std::string& listener, const TrackNaming& track, int verdict, std::string_view source) {
  const auto snapshot = live_.Now();
  if (const auto event = Verdict(*snapshot, listener, track, verdict, source)) {
    SEGUE_RETURN_IF_ERROR(Append({&*event, 1}));
  }
  return IdOf(*snapshot, track);
}

Status Scrobbles::TakeBack(const std::string& listener, const std::string& track_id, int64_t listened_at, std::string_view source) {
  const auto snapshot = live_.Now();
  store::FeedbackEvent event{.listener = listener, .track_id = snapshot->Canonical(track_id), .kind = std::string(store::kTakenBack),
                             .at = listened_at, .received_at = context_.clock.NowSeconds(), .source = std::string(source)};
  event.event_id = "taken_back:" + EventIdOf(listener, event.track_id, listened_at);
  SEGUE_RETURN_IF_ERROR(Append({&event, 1}));
  return {};
}

Result<store::AppendOutcome> Scrobbles::Append(std::span<const store::FeedbackEvent> events) {
  SEGUE_TRY(const auto outcome, context_.catalog.AppendEvents(events));
  // They are durable: what follows may fail without a loss.
  if (const auto caught = live_.CatchUp(); !caught.ok()) context_.instruments.Warn("serve", caught.error().message);
  return outcome;
}

void Scrobbles::SetPlaying(const std::string& listener, const Submission& submission) {
  const int64_t now = context_.clock.NowSeconds();
  const int64_t length = submission.track.duration_ms > 0 ? submission.track.duration_ms / 1000 + 1 : kPlayingSeconds;
  const std::lock_guard lock(mutex_);
  if (playing_.size() >= kMostPlaying) std::erase_if(playing_, [&](const auto& entry) { return entry.second.until <= now; });
  playing_[listener] = {submission, now + length};
}

std::optional<Submission> Scrobbles::Playing(const std::string& listener) const {
  const std::lock_guard lock(mutex_);
  const auto it = playing_.find(listener);
  if (it == playing_.end() || it->second.until <= context_.clock.NowSeconds()) return std::nullopt;
  return it->second.submission;
}

void Scrobbles::ClearPlaying(const std::string& listener) {
  const std::lock_guard lock(mutex_);
  playing_.erase(listener);
}

}  // namespace segue::serve
