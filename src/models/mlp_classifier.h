#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/classifier.h"
#include "models/design.h"

namespace segue::models {

/// The shape of a network with two hidden layers; all widths but the classes'
/// are multiples of math::kLane.
struct MlpShape {
  uint32_t inputs = 0;
  uint32_t hidden[2] = {0, 0};
  uint32_t classes = 0;

  size_t padded() const { return math::PaddedTo(classes); }
  /// Floats of one network: W1 [inputs x h1], b1, W2 [h1 x h2], b2, W3 [h2 x padded], b3.
  size_t size() const {
    return static_cast<size_t>(inputs) * hidden[0] + hidden[0] + static_cast<size_t>(hidden[0]) * hidden[1] + hidden[1] +
           hidden[1] * padded() + padded();
  }
  size_t w1() const { return 0; }
  size_t b1() const { return static_cast<size_t>(inputs) * hidden[0]; }
  size_t w2() const { return b1() + hidden[0]; }
  size_t b2() const { return w2() + static_cast<size_t>(hidden[0]) * hidden[1]; }
  size_t w3() const { return b2() + hidden[1]; }
  size_t b3() const { return w3() + hidden[1] * padded(); }
};

/// out[r] <- max(0, x[r]·W + b) or, without ReLU, x[r]·W + b.
///   x [n x inputs]   weights [inputs x outputs]   bias [outputs]   out [n x outputs]
void DenseLayer(const float* x, size_t n, size_t inputs, const float* weights, const float* bias, size_t outputs, bool relu,
                float* out);

/// Multilayer perceptrons, whose probabilities are averaged:
///
///   P(c | x) = mean over networks of softmax(W3ᵀ·relu(W2ᵀ·relu(W1ᵀ·z + b1) + b2) + b3),   z = design(x)
class MlpClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "mlp";

  struct Parts {
    std::vector<std::string> features;
    std::vector<std::string> labels;
    Design design;
    MlpShape shape;
    std::vector<float> weights;  ///< [networks x shape.size()]
  };
  static std::unique_ptr<MlpClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  size_t networks() const { return parts_.weights.size() / parts_.shape.size(); }

 private:
  explicit MlpClassifier(Parts parts) : Classifier(parts.features, parts.labels), parts_(std::move(parts)) {}
  Parts parts_;
};

}  // namespace segue::models
