#pragma once

#include <cstdint>
#include <optional>

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// When a run that failed is tried again: after 10 seconds, then 20, and so on
/// up to a day, so that a trouble is never over for longer than it lasted
/// without a new try. Settings and notifications have a patience of their own
/// (Triggers) and are not tried again from here. Not thread-safe.
class Retry {
 public:
  /// Call after each run; an error is a run that could not even begin.
  void Ended(const Trigger& trigger, const Result<store::RunRecord>& run, int64_t now_ms);

  /// A run is not to start by itself before the wait is over, but for what is new since the failure.
  bool Waits(int64_t now_ms) const;

  /// The failed run's trigger, once the wait is over.
  std::optional<Trigger> Due(int64_t now_ms) const;

 private:
  int64_t wait_ms_ = 0;
  int64_t until_ms_ = 0;
  std::optional<Trigger> again_;
};

/// As of the last run that the catalog knows, for a program that starts.
Result<Retry> RetryOfTheLastRun(const Context& context);

}  // namespace segue::pipeline
