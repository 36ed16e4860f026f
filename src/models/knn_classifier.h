#pragma once

#include <memory>
#include <span>
#include <vector>

#include "math/nearest.h"
#include "models/classifier.h"
#include "models/design.h"

namespace segue::models {

/// The k nearest training songs vote, the near ones with more weight:
///
///   P(c | x) = [ Σ_j w_j · 1(y_j = c) + s · p_c ] / [ Σ_j w_j + s ]
///   w_j = (h / max(d_j, h/1000))^power,  h = d_k
///
/// d: Euclidean distance over the design's columns, p_c the share of class c
/// among the training rows, s = 1 the weight of that prior: nothing is ever
/// quite certain. Power 0 is the plain vote. Dudani, "The Distance-Weighted
/// k-Nearest-Neighbor Rule", IEEE SMC 1976, with the inverse distance instead
/// of his ramp. A song that stands in the training rows is its own neighbour at
/// distance 0 and outweighs the others.
class KnnClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "knn";

  struct Parts {
    std::vector<std::string> features;
    std::vector<std::string> labels;
    Design design;
    std::vector<float> rows;       ///< [n x design.stride()] of the training rows
    std::vector<int32_t> label;    ///< [n] of labels
    uint32_t neighbours = 1;       ///< k, at most n
    float power = 2;
  };
  static std::unique_ptr<KnnClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  /// O(n · training rows · stride), on all cores.
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  uint32_t neighbours() const { return neighbours_; }

 private:
  KnnClassifier(std::vector<std::string> features, std::vector<std::string> labels)
      : Classifier(std::move(features), std::move(labels)) {}

  Design design_;
  std::vector<float> own_rows_;
  std::vector<int32_t> own_label_;
  std::span<const float> rows_;
  std::span<const int32_t> label_;
  std::vector<float> prior_;
  uint32_t neighbours_ = 1;
  float power_ = 2;
  std::shared_ptr<const ModelFile> file_;
};

/// The vote. near [k] nearest first; label of all training rows; prior [classes]; out [classes]
void Vote(std::span<const math::NearRow> near, std::span<const int32_t> label, std::span<const float> prior, float power,
          std::span<float> out);

/// Shares of the classes among the rows.
std::vector<float> ClassShares(std::span<const int32_t> label, size_t classes);

}  // namespace segue::models
