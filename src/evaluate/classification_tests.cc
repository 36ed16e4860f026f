#include "evaluate/classification_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/random.h"
#include "evaluate/classification.h"
#include "math/auc.h"
#include "math/parallel.h"
#include "math/special.h"

namespace segue::evaluate {
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
  math::ParallelFor(values.size(), [&](size_t k) {
    Random random(seed, k);
    std::vector<uint32_t> counts(n, 0);
    for (size_t i = 0; i < n; ++i) ++counts[random.Below(n)];
    values[k] = figure(counts);
  });
  std::erase_if(values, [](double v) { return std::isnan(v); });
  std::sort(values.begin(), values.end());
  return values;
}

math::Interval Percentiles(const std::vector<double>& sorted, double own, double confidence) {
  if (sorted.empty()) return {own, kNan, kNan};
  const auto at = [&](double q) { return sorted[static_cast<size_t>(std::lround(q * static_cast<double>(sorted.size() - 1)))]; };
  return {own, at((1 - confidence) / 2), at((1 + confidence) / 2)};
}

std::vector<float> ScoresOf(std::span<const float> p) {
  std::vector<float> score;
  for (size_t i = 1; i < p.size(); i += 2) score.push_back(p[i]);
  return score;
}

std::vector<uint8_t> PositivesOf(std::span<const int32_t> label) {
  std::vector<uint8_t> positive;
  for (const int32_t l : label) positive.push_back(l == 1 ? 1 : 0);
  return positive;
}

double McNemar(uint64_t b, uint64_t c) {
  const uint64_t n = b + c;
  if (n == 0) return 1;
  if (n >= 25) {
    const double off = std::max(0.0, std::abs(static_cast<double>(b) - static_cast<double>(c)) - 1);
    return math::ChiSquaredUpper(off * off / static_cast<double>(n), 1).p;
  }
  double tail = 0, choose = 1;
  for (uint64_t k = 0; k <= std::min(b, c); ++k) {
    tail += choose;
    choose = choose * static_cast<double>(n - k) / static_cast<double>(k + 1);
  }
  return std::min(1.0, 2 * tail / std::pow(2.0, static_cast<double>(n)));
}

}  // namespace

math::Interval BootstrapAuc(std::span<const float> score, std::span<const uint8_t> positive, int64_t samples, double confidence,
                            uint64_t seed) {
  const SortedScores sorted(score, positive);
  const auto values = Resample(score.size(), samples, seed, [&](const std::vector<uint32_t>& counts) { return sorted.Auc(counts); });
  return Percentiles(values, math::Auc(score, positive), confidence);
}

FigureIntervals BootstrapFigures(std::span<const int32_t> label, std::span<const float> p, size_t classes, int64_t samples,
                                 double confidence, uint64_t seed) {
  SEGUE_CHECK(p.size() == label.size() * classes);
  const std::vector<int32_t> predicted = PredictedClasses(p, classes);
  std::vector<double> right, loss, brier;
  for (size_t i = 0; i < label.size(); ++i) {
    const auto row = p.subspan(i * classes, classes);
    right.push_back(predicted[i] == label[i] ? 1 : 0);
    loss.push_back(LogLoss(label.subspan(i, 1), row, classes));
    brier.push_back(BrierScore(label.subspan(i, 1), row, classes));
  }
  FigureIntervals figures{math::BootstrapMean(right, samples, confidence, seed), math::BootstrapMean(loss, samples, confidence, seed),
                          math::BootstrapMean(brier, samples, confidence, seed), {kNan, kNan, kNan}};
  if (classes == 2) figures.auc = BootstrapAuc(ScoresOf(p), PositivesOf(label), samples, confidence, seed);
  return figures;
}

PairedComparison ComparePaired(std::span<const int32_t> label, std::span<const float> first, std::span<const float> second,
                               size_t classes, int64_t samples, double confidence, uint64_t seed) {
  SEGUE_CHECK(first.size() == second.size() && first.size() == label.size() * classes);
  PairedComparison result;
  const auto a = PredictedClasses(first, classes), b = PredictedClasses(second, classes);
  std::vector<double> more;
  for (size_t i = 0; i < label.size(); ++i) {
    const bool first_right = a[i] == label[i], second_right = b[i] == label[i];
    result.only_first += first_right && !second_right ? 1 : 0;
    result.only_second += second_right && !first_right ? 1 : 0;
    more.push_back((first_right ? 1.0 : 0.0) - (second_right ? 1.0 : 0.0));
  }
  result.mcnemar_p = McNemar(result.only_first, result.only_second);
  result.accuracy = math::BootstrapMean(more, samples, confidence, seed);
  result.auc = {kNan, kNan, kNan};
  if (classes != 2) return result;
  const std::vector<float> score_a = ScoresOf(first), score_b = ScoresOf(second);
  const std::vector<uint8_t> positive = PositivesOf(label);
  const SortedScores sorted_a(score_a, positive), sorted_b(score_b, positive);
  const auto values = Resample(label.size(), samples, seed,
                               [&](const std::vector<uint32_t>& counts) { return sorted_a.Auc(counts) - sorted_b.Auc(counts); });
  result.auc = Percentiles(values, math::Auc(score_a, positive) - math::Auc(score_b, positive), confidence);
  return result;
}

std::vector<FeatureImportance> PermutationImportance(const models::Classifier& model, std::span<const float> rows,
                                                     std::span<const int32_t> label, size_t repeats, uint64_t seed) {
  const size_t f = model.features().size(), classes = model.labels().size(), n = label.size();
  std::vector<float> p(n * classes), shuffled(rows.begin(), rows.end());
  const auto figure = [&] {
    model.Predict(shuffled, p);
    return classes == 2 ? RocAuc(label, p, classes) : TopAccuracy(label, p, classes, 1);
  };
  const double whole = figure();
  std::vector<FeatureImportance> all;
  for (size_t feature = 0; feature < f; ++feature) {
    std::vector<double> drops;
    for (size_t repeat = 0; repeat < repeats; ++repeat) {
      Random random(seed, feature * repeats + repeat);
      for (size_t i = n; i > 1; --i) std::swap(shuffled[(i - 1) * f + feature], shuffled[random.Below(i) * f + feature]);
      drops.push_back(whole - figure());
    }
    for (size_t i = 0; i < n; ++i) shuffled[i * f + feature] = rows[i * f + feature];
    const double mean = std::accumulate(drops.begin(), drops.end(), 0.0) / static_cast<double>(repeats);
    double squares = 0;
    for (const double drop : drops) squares += (drop - mean) * (drop - mean);
    all.push_back({model.features()[feature], mean, repeats > 1 ? std::sqrt(squares / static_cast<double>(repeats - 1)) : 0});
  }
  std::stable_sort(all.begin(), all.end(), [](const FeatureImportance& a, const FeatureImportance& b) { return a.drop > b.drop; });
  return all;
}

}  // namespace segue::evaluate
