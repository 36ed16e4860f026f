#include "math/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "core/check.h"
#include "core/random.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

/// Sum and count of the values that are there.
struct Tally {
  double sum = 0;
  uint64_t count = 0;

  void Add(double value) {
    if (std::isnan(value)) return;
    sum += value;
    ++count;
  }
  double Mean() const {
    return count > 0 ? sum / static_cast<double>(count) : std::numeric_limits<double>::quiet_NaN();
  }
};

Tally TallyOf(std::span<const double> values) {
  Tally tally;
  for (const double value : values) tally.Add(value);
  return tally;
}

/// Linear between the two nearest order statistics.
double Quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

/// z with P(|N(0, 1)| < z) = confidence, by halving: <cmath> has no inverse of erf.
double TwoSidedNormal(double confidence) {
  double low = 0;
  double high = 40;
  for (int i = 0; i < 200; ++i) {
    const double middle = (low + high) / 2;
    (std::erf(middle / std::sqrt(2.0)) < confidence ? low : high) = middle;
  }
  return (low + high) / 2;
}

Interval NormalInterval(std::span<const double> values, double confidence) {
  const Tally tally = TallyOf(values);
  const double mean = tally.Mean();
  if (tally.count < 2) return {mean, mean, mean};
  double squares = 0;
  for (const double value : values) {
    if (!std::isnan(value)) squares += (value - mean) * (value - mean);
  }
  const auto n = static_cast<double>(tally.count);
  const double half = TwoSidedNormal(confidence) * std::sqrt(squares / (n - 1) / n);
  return {mean, mean - half, mean + half};
}

/// [samples x figures] means of the resamples of rows [n x figures].
std::vector<double> Resample(std::span<const double> rows, size_t figures, size_t samples, uint64_t seed) {
  const uint64_t n = rows.size() / figures;
  std::vector<double> means(samples * figures);
  ParallelFor(samples, [&](size_t k) {
    Random random(seed, k);
    std::vector<Tally> tallies(figures);
    for (uint64_t draw = 0; draw < n; ++draw) {
      const double* row = rows.data() + random.Below(n) * figures;
      for (size_t f = 0; f < figures; ++f) tallies[f].Add(row[f]);
    }
    for (size_t f = 0; f < figures; ++f) means[k * figures + f] = tallies[f].Mean();
  });
  return means;
}

/// Figure f's percentile interval from the means of the resamples.
Interval Percentiles(double mean, std::span<const double> means, size_t f, size_t figures, double confidence) {
  std::vector<double> sorted;
  for (size_t at = f; at < means.size(); at += figures) {
    // A resample may have drawn only listeners who do not count.
    if (!std::isnan(means[at])) sorted.push_back(means[at]);
  }
  if (sorted.empty()) return {mean, mean, mean};
  std::sort(sorted.begin(), sorted.end());
  return {mean, Quantile(sorted, (1 - confidence) / 2), Quantile(sorted, (1 + confidence) / 2)};
}

}  // namespace

std::vector<Interval> BootstrapMeans(std::span<const std::span<const double>> columns, int64_t samples,
                                     double confidence, uint64_t seed) {
  SEGUE_CHECK(samples >= 1 && confidence > 0 && confidence < 1);
  const size_t figures = columns.size();
  std::vector<Interval> result(figures);
  if (figures == 0) return result;
  const size_t n = columns[0].size();
  for (const auto& column : columns) SEGUE_CHECK(column.size() == n);
  if (n == 0 || n > kLargestResampled) {
    for (size_t f = 0; f < figures; ++f) result[f] = NormalInterval(columns[f], confidence);
    return result;
  }
  std::vector<double> rows(n * figures);
  for (size_t f = 0; f < figures; ++f) {
    for (size_t i = 0; i < n; ++i) rows[i * figures + f] = columns[f][i];
  }
  const auto means = Resample(rows, figures, static_cast<size_t>(samples), seed);
  for (size_t f = 0; f < figures; ++f) {
    result[f] = Percentiles(TallyOf(columns[f]).Mean(), means, f, figures, confidence);
  }
  return result;
}

std::vector<Interval> BootstrapClusters(std::span<const std::span<const double>> sums, std::span<const double> counts,
                                        int64_t samples, double confidence, uint64_t seed) {
  SEGUE_CHECK(samples >= 1 && confidence > 0 && confidence < 1);
  const size_t n = counts.size();
  const size_t figures = sums.size();
  constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
  std::vector<Interval> result(figures, {kNaN, kNaN, kNaN});
  if (n == 0 || figures == 0) return result;
  double count = 0;
  for (const double one : counts) {
    SEGUE_CHECK(one > 0);
    count += one;
  }
  for (size_t f = 0; f < figures; ++f) {
    SEGUE_CHECK(sums[f].size() == n);
    result[f].mean = TallyOf(sums[f]).sum / count;
  }
  if (n == 1) return result;
  if (n > kLargestResampled) {
    std::vector<double> off(n);
    for (size_t f = 0; f < figures; ++f) {
      const double ratio = result[f].mean;
      for (size_t i = 0; i < n; ++i) off[i] = (sums[f][i] - ratio * counts[i]) * static_cast<double>(n) / count;
      const Interval spread = NormalInterval(off, confidence);
      result[f] = {ratio, ratio + spread.low, ratio + spread.high};
    }
    return result;
  }
  const auto draws = static_cast<size_t>(samples);
  std::vector<double> ratios(draws * figures);
  ParallelFor(draws, [&](size_t k) {
    Random random(seed, k);
    double* out = ratios.data() + k * figures;
    double drawn = 0;
    for (size_t draw = 0; draw < n; ++draw) {
      const size_t i = random.Below(n);
      drawn += counts[i];
      for (size_t f = 0; f < figures; ++f) out[f] += sums[f][i];
    }
    for (size_t f = 0; f < figures; ++f) out[f] /= drawn;
  });
  for (size_t f = 0; f < figures; ++f) result[f] = Percentiles(result[f].mean, ratios, f, figures, confidence);
  return result;
}

Interval BootstrapMean(std::span<const double> values, int64_t samples, double confidence, uint64_t seed) {
  if (values.empty()) return {};
  return BootstrapMeans(std::span(&values, 1), samples, confidence, seed)[0];
}

}  // namespace segue::math
