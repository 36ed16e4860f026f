#pragma once

#include <atomic>
#include <cstdint>
#include <string>

namespace segue::store {

/// The time, as an argument. Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  /// Unix milliseconds, UTC.
  virtual int64_t NowMs() const = 0;
  int64_t NowSeconds() const { return NowMs() / 1000; }
};

class SystemClock final : public Clock {
 public:
  int64_t NowMs() const override;
};

/// Stands still until told otherwise.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(int64_t now_ms) : now_ms_(now_ms) {}
  int64_t NowMs() const override { return now_ms_; }
  void Advance(int64_t ms) { now_ms_ += ms; }
  void Set(int64_t now_ms) { now_ms_ = now_ms; }

 private:
  std::atomic<int64_t> now_ms_;
};

/// "2026-03-01T12:00:00Z" of Unix seconds.
std::string Iso8601(int64_t unix_seconds);

}  // namespace segue::store
