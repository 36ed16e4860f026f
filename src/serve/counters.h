#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <string_view>
#include <utility>

#include "core/prometheus.h"

namespace segue::serve {

/// Counts for /metrics. Thread-safe.
class Counters {
 public:
  std::atomic<uint64_t> lists{0};
  std::atomic<uint64_t> events{0};

  /// `route` as in Request: text that lives as long as the program.
  void Note(std::string_view route, int status, uint64_t microseconds);
  /// segue_requests_total by route and status, segue_request_seconds by route, lists and events.
  void Expose(PrometheusText& out) const;

 private:
  /// Upper ends of the latency histogram, microseconds; the last bucket is +Inf.
  static constexpr std::array<uint64_t, 11> kBounds = {100, 250, 500, 1000, 2500, 5000, 10'000, 50'000, 100'000, 250'000, 1'000'000};
  struct Latency {
    std::array<uint64_t, kBounds.size() + 1> counts{};
    uint64_t sum_us = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string_view, int>, uint64_t> requests_;  // by route and status
  std::map<std::string_view, Latency> latency_;                    // by route
};

}  // namespace segue::serve
