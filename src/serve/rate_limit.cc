#include "serve/rate_limit.h"

#include <algorithm>
#include <cmath>

namespace segue::serve {
namespace {

constexpr size_t kMostBuckets = 100'000;
constexpr double kMinuteMs = 60'000;

}  // namespace

Allowance RateLimiter::Take(const std::string& caller, int64_t per_minute, int64_t now_ms) {
  if (per_minute == 0) return {};
  const auto full = static_cast<double>(per_minute);
  const std::lock_guard lock(mutex_);
  if (buckets_.size() >= kMostBuckets) Forget(per_minute, now_ms);
  Bucket& bucket = buckets_.try_emplace(caller, Bucket{full, now_ms}).first->second;
  const auto passed = static_cast<double>(std::max<int64_t>(now_ms - bucket.at_ms, 0));
  bucket.tokens = std::min(full, bucket.tokens + passed * full / kMinuteMs);
  bucket.at_ms = now_ms;
  Allowance allowance{.granted = bucket.tokens >= 1, .limit = per_minute};
  if (allowance.granted) bucket.tokens -= 1;
  allowance.remaining = static_cast<int64_t>(bucket.tokens);
  const double lacking = (allowance.granted ? full : 1) - bucket.tokens;
  allowance.reset_in_s = static_cast<int64_t>(std::ceil(lacking * kMinuteMs / full / 1000));
  return allowance;
}

void RateLimiter::Forget(int64_t per_minute, int64_t now_ms) {
  const auto full = static_cast<double>(per_minute);
  std::erase_if(buckets_, [&](const auto& entry) {
    const Bucket& bucket = entry.second;
    return bucket.tokens + static_cast<double>(now_ms - bucket.at_ms) * full / kMinuteMs >= full;
  });
}

void TellAllowance(Response& response, const Allowance& allowance, int64_t now_s) {
  if (allowance.limit == 0) return;
  response.headers.emplace_back("X-RateLimit-Limit", std::to_string(allowance.limit));
  response.headers.emplace_back("X-RateLimit-Remaining", std::to_string(allowance.remaining));
  response.headers.emplace_back("X-RateLimit-Reset-In", std::to_string(allowance.reset_in_s));
  response.headers.emplace_back("X-RateLimit-Reset", std::to_string(now_s + allowance.reset_in_s));
  if (!allowance.granted) response.headers.emplace_back("Retry-After", std::to_string(allowance.reset_in_s));
}

}  // namespace segue::serve
