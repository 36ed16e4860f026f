#pragma once

#include <memory>
#include <span>
#include <vector>

#include "math/binned_trees.h"
#include "models/classifier.h"
#include "models/row_binner.h"

namespace segue::models {

/// Boosted trees (train/boosting_classifier.h) for classes.
///
///   two labels   P(1 | x) = 1 / (1 + exp(-f(x))),   one output
///   more         P(c | x) = softmax_c f(x),         an output a label
///   f_o(x) = base_o + Σ_{trees t of output o} value(leaf of x in t)
///
/// Tree t is of output t mod outputs.
class BoostingClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "gradient_boosting";

  struct Parts {
    std::vector<std::string> features;
    std::vector<std::string> labels;
    RowBinner binner;
    math::BinnedTrees trees;        ///< leaf numbers are places in `value`
    std::vector<float> value;
    std::vector<float> base;        ///< [outputs]
    std::vector<float> importance;  ///< [features]
  };
  static std::unique_ptr<BoostingClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  /// O(n · trees · depth), on all cores.
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  /// [features] gain of the splits on it, as shares: sum 1, or all 0.
  std::span<const float> importance() const { return importance_; }
  size_t trees() const { return trees_.size(); }

 private:
  BoostingClassifier(std::vector<std::string> features, std::vector<std::string> labels)
      : Classifier(std::move(features), std::move(labels)) {}
  size_t outputs() const { return labels().size() == 2 ? 1 : labels().size(); }

  RowBinner binner_;
  math::BinnedTrees own_trees_;
  std::vector<float> own_value_, own_base_, own_importance_;
  math::BinnedTreesView trees_;
  std::span<const float> value_, base_, importance_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
};

}  // namespace segue::models
