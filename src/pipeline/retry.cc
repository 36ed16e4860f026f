#include "pipeline/retry.h"

#include <algorithm>

namespace segue::pipeline {
namespace {

constexpr int64_t kFirstMs = 10'000;
constexpr int64_t kLongestMs = 86'400'000;
constexpr std::string_view kAgain = "again after a failure: ";

bool IsTriedAgain(std::string_view kind) { return kind != "config" && kind != "notification" && kind != kDryRun; }

}  // namespace

void Retry::Ended(const Trigger& trigger, const Result<store::RunRecord>& run, int64_t now_ms) {
  const bool failed = !run.ok() || run->state == "failed";
  // What a dry run finds changes nothing: whoever asked for it has been told.
  if (trigger.kind == kDryRun) return;
  again_.reset();
  wait_ms_ = failed ? std::clamp(2 * wait_ms_, kFirstMs, kLongestMs) : 0;
  until_ms_ = now_ms + wait_ms_;
  if (!failed || !IsTriedAgain(trigger.kind)) return;
  again_ = trigger;
  if (!again_->detail.starts_with(kAgain)) again_->detail.insert(0, kAgain);
}

bool Retry::Waits(int64_t now_ms) const {
  // A clock that was set back must not stretch the wait.
  return now_ms < until_ms_ && until_ms_ - now_ms <= wait_ms_;
}

std::optional<Trigger> Retry::Due(int64_t now_ms) const { return Waits(now_ms) ? std::nullopt : again_; }

Result<Retry> RetryOfTheLastRun(const Context& context) {
  Retry retry;
  SEGUE_TRY(const auto runs, context.catalog.Runs(0, 20));
  for (const store::RunRecord& run : runs) {
    if (run.trigger == kDryRun) continue;
    retry.Ended({run.trigger, run.trigger_detail}, run, context.clock.NowMs());
    break;
  }
  return retry;
}

}  // namespace segue::pipeline
