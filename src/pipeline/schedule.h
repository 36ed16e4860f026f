#pragma once

#include <cstdint>

#include "core/cron.h"

namespace segue::pipeline {

/// When runs are due by schedule.cron, whatever the clock does. All that is due
/// up to `reference` has been dealt with; so however many moments went by since
/// (in a long run, or while the program was off), they are due once.
class Schedule {
 public:
  Schedule(const CronSchedule& cron, TimeZone zone, int64_t reference_seconds);

  /// Has a moment of the schedule gone by since the last Done? A clock that was
  /// set back by more than three hours starts the schedule anew from there; by
  /// less, what was done is not done again (as cron(8) has it).
  bool Due(int64_t now_seconds);
  void Done(int64_t now_seconds);

  int64_t reference() const { return reference_; }
  /// The moment that is waited for.
  int64_t next() const { return next_; }

 private:
  CronSchedule cron_;
  TimeZone zone_;
  int64_t reference_;
  int64_t next_;
};

}  // namespace segue::pipeline
