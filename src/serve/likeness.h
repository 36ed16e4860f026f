#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "serve/ground.h"
#include "serve/snapshot.h"

namespace segue::serve {

/// How alike two rows of the catalogue are by what is known of them, [0, 1]: the
/// mean of those of these that are known of both,
///
///   artist   1 where it is the same, else 0
///   tags     |A ∩ B| / |A ∪ B| (Jaccard)
///   audio    (1 + cos(z_a, z_b)) / 2 over the features known of both, each as
///            z = (value − mean) / deviation over the catalogue
///
/// 0 where nothing is known of both.
float ContentLikeness(const Ground& ground, uint32_t a, uint32_t b);

/// The model's likeness (models::Model::Likeness) where it tells one, no less than
/// 0, else ContentLikeness. Both rows are in the model.
float LikenessOf(const Snapshot& snapshot, uint32_t a, uint32_t b);

/// The n rows that are most alike to `row`, best first, ties by row: by the model's
/// Similar, and where it lists none, by content. Only rows of the model; the second
/// scans the catalogue.
std::vector<std::pair<uint32_t, float>> Nearest(const Snapshot& snapshot, uint32_t row, size_t n);

/// The hundred nearest of rows that were asked for lately, for walks that are asked
/// for page by page. Of the newest model that it was asked with, 4,096 rows at most
/// (4 MB). Thread-safe.
class Neighbourhood {
 public:
  static constexpr size_t kNear = 100;
  using Near = std::shared_ptr<const std::vector<std::pair<uint32_t, float>>>;

  Near Of(const Snapshot& snapshot, uint32_t row);

 private:
  std::mutex mutex_;
  std::string made_of_;  // model and dataset
  std::unordered_map<uint32_t, Near> kept_;
};

}  // namespace segue::serve
