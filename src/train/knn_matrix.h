#pragma once

#include <string_view>
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

/// On settings.threads threads, in fixed blocks: same bytes for any number of them.
KnnMatrix MakeKnnMatrix(const Dataset& data, const Settings& settings, models::KnnWeighting weighting);

/// What makes two rows alike; `popular`, `shrinkage` and `added` as below.
struct LikenessRule {
  models::KnnSimilarity similarity = models::KnnSimilarity::kCosine;
  double popular = 0.5;
  double shrinkage = 0;
  double added = 0;
};

/// How alike two sparse rows a, b are, from dot = Σ a_k·b_k and the number of
/// their common columns; above 0 for likely neighbours:
///   cosine     dot / (|a|^(2·(1−p)) · |b|^(2·p)),  p = `popular` (0.5: cosine);
///              above 0.5 popular b count less. Asymmetric cosine: Aiolli,
///              RecSys 2013, eq. 5. |x|² here and only here: plus `added`
///   pearson    correlation over all columns, what is missing being 0; a row
///              that is the same everywhere correlates with none
///   euclidean  1 / (1 + sqrt(|a|² + |b|² − 2·dot))
///   jaccard    common / (size a + size b − common)
/// each times common / (common + shrinkage) (Bell, Koren, 2007). 0 where
/// nothing is common. What depends on one row alone is worked out once.
class Likeness {
 public:
  Likeness(const LikenessRule& rule, const Csr& rows, size_t columns);

  /// Must `common` be told? Else only that it is not 0.
  bool CountsCommon() const { return similarity_ == models::KnnSimilarity::kJaccard || shrinkage_ > 0; }
  /// Of rows b, b + 1, ... to row a, n of them, in place of their dots > 0.
  ///   dots    [n] in: dots, 0 where nothing is common; out: likeness, 0 for none
  ///   common  [n] where CountsCommon
  void Replace(size_t a, size_t b, size_t n, float* dots, const float* common) const;

 private:
  const models::KnnSimilarity similarity_;
  const float shrinkage_;
  const double columns_;
  std::vector<float> as_row_;        // [rows] what each similarity needs of a
  std::vector<float> as_neighbour_;  // [rows] and of b
  std::vector<float> sum_;           // [rows] pearson
};

}  // namespace segue::train
