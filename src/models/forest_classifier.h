#pragma once

#include <memory>
#include <span>
#include <vector>

#include "math/forest.h"
#include "models/classifier.h"
#include "models/row_binner.h"

namespace segue::models {

/// A random forest or extra trees (math/forest.h): the mean of what the trees'
/// leaves say.
class ForestClassifier final : public Classifier {
 public:
  static constexpr std::string_view kRandomForest = "random_forest";
  static constexpr std::string_view kExtraTrees = "extra_trees";

  struct Parts {
    bool random_cuts = false;          ///< extra trees
    std::vector<std::string> features;
    std::vector<std::string> labels;
    RowBinner binner;
    math::Forest forest;
    std::vector<float> importance;     ///< [features]
  };
  static std::unique_ptr<ForestClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return random_cuts_ ? kExtraTrees : kRandomForest; }
  /// O(n · trees · depth), on all cores.
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  /// [features] by how much splits on it lowered the impurity, as shares: sum 1,
  /// or all 0 where no tree has a split.
  std::span<const float> importance() const { return importance_; }
  const math::BinnedTreesView& trees() const { return trees_; }

 private:
  ForestClassifier(std::vector<std::string> features, std::vector<std::string> labels)
      : Classifier(std::move(features), std::move(labels)) {}

  bool random_cuts_ = false;
  RowBinner binner_;
  math::Forest own_;
  std::vector<float> own_importance_;
  math::BinnedTreesView trees_;
  math::LeafSharesView leaves_;
  std::span<const float> importance_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
};

}  // namespace segue::models
