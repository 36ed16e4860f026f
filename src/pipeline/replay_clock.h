#pragma once

#include <cstdint>
#include <string>

#include "core/dataset.h"
#include "core/result.h"

namespace segue::pipeline {

/// How replay cuts time.
struct ClockOptions {
  int64_t window_s = 7 * 86'400;
  std::string clock = "auto";   ///< "calendar", "listener", "auto"
  double start_share = 0.25;    ///< the first judged window has this share of all events before it
  int64_t start_s = 0;          ///< > 0: so many seconds of history are before it instead
};

/// Windows in time: window w is [Edge(w), Edge(w + 1)).
///
/// calendar  the day and hour as they were: what a service would have seen
/// listener  each listener's own time: his first day is day 0. For histories
///           that people exported in different years, of which few share any
///           week of the calendar. Then another's "past" may lie in later years
///           than one's own, which no service could have known; it is so for
///           all arms alike, and makes new releases no news.
/// auto      calendar where a window's listening comes, in the mean over windows
///           with any, from more than half of the listeners or from 20; else listener
struct Timeline {
  bool by_listener = false;
  double listeners_a_window = 0;  ///< mean by the calendar, over windows with listening: what auto went by
  int64_t zero = 0;               ///< first window's start: Unix seconds; with by_listener those of day 0
  int64_t window_s = 0;
  uint32_t windows = 0;           ///< all; the history fills at least half of the last, and what is left after it is not judged
  uint32_t first = 0;             ///< the first that is judged
  int64_t from = 0, to = 0;       ///< first and last event by the calendar
  uint64_t undated = 0;           ///< events without a time, which were left out

  int64_t Edge(uint32_t window) const { return zero + static_cast<int64_t>(window) * window_s; }
  /// 0 before the first, `windows` - 1 after the last.
  uint32_t WindowOf(int64_t at) const;
};

/// Drops events (and reviews) without a time and, with the listener's clock,
/// shifts each listener's by whole days so that all begin on the same day.
/// kInvalid with the way out where there is nothing to walk through.
Result<Timeline> SetClock(Dataset& data, const ClockOptions& options);

/// What the data were before a moment: `past` has data's tracks and listeners
/// already and gets its events and reviews.
void PastUntil(const Dataset& data, int64_t moment, Dataset& past);

/// One listener's events in [from, to).
std::span<const Event> EventsBetween(const Dataset& data, UserIx user, int64_t from, int64_t to);

}  // namespace segue::pipeline
