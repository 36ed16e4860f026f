#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segue::math {

struct Interval {
  double mean = 0;
  double low = 0;
  double high = 0;
};

/// Above so many values the interval is not resampled.
inline constexpr uint64_t kLargestResampled = 50'000;

/// Percentile bootstrap of the mean: `samples` resamples with replacement;
/// low and high are the (1 ∓ confidence)/2 quantiles of their means. For a
/// paired comparison give the differences. Empty values: all zero.
/// Efron, Tibshirani, "An Introduction to the Bootstrap", 1993, ch. 13.
/// Departure: above kLargestResampled values it is mean ∓ z·s/√n (s: standard
/// deviation of the sample), which the percentiles come to as n grows, without
/// hours of drawing.
/// Resample k draws from its own stream (seed, k): same result for any number
/// of threads. O(samples · n).
Interval BootstrapMean(std::span<const double> values, int64_t samples, double confidence, uint64_t seed);

/// The same for several figures of the same listeners, every resample shared
/// by all. NaN stands for "this listener does not count here" and is left out
/// of means and resamples; a figure with no value at all is all NaN.
///   columns  [figures], each [n] (CHECK)
/// One copy of the columns beside them.
std::vector<Interval> BootstrapMeans(std::span<const std::span<const double>> columns, int64_t samples,
                                     double confidence, uint64_t seed);

/// Bootstrap of ratios Σ sum / Σ count over clusters that are drawn whole: means
/// over values that come in groups (a listener's windows, a day's requests)
/// and resemble each other within a group, so that drawing single values would
/// give too narrow an interval. Each cluster counts as often as it has values.
/// Davison, Hinkley, "Bootstrap Methods and their Application", 1997, ch. 3.8.
///   sums    [figures], each [clusters]
///   counts  [clusters] > 0 values of each (CHECK)
/// Percentiles and seeds as above, every resample shared by all figures; above
/// kLargestResampled clusters the normal interval of the linearised ratio. One
/// cluster says nothing of the spread: its ends are NaN. No cluster: all NaN.
std::vector<Interval> BootstrapClusters(std::span<const std::span<const double>> sums, std::span<const double> counts,
                                        int64_t samples, double confidence, uint64_t seed);

}  // namespace segue::math
