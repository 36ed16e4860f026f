#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/classifier.h"

namespace segue::models {

/// A weighted mean of other classifiers' probabilities.
class EnsembleClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "ensemble";

  struct Parts {
    std::vector<std::unique_ptr<Classifier>> members;  ///< of the same features and labels
    std::vector<float> weights;                        ///< >= 0, sum 1
  };
  static std::unique_ptr<EnsembleClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  /// Members' artifacts lie inside this one.
  Status Save(const std::filesystem::path& file) const override;

  const std::vector<std::unique_ptr<Classifier>>& members() const { return parts_.members; }
  std::span<const float> weights() const { return parts_.weights; }

 private:
  explicit EnsembleClassifier(Parts parts)
      : Classifier(parts.members.front()->features(), parts.members.front()->labels()), parts_(std::move(parts)) {}
  Parts parts_;
};

}  // namespace segue::models
