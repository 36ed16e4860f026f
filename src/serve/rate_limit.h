#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_map>

#include "serve/http.h"

namespace segue::serve {

/// A token bucket for each caller: it holds a minute's requests and fills
/// evenly, so that a burst is let through and a flood is not. Thread-safe.
/// Memory is bounded: callers whose bucket is full are forgotten.
class RateLimiter {
 public:
  /// `now_ms` may stand still, but not go back.
  Allowance Take(const std::string& caller, int64_t per_minute, int64_t now_ms);

 private:
  struct Bucket {
    double tokens = 0;
    int64_t at_ms = 0;
  };
  void Forget(int64_t per_minute, int64_t now_ms);

  std::mutex mutex_;
  std::unordered_map<std::string, Bucket> buckets_;
};

/// Adds X-RateLimit-Limit, -Remaining, -Reset-In and -Reset, as ListenBrainz
/// has them, and Retry-After where nothing was granted. Nothing without a limit.
void TellAllowance(Response& response, const Allowance& allowance, int64_t now_s);

}  // namespace segue::serve
