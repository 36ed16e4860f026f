#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/classifier.h"

namespace segue::models {

/// How much worse a classifier gets when a feature's values change places among
/// songs: what it leans on, of whatever kind it is. Features that say the same
/// stand in for one another, so that each may seem to matter little.
struct FeatureLoss {
  double mean = 0;       ///< by how much the mean log loss rises, over the repeats
  double deviation = 0;  ///< of the repeats
};

/// Breiman, "Random Forests", 2001, section 10, with the log loss in the place
/// of the error. Give songs that it was not trained on.
///   x      [n x features] NaN missing
///   label  [n] of model.labels()
/// A repeat of a feature draws from its own stream. repeats > 0 (CHECK).
/// [features]. O(features · repeats) predictions of all rows.
std::vector<FeatureLoss> PermutationImportance(const Classifier& model, std::span<const float> x, std::span<const int32_t> label,
                                               size_t repeats, uint64_t seed);

}  // namespace segue::models
