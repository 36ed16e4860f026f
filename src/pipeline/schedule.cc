#include "pipeline/schedule.h"

#include <algorithm>
#include <utility>

namespace segue::pipeline {
namespace {

constexpr int64_t kSmallStepBack = 3 * 3600;

}  // namespace

Schedule::Schedule(const CronSchedule& cron, TimeZone zone, int64_t reference_seconds)
    : cron_(cron), zone_(std::move(zone)), reference_(reference_seconds), next_(NextAfter(cron_, zone_, reference_)) {}

bool Schedule::Due(int64_t now_seconds) {
  if (now_seconds < reference_ - kSmallStepBack) {
    reference_ = now_seconds;
    next_ = NextAfter(cron_, zone_, reference_);
  }
  return now_seconds >= next_;
}

void Schedule::Done(int64_t now_seconds) {
  // A clock set back a little must not make what was done due again.
  reference_ = std::max(reference_, now_seconds);
  next_ = NextAfter(cron_, zone_, reference_);
}

}  // namespace segue::pipeline
