#pragma once

#include <map>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "serve/dialects/submission.h"
#include "serve/live.h"

// The one way from a player's word to the event log, whatever its dialect.
namespace segue::serve {

/// Thread-safe.
class Scrobbles {
 public:
  struct Taken {
    int64_t accepted = 0;
    int64_t duplicates = 0;             ///< told before, by this player or another
    std::vector<std::string> track_ids; ///< one a submission
  };

  /// Both borrowed.
  Scrobbles(const Context& context, Live& live) : context_(context), live_(live) {}

  /// Listens, durable when it returns; later requests see them. A listen is
  /// known by listener, track (as it is written after normalising) and second
  /// of its beginning, not by who tells it: a retry, or the same play told by
  /// two programs in two dialects, counts once. Verdicts that come along are
  /// taken as by Judge. `source`: the dialect's name.
  Result<Taken> Take(const std::string& listener, std::span<const Submission> submissions, std::string_view source);

  /// 1 loved, -1 hated, 0 neither any more. Nothing is appended where the
  /// listener thinks so already. The track's id.
  Result<std::string> Judge(const std::string& listener, const TrackNaming& track, int verdict, std::string_view source);

  /// Takes a listen back; one that is not there is none afterwards either.
  Status TakeBack(const std::string& listener, const std::string& track_id, int64_t listened_at, std::string_view source);

  /// What plays now: kept in memory, until it has played through (ten minutes
  /// where its length is not known), the next track or a restart.
  void SetPlaying(const std::string& listener, const Submission& submission);
  std::optional<Submission> Playing(const std::string& listener) const;
  void ClearPlaying(const std::string& listener);

  /// The id of the track that is so named, whether the catalogue has it or not.
  static std::string IdOf(const Snapshot& snapshot, const TrackNaming& track);

 private:
  struct Now {
    Submission submission;
    int64_t until = 0;  // Unix seconds
  };
  Result<store::AppendOutcome> Append(std::span<const store::FeedbackEvent> events);
  std::optional<store::FeedbackEvent> Verdict(const Snapshot& snapshot, const std::string& listener, const TrackNaming& track, int verdict,
                                              std::string_view source) const;

  const Context& context_;
  Live& live_;
  mutable std::mutex mutex_;
  std::map<std::string, Now> playing_;
};

class Gatekeeper;
class Lists;

/// What each dialect's handlers work with; all borrowed.
struct DialectParts {
  const Context& context;
  Gatekeeper& gate;
  Live& live;
  Lists& lists;
  Scrobbles& scrobbles;
};

}  // namespace segue::serve
