#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "models/mlp_classifier.h"

namespace segue::train {

/// What a step needs beside the weights; reused, so that steps do not allocate.
struct MlpWorkspace {
  std::vector<float> one, two, top;              ///< activations, then what flows back
  std::vector<float> keep_one, keep_two;         ///< dropout: 0 or 1/(1 - share)
  std::vector<float> turned_two, turned_three;   ///< W2ᵀ, W3ᵀ
  std::vector<float> back_one, back_two;
};

/// Mean log loss of rows z [n x shape.inputs] with labels y [n] under one
/// network's weights w [shape.size()], and its gradient [shape.size()] by
/// back-propagation (Rumelhart, Hinton, Williams, Nature 1986):
///
///   δ3 = (p - 1_y)/n,  δ2 = (W3·δ3) ∘ 1(a2 > 0) ∘ m2,  δ1 = (W2·δ2) ∘ 1(a1 > 0) ∘ m1
///   ∂W_l = a_{l-1}ᵀ·δ_l,  ∂b_l = Σ rows of δ_l
///
/// with inverted dropout m (Srivastava et al., JMLR 2014), whose share is
/// rounded to 1/256; `random` null: none. One thread, sums in the order of the
/// rows. O(n · shape.size()).
double MlpGradient(const models::MlpShape& shape, const float* w, const float* z, const int32_t* y, size_t n, double dropout,
                   Random* random, MlpWorkspace& workspace, std::span<float> gradient);

/// Adam with decoupled weight decay and bias correction:
///
///   m <- β1·m + (1-β1)·g,  v <- β2·v + (1-β2)·g²
///   w <- w - rate·( m̂ / √(v̂ + ε²) + decay·w )
///
/// Kingma, Ba, ICLR 2015, algorithm 1; Loshchilov, Hutter, ICLR 2019. Departure:
/// ε under the root, for the vector kernel. β1 = 0.9, β2 = 0.999.
class Adam {
 public:
  explicit Adam(size_t size) : m_(size, 0.0f), v_(size, 0.0f), inverse_(size) {}
  void Step(std::span<const float> gradient, double rate, double decay, std::span<float> w);

 private:
  std::vector<float> m_, v_, inverse_;
  double beta1_ = 1, beta2_ = 1;  ///< powers so far
};

}  // namespace segue::train
