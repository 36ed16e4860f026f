#include "evaluate/classification_tests.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/check.h"
#include "core/random.h"
#include "evaluate/classification.h"
#include "math/auc_bootstrap.h"
#include "math/special.h"

namespace segue::evaluate {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

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
  if (classes == 2) figures.auc = math::BootstrapAuc(ScoresOf(p), PositivesOf(label), samples, confidence, seed);
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
  result.auc = math::BootstrapAucDifference(score_a, score_b, positive, samples, confidence, seed);
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
