#include "math/auc_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

#include "core/check.h"
#include "core/random.h"
#include "math/auc.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Rows by ascending score, with where the ties end: AUCs of resamples without sorting again.
class SortedScores {
 public:
  SortedScores(std::span<const float> score, std::span<const uint8_t> positive) : positive_(positive), order_(score.size()) {
    std::iota(order_.begin(), order_.end(), 0u);
    std::sort(order_.begin(), order_.end(), [&](uint32_t a, uint32_t b) { return score[a] < score[b]; });
    for (size_t i = 0; i < order_.size(); ++i) last_.push_back(i + 1 == order_.size() || score[order_[i + 1]] != score[order_[i]] ? 1 : 0);
  }
  /// counts [n]: how often each row was drawn
  double Auc(std::span<const uint32_t> counts) const {
    double pairs = 0, negatives = 0, positives = 0, tied_negatives = 0, tied_positives = 0;
    for (size_t i = 0; i < order_.size(); ++i) {
      (positive_[order_[i]] != 0 ? tied_positives : tied_negatives) += counts[order_[i]];
      if (last_[i] == 0) continue;
      pairs += tied_positives * (negatives + tied_negatives / 2);
      negatives += tied_negatives;
      positives += tied_positives;
      tied_negatives = tied_positives = 0;
    }
    return negatives > 0 && positives > 0 ? pairs / (negatives * positives) : kNan;
  }

 private:
  std::span<const uint8_t> positive_;
  std::vector<uint32_t> order_;
  std::vector<uint8_t> last_;
};

/// figure(counts) of each resample, NaNs left out, ascending.
template <typename Figure>
std::vector<double> Resample(size_t n, int64_t samples, uint64_t seed, const Figure& figure) {
  std::vector<double> values(static_cast<size_t>(samples));
  ParallelFor(values.size(), [&](size_t k) {
    Random random(seed, k);
    std::vector<uint32_t> counts(n, 0);
    for (size_t i = 0; i < n; ++i) ++counts[random.Below(n)];
    values[k] = figure(counts);
  });
  std::erase_if(values, [](double v) { return std::isnan(v); });
  std::sort(values.begin(), values.end());
  return values;
}

Interval Percentiles(const std::vector<double>& sorted, double own, double confidence) {
  if (sorted.empty()) return {own, kNan, kNan};
  const auto at = [&](double q) { return sorted[static_cast<size_t>(std::lround(q * static_cast<double>(sorted.size() - 1)))]; };
  return {own, at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

}  // namespace

Interval BootstrapAuc(std::span<const float> score, std::span<const uint8_t> positive, int64_t samples, double confidence,
                      uint64_t seed) {
  SEGUE_CHECK(score.size() == positive.size());
  const SortedScores sorted(score, positive);
  const auto values = Resample(score.size(), samples, seed, [&](const std::vector<uint32_t>& counts) { return sorted.Auc(counts); });
  return Percentiles(values, Auc(score, positive), confidence);
}

Interval BootstrapAucDifference(std::span<const float> first, std::span<const float> second, std::span<const uint8_t> positive,
                                int64_t samples, double confidence, uint64_t seed) {
  SEGUE_CHECK(first.size() == positive.size() && second.size() == positive.size());
  const SortedScores a(first, positive), b(second, positive);
  const auto values = Resample(first.size(), samples, seed, [&](const std::vector<uint32_t>& counts) { return a.Auc(counts) - b.Auc(counts); });
  return Percentiles(values, Auc(first, positive) - Auc(second, positive), confidence);
}

}  // namespace segue::math
