#include "math/bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <tbb/parallel_for.h>

#include "core/random.h"

namespace segue::math {
namespace {

/// Linear between the two nearest order statistics.
double Quantile(const std::vector<double>& sorted, double q) {
  const double at = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  const size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

double Mean(std::span<const double> values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

Interval BootstrapMean(std::span<const double> values, int64_t samples, double confidence, uint64_t seed) {
  if (values.empty()) return {};
  std::vector<double> means(static_cast<size_t>(samples));
  tbb::parallel_for(size_t{0}, means.size(), [&](size_t k) {
    Random random(seed, k);
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += values[random.Below(values.size())];
    means[k] = sum / static_cast<double>(values.size());
  });
  std::sort(means.begin(), means.end());
  return {Mean(values), Quantile(means, (1 - confidence) / 2), Quantile(means, (1 + confidence) / 2)};
}

}  // namespace segue::math
