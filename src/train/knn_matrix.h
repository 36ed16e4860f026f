#pragma once

#include <vector>

#include "core/dataset.h"
#include "core/settings.h"
#include "models/item_knn.h"
#include "train/sparse.h"

namespace segue::train {

/// The weighted matrix that memory-based models compare.
struct KnnMatrix {
  Csr listeners;                  ///< [listeners x tracks] weights > 0
  models::KnnScale scale;
  std::vector<float> idf;         ///< [tracks]
  std::vector<float> popularity;  ///< [tracks] PopularityScore
};
KnnMatrix MakeKnnMatrix(const Dataset& data, const Settings& settings, models::KnnWeighting weighting);

enum class KnnSimilarity { kCosine, kPearson, kEuclidean, kJaccard };
KnnSimilarity ParseKnnSimilarity(std::string_view name);

/// How alike two sparse rows a, b are, from what their common columns add up to:
///   dot = Σ a_k·b_k over common columns, n common columns
struct RowFacts {
  float size = 0;     ///< columns
  float sum = 0;
  float squares = 0;
};

/// Likeness of b to a, above 0 for likely neighbours:
///   cosine     dot / (|a|^(2·(1−p)) · |b|^(2·p)),  p = `popular` (0.5: cosine);
///              above 0.5 popular b count less. Asymmetric cosine: Aiolli,
///              RecSys 2013, eq. 5
///   pearson    correlation over all `columns`, what is missing being 0
///   euclidean  1 / (1 + sqrt(|a|² + |b|² − 2·dot))
///   jaccard    common / (size a + size b − common)
/// each times common / (common + shrinkage) (Bell, Koren, 2007). 0 where
/// nothing is common.
float Likeness(KnnSimilarity similarity, const RowFacts& a, const RowFacts& b, float dot, float common, size_t columns,
               float popular, float shrinkage);

std::vector<RowFacts> FactsOf(const Csr& rows);

}  // namespace segue::train
