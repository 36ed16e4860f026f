#pragma once

#include <cstdint>
#include <span>

namespace segue::math {

struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// Percentile bootstrap of the mean: `samples` resamples with replacement;
/// low and high are the (1 ∓ confidence)/2 quantiles of their means. For a
/// paired comparison give the differences. Empty values: all zero.
/// Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
/// Resample k draws from its own stream (seed, k): same result for any number
/// of threads. O(samples · n).
Interval BootstrapMean(std::span<const double> values, int64_t samples, double confidence, uint64_t seed);

}  // namespace segue::math
