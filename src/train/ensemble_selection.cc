#include "train/ensemble_selection.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

constexpr size_t kBags = 8;
constexpr size_t kSteps = 20;
constexpr size_t kMostLists = 2000;  ///< of a bag

/// Some of the lists, column by column.
struct Bag {
  RankingData lists;                         ///< without features
  std::vector<std::vector<float>> columns;   ///< [columns][rows]
};

Bag Draw(const RankingData& data, std::span<const size_t> columns, float unknown, Random random) {
  std::vector<uint32_t> order(data.lists());
  for (uint32_t list = 0; list < order.size(); ++list) order[list] = list;
  const size_t count = std::min(kMostLists, (order.size() + 1) / 2);
  for (size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.Below(order.size() - i)]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  Bag bag;
  bag.columns.resize(columns.size());
  for (const uint32_t list : order) {
    for (uint64_t r = data.begin[list]; r < data.begin[list + 1]; ++r) {
      bag.lists.relevant.push_back(data.relevant[r]);
      for (size_t c = 0; c < columns.size(); ++c) {
        const float value = data.features[r * data.width + columns[c]];
        bag.columns[c].push_back(std::isnan(value) ? unknown : value);
      }
    }
    bag.lists.begin.push_back(bag.lists.relevant.size());
    bag.lists.missing.push_back(data.missing[list]);
  }
  return bag;
}

std::vector<float> Added(std::span<const float> sum, std::span<const float> column) {
  std::vector<float> result(sum.size());
  for (size_t r = 0; r < sum.size(); ++r) result[r] = sum[r] + column[r];
  return result;
}

/// [columns] sum 1
std::vector<double> Select(const Bag& bag) {
  std::vector<float> sum(bag.lists.rows(), 0.0f);
  std::vector<double> added(bag.columns.size(), 0), best = added;
  double best_quality = -1;
  for (size_t step = 0; step < kSteps; ++step) {
    double quality = -1;
    size_t chosen = 0;
    for (size_t c = 0; c < bag.columns.size(); ++c) {
      const double with = ListQuality(bag.lists, Added(sum, bag.columns[c]));
      if (with <= quality) continue;
      quality = with;
      chosen = c;
    }
    sum = Added(sum, bag.columns[chosen]);
    added[chosen] += 1;
    if (quality <= best_quality) continue;
    best_quality = quality;
    best = added;
  }
  double total = 0;
  for (const double count : best) total += count;
  for (double& count : best) count /= total;
  return best;
}

}  // namespace

std::vector<float> SelectEnsemble(const RankingData& data, std::span<const size_t> columns, float unknown, uint64_t seed) {
  std::vector<float> weights(columns.size(), 0.0f);
  if (data.lists() == 0) {
    if (!weights.empty()) weights[0] = 1;
    return weights;
  }
  std::vector<std::vector<double>> selected(kBags);
  math::ParallelFor(kBags, [&](size_t b) { selected[b] = Select(Draw(data, columns, unknown, Random(seed, b))); });
  for (size_t c = 0; c < columns.size(); ++c) {
    double sum = 0;
    for (const auto& bag : selected) sum += bag[c];
    weights[c] = static_cast<float>(sum / kBags);
  }
  return weights;
}

}  // namespace segue::train
