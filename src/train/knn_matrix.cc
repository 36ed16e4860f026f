#include "train/knn_matrix.h"

#include <algorithm>
#include <cmath>

#include "train/popularity.h"

namespace segue::train {

KnnMatrix MakeKnnMatrix(const Dataset& data, const Settings& settings, models::KnnWeighting weighting) {
  KnnMatrix matrix;
  const size_t tracks = data.tracks.size();
  matrix.scale = {weighting, models::LikedRule(settings.liked, data), 1};
  const StrengthRule rule{settings.skip_weight, settings.like_weight};
  PopularityCounts counts(tracks);
  double length = 0;
  size_t active = 0;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto items = models::ByLiking(SumByTrack(data.EventsOf(UserIx{u}), rule), matrix.scale.liked);
    counts.Add(items);
    bool any = false;
    for (const Preference& item : items) {
      if (item.strength <= 0) continue;
      length += std::log1p(item.strength);
      any = true;
    }
    active += any ? 1 : 0;
  }
  matrix.scale.mean_length = active == 0 ? 1 : std::max(1e-6f, static_cast<float>(length / static_cast<double>(active)));
  matrix.popularity = counts.Scores();
  matrix.idf.resize(tracks);
  for (size_t i = 0; i < tracks; ++i) {
    matrix.idf[i] = std::log1p((static_cast<float>(active) - counts.listeners[i] + 0.5f) / (counts.listeners[i] + 0.5f));
  }
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    for (const auto& [track, weight] : matrix.scale.Weigh(SumByTrack(data.EventsOf(UserIx{u}), rule), matrix.idf)) {
      matrix.listeners.column.push_back(Raw(track));
      matrix.listeners.value.push_back(std::min(weight, 1e15f));  // squares of them are finite
    }
    matrix.listeners.EndRow();
  }
  return matrix;
}

KnnSimilarity ParseKnnSimilarity(std::string_view name) {
  if (name == "pearson") return KnnSimilarity::kPearson;
  if (name == "euclidean") return KnnSimilarity::kEuclidean;
  if (name == "jaccard") return KnnSimilarity::kJaccard;
  return KnnSimilarity::kCosine;
}

std::vector<RowFacts> FactsOf(const Csr& rows) {
  std::vector<RowFacts> facts(rows.rows());
  for (size_t r = 0; r < rows.rows(); ++r) {
    for (const float value : rows.Values(r)) {
      facts[r].size += 1;
      facts[r].sum += value;
      facts[r].squares += value * value;
    }
  }
  return facts;
}

float Likeness(KnnSimilarity similarity, const RowFacts& a, const RowFacts& b, float dot, float common, size_t columns,
               float popular, float shrinkage) {
  if (common <= 0) return 0;
  float likeness = 0;
  switch (similarity) {
    case KnnSimilarity::kCosine:
      likeness = popular == 0.5f ? dot / std::sqrt(a.squares * b.squares)
                                 : dot / (std::pow(a.squares, 1 - popular) * std::pow(b.squares, popular));
      break;
    case KnnSimilarity::kPearson: {
      const auto n = static_cast<float>(columns);
      const float spread = (a.squares - a.sum * a.sum / n) * (b.squares - b.sum * b.sum / n);
      likeness = spread > 0 ? (dot - a.sum * b.sum / n) / std::sqrt(spread) : 0;
      break;
    }
    case KnnSimilarity::kEuclidean: likeness = 1 / (1 + std::sqrt(std::max(0.0f, a.squares + b.squares - 2 * dot))); break;
    case KnnSimilarity::kJaccard: likeness = common / (a.size + b.size - common); break;
  }
  likeness *= common / (common + shrinkage);
  return std::isfinite(likeness) ? likeness : 0;
}

}  // namespace segue::train
