#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/classifier.h"
#include "models/design.h"

namespace segue::models {

/// Multinomial logistic regression over the columns of a design:
///
///   P(c | x) = exp(b_c + w_c·z) / Σ_k exp(b_k + w_k·z),   z = design(x)
///
/// With two classes it is the ordinary one, its coefficient being w_1 - w_0.
class LogisticClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "logistic";

  struct Parts {
    std::vector<std::string> features;
    std::vector<std::string> labels;
    Design design;
    std::vector<float> weights;  ///< [stride x PaddedTo(labels)], pads zero
    std::vector<float> bias;     ///< [PaddedTo(labels)], pads zero
  };
  static std::unique_ptr<LogisticClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  const Design& design() const { return parts_.design; }
  /// w of a column and a class.
  float Weight(size_t column, size_t label) const { return parts_.weights[column * math::PaddedTo(labels().size()) + label]; }

 private:
  explicit LogisticClassifier(Parts parts) : Classifier(parts.features, parts.labels), parts_(std::move(parts)) {}
  Parts parts_;
};

}  // namespace segue::models
