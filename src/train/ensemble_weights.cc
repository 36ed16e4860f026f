#include "train/ensemble_weights.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/random.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

constexpr size_t kBags = 8;
constexpr size_t kSteps = 40;

/// [members] sum 1.  own [members][rows]: the probability of each row's label
std::vector<double> Select(const std::vector<std::vector<float>>& own, std::span<const uint32_t> rows) {
  std::vector<double> sum(rows.size(), 0.0), added(own.size(), 0.0), best = added;
  double best_loss = std::numeric_limits<double>::infinity();
  for (size_t step = 1; step <= kSteps; ++step) {
    double least = std::numeric_limits<double>::infinity();
    size_t chosen = 0;
    for (size_t m = 0; m < own.size(); ++m) {
      double loss = 0;
      for (size_t i = 0; i < rows.size(); ++i) {
        loss -= std::log(std::max((sum[i] + static_cast<double>(own[m][rows[i]])) / static_cast<double>(step), 1e-15));
      }
      if (!(loss < least)) continue;
      least = loss;
      chosen = m;
    }
    for (size_t i = 0; i < rows.size(); ++i) sum[i] += static_cast<double>(own[chosen][rows[i]]);
    added[chosen] += 1;
    if (!(least < best_loss)) continue;
    best_loss = least;
    best = added;
  }
  const double total = std::accumulate(best.begin(), best.end(), 0.0);
  for (double& weight : best) weight = total > 0 ? weight / total : 1 / static_cast<double>(best.size());
  return best;
}

}  // namespace

std::vector<float> SelectWeights(std::span<const std::vector<float>> predictions, std::span<const int32_t> label, size_t labels,
                                 uint64_t seed) {
  // Only the probability of what a row is counts in the loss.
  std::vector<std::vector<float>> own(predictions.size(), std::vector<float>(label.size()));
  for (size_t m = 0; m < predictions.size(); ++m) {
    for (size_t i = 0; i < label.size(); ++i) own[m][i] = predictions[m][i * labels + static_cast<size_t>(label[i])];
  }
  std::vector<std::vector<double>> chosen(kBags);
  math::ParallelFor(kBags, [&](size_t bag) {
    Random random(seed, bag);
    std::vector<uint32_t> rows(label.size());
    std::iota(rows.begin(), rows.end(), 0u);
    const size_t half = (rows.size() + 1) / 2;
    for (size_t i = 0; i < half; ++i) std::swap(rows[i], rows[i + random.Below(rows.size() - i)]);
    rows.resize(half);
    chosen[bag] = Select(own, rows);
  });
  std::vector<float> weights(predictions.size(), 0.0f);
  for (const auto& bag : chosen) {
    for (size_t m = 0; m < weights.size(); ++m) weights[m] += static_cast<float>(bag[m]) / kBags;
  }
  return weights;
}

}  // namespace segue::train
