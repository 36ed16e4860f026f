#include "serve/impressions.h"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace segue::serve {
namespace {

constexpr size_t kMostWaiting = 20'000;
constexpr size_t kBatch = 2'000;
constexpr auto kWriteEvery = std::chrono::milliseconds(200);
constexpr auto kFlushPatience = std::chrono::seconds(2);
/// After a failure: the disk may be full for a while.
constexpr auto kRetry = std::chrono::seconds(1);

}  // namespace

ImpressionLog::ImpressionLog(const Context& context) : context_(context), thread_([this] { Write(); }) {}

ImpressionLog::~ImpressionLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  added_.notify_all();
  thread_.join();
}

bool ImpressionLog::Add(store::Impression impression) {
  std::unique_lock lock(mutex_);
  if (queue_.size() >= kMostWaiting) {
    const bool first = dropped_++ == 0;
    lock.unlock();
    if (first) context_.instruments.Warn("serve", "impressions are dropped: the catalog cannot be written as fast as lists are shown");
    return false;
  }
  queue_.push_back(std::move(impression));
  ++added_count_;
  const bool wake = queue_.size() == 1 || queue_.size() == kBatch;
  lock.unlock();
  if (wake) added_.notify_one();
  return true;
}

void ImpressionLog::Flush() {
  std::unique_lock lock(mutex_);
  const uint64_t wanted = added_count_;
  hurry_ = true;
  added_.notify_all();
  done_.wait_for(lock, kFlushPatience, [&] { return settled_count_ >= wanted; });
}

void ImpressionLog::Write() {
  std::unique_lock lock(mutex_);
  for (;;) {
    added_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    // One transaction of a fifth of a second's lists costs less than one each.
    added_.wait_for(lock, kWriteEvery, [this] { return stop_ || hurry_ || queue_.size() >= kBatch; });
    hurry_ = false;
    if (queue_.empty()) return;
    const size_t count = std::min(queue_.size(), kBatch);
    const std::vector<store::Impression> batch(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
    lock.unlock();
    const bool written = WriteBatch(batch);
    lock.lock();
    if (written) {
      queue_.erase(queue_.begin(), queue_.begin() + static_cast<std::ptrdiff_t>(count));
      settled_count_ += count;
      written_ += count;
      done_.notify_all();
      hurry_ = !queue_.empty();
    } else if (stop_) {
      return;
    } else {
      added_.wait_for(lock, kRetry, [this] { return stop_; });
    }
  }
}

bool ImpressionLog::WriteBatch(const std::vector<store::Impression>& batch) {
  try {
    const segue::Status kept = context_.catalog.AppendImpressions(batch);
    if (!kept.ok()) context_.instruments.Warn("serve", "impressions wait: " + kept.error().message);
    return kept.ok();
  } catch (const std::exception& bug) {
    context_.instruments.Log(LogLevel::kError, "serve", bug.what(), nlohmann::json());
    return false;
  }
}

}  // namespace segue::serve
