#include "train/ensemble_selection.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/random.h"
#include "math/parallel.h"
#include "models/hybrid.h"

namespace segue::train {
namespace {

constexpr size_t kBags = 8;
constexpr size_t kSteps = 20;
constexpr size_t kMostLists = 2000;  ///< of a bag

/// Some of the lists, column by column.
struct Bag {
  RankingData lists;                        ///< without features
  std::vector<std::vector<float>> columns;  ///< [columns][rows]
};

Bag Draw(const RankingData& data, Random random) {
  std::vector<uint32_t> order(data.lists());
  for (uint32_t list = 0; list < order.size(); ++list) order[list] = list;
  const size_t count = std::min(kMostLists, (order.size() + 1) / 2);
  for (size_t i = 0; i < count; ++i) std::swap(order[i], order[i + random.Below(order.size() - i)]);
  order.resize(count);
  std::sort(order.begin(), order.end());
  Bag bag;
  bag.columns.resize(data.width);
  for (const uint32_t list : order) {
    for (uint64_t r = data.begin[list]; r < data.begin[list + 1]; ++r) {
      bag.lists.relevant.push_back(data.relevant[r]);
      for (size_t c = 0; c < data.width; ++c) bag.columns[c].push_back(data.features[r * data.width + c]);
    }
    bag.lists.begin.push_back(bag.lists.relevant.size());
    bag.lists.missing.push_back(data.missing[list]);
  }
  return bag;
}

/// A mean that grows: of what is known in each row.
struct Mean {
  std::vector<float> sum;    ///< [rows]
  std::vector<float> count;  ///< [rows]

  explicit Mean(size_t rows) : sum(rows, 0.0f), count(rows, 0.0f) {}

  /// With `column` added once more. out [rows]
  void With(std::span<const float> column, std::vector<float>& out) const {
    for (size_t r = 0; r < out.size(); ++r) {
      const bool known = !std::isnan(column[r]);
      const float values = known ? sum[r] + column[r] : sum[r];
      const float number = known ? count[r] + 1 : count[r];
      out[r] = number > 0 ? values / number : models::kUnknown;
    }
  }
  void Add(std::span<const float> column) {
    for (size_t r = 0; r < sum.size(); ++r) {
      if (std::isnan(column[r])) continue;
      sum[r] += column[r];
      count[r] += 1;
    }
  }
};

/// [columns] sum 1
std::vector<double> Select(const Bag& bag) {
  const size_t rows = bag.lists.rows();
  Mean mean(rows);
  std::vector<float> scores(rows);
  std::vector<double> added(bag.columns.size(), 0), best = added;
  double best_quality = -1;
  for (size_t step = 0; step < kSteps; ++step) {
    double quality = -1;
    size_t chosen = 0;
    for (size_t c = 0; c < bag.columns.size(); ++c) {
      mean.With(bag.columns[c], scores);
      const double with = ListQuality(bag.lists, scores);
      if (with <= quality) continue;
      quality = with;
      chosen = c;
    }
    mean.Add(bag.columns[chosen]);
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

std::vector<float> SelectEnsemble(const RankingData& data, uint64_t seed) {
  std::vector<float> weights(data.width, 0.0f);
  if (data.lists() == 0) {
    if (!weights.empty()) weights[0] = 1;
    return weights;
  }
  std::vector<std::vector<double>> selected(kBags);
  math::ParallelFor(kBags, [&](size_t b) { selected[b] = Select(Draw(data, Random(seed, b))); });
  for (size_t c = 0; c < weights.size(); ++c) {
    double sum = 0;
    for (const auto& of_bag : selected) sum += of_bag[c];
    weights[c] = static_cast<float>(sum / kBags);
  }
  return weights;
}

std::vector<float> MeanScores(std::span<const float> weights, const RankingData& data) {
  std::vector<float> scores(data.rows());
  math::ParallelFor(data.rows(), [&](size_t r) { scores[r] = models::MeanOfKnown(weights, data.features.data() + r * data.width); });
  return scores;
}

std::vector<float> BestColumn(const RankingData& data) {
  std::vector<float> best(data.width, 0.0f);
  double best_quality = -1;
  for (size_t c = 0; c < data.width; ++c) {
    std::vector<float> alone(data.width, 0.0f);
    alone[c] = 1;
    const double quality = ListQuality(data, MeanScores(alone, data));
    if (quality <= best_quality) continue;
    best_quality = quality;
    best = std::move(alone);
  }
  return best;
}

std::vector<double> GainsOfOne(const RankingData& chosen_on, const RankingData& judged_on, uint64_t seed) {
  if (chosen_on.lists() == 0 || judged_on.lists() == 0) return {};
  std::vector<double> gains = ListQualities(judged_on, MeanScores(BestColumn(chosen_on), judged_on));
  const auto mean = ListQualities(judged_on, MeanScores(SelectEnsemble(chosen_on, seed), judged_on));
  for (size_t list = 0; list < gains.size(); ++list) gains[list] -= mean[list];
  return gains;
}

}  // namespace segue::train
