#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <optional>

namespace segue::monitor {

/// How long the requests of the last minutes took. Thread-safe, without a lock:
/// counts in steps of a quarter, so that a quantile is right within 25 %.
class RequestWindow {
 public:
  void Note(uint64_t microseconds);
  /// 99 of 100 took at most so long, seconds; empty below 100 requests. Of the
  /// present window and the one before, five minutes each.
  std::optional<double> P99(int64_t now_ms);

 private:
  static constexpr size_t kSteps = 72;  ///< 1.25^72 · 10 µs is above a minute
  using Steps = std::array<std::atomic<uint64_t>, kSteps>;
  std::array<Steps, 2> windows_{};
  std::atomic<int> present_{0};
  int64_t began_ms_ = 0;
};

}  // namespace segue::monitor
