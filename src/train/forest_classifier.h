#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "models/forest_classifier.h"
#include "train/classifier_trainer.h"

namespace segue::train {

/// A forest and what it says of its own training rows, each by the trees that
/// did not draw it: as good as held out, so that a stack can learn from it.
struct FittedForest {
  std::unique_ptr<models::ForestClassifier> model;
  std::vector<float> out_of_bag;       ///< [rows x labels]; NaN where all trees drew the row; empty without bootstrap
  double out_of_bag_accuracy = 0;      ///< of the rows that are known; 0 where none is
  std::optional<double> out_of_bag_auc;  ///< of two labels
};

/// Random forest (math/forest.h) with the settings forest.*, on the features and,
/// by forest.derived, the CD frame offset (models/row_binner.h). extra_trees:
/// random cuts with the settings extra_trees.*; by default each tree sees all
/// rows, so that there is no out-of-bag estimate.
/// Errors as ClassifierTrainer::Fit.
Result<FittedForest> FitForest(bool random_cuts, const SongTable& songs, std::span<const uint32_t> rows,
                               const Settings& settings, uint64_t seed, Instruments& instruments);

/// `random_forest`; logs the out-of-bag estimates.
std::unique_ptr<ClassifierTrainer> MakeForestTrainer();
/// `extra_trees`.
std::unique_ptr<ClassifierTrainer> MakeExtraTreesTrainer();

}  // namespace segue::train
