#include "train/mlp_gradient.h"

#include <algorithm>
#include <cmath>

#include "math/kernels/kernels.h"
#include "models/softmax.h"

namespace segue::train {
namespace {

using models::MlpShape;

void DrawKept(size_t count, double dropout, Random& random, std::vector<float>& kept) {
  kept.resize(count + 8);
  const auto threshold = static_cast<uint64_t>(std::lround(dropout * 256));
  const float scale = 256.0f / static_cast<float>(256 - threshold);
  for (size_t i = 0; i < count; i += 8) {
    uint64_t bits = random.Next();
    for (size_t k = 0; k < 8; ++k, bits >>= 8) kept[i + k] = (bits & 255) < threshold ? 0.0f : scale;
  }
}

/// a <- a ∘ kept
void Drop(std::vector<float>& a, size_t count, const std::vector<float>& kept) {
  for (size_t i = 0; i < count; ++i) a[i] *= kept[i];
}

void Transpose(const float* a, size_t rows, size_t columns, std::vector<float>& out) {
  out.resize(rows * columns);
  for (size_t r = 0; r < rows; ++r) {
    for (size_t c = 0; c < columns; ++c) out[c * rows + r] = a[r * columns + c];
  }
}

/// ∂W and ∂b of a layer from the negative of what flows back (the kernel subtracts).
void LayerGradient(const float* in, size_t inputs, const float* negative, size_t outputs, size_t n, float* w, float* b) {
  math::BestKernels().subtract_product(w, outputs, in, inputs, negative, outputs, n, inputs, outputs);
  for (size_t r = 0; r < n; ++r) {
    for (size_t c = 0; c < outputs; ++c) b[c] -= negative[r * outputs + c];
  }
}

/// Through ReLU and dropout: an activation of 0 lets nothing back.
void Back(const std::vector<float>& activation, size_t count, const std::vector<float>* kept, std::vector<float>& back) {
  for (size_t i = 0; i < count; ++i) back[i] = activation[i] > 0 ? back[i] : 0.0f;
  if (kept != nullptr) Drop(back, count, *kept);
}

}  // namespace

double MlpGradient(const MlpShape& shape, const float* w, const float* z, const int32_t* y, size_t n, double dropout,
                   Random* random, MlpWorkspace& s, std::span<float> gradient) {
  const size_t h1 = shape.hidden[0], h2 = shape.hidden[1], padded = shape.padded();
  const bool drops = random != nullptr && dropout > 0;
  s.one.resize(n * h1);
  s.two.resize(n * h2);
  s.top.resize(n * padded);
  s.back_one.resize(n * h1);
  s.back_two.resize(n * h2);
  models::DenseLayer(z, n, shape.inputs, w + shape.w1(), w + shape.b1(), h1, true, s.one.data());
  if (drops) {
    DrawKept(n * h1, dropout, *random, s.keep_one);
    Drop(s.one, n * h1, s.keep_one);
  }
  models::DenseLayer(s.one.data(), n, h1, w + shape.w2(), w + shape.b2(), h2, true, s.two.data());
  if (drops) {
    DrawKept(n * h2, dropout, *random, s.keep_two);
    Drop(s.two, n * h2, s.keep_two);
  }
  models::DenseLayer(s.two.data(), n, h2, w + shape.w3(), w + shape.b3(), padded, false, s.top.data());
  double loss = 0;
  const float share = 1 / static_cast<float>(n);
  for (size_t r = 0; r < n; ++r) {
    float* p = s.top.data() + r * padded;
    models::Softmax(p, shape.classes);
    const auto label = static_cast<size_t>(y[r]);
    loss -= std::log(std::max(p[label], 1e-30f));
    for (size_t c = 0; c < shape.classes; ++c) p[c] = ((c == label ? 1.0f : 0.0f) - p[c]) * share;
    std::fill(p + shape.classes, p + padded, 0.0f);
  }
  std::fill(gradient.begin(), gradient.end(), 0.0f);
  float* g = gradient.data();
  LayerGradient(s.two.data(), h2, s.top.data(), padded, n, g + shape.w3(), g + shape.b3());
  Transpose(w + shape.w3(), h2, padded, s.turned_three);
  math::BestKernels().products(s.top.data(), n, padded, s.turned_three.data(), h2, s.back_two.data());
  Back(s.two, n * h2, drops ? &s.keep_two : nullptr, s.back_two);
  LayerGradient(s.one.data(), h1, s.back_two.data(), h2, n, g + shape.w2(), g + shape.b2());
  Transpose(w + shape.w2(), h1, h2, s.turned_two);
  math::BestKernels().products(s.back_two.data(), n, h2, s.turned_two.data(), h1, s.back_one.data());
  Back(s.one, n * h1, drops ? &s.keep_one : nullptr, s.back_one);
  LayerGradient(z, shape.inputs, s.back_one.data(), h1, n, g + shape.w1(), g + shape.b1());
  return loss / static_cast<double>(n);
}

void Adam::Step(std::span<const float> gradient, double rate, double decay, std::span<float> w) {
  constexpr float b1 = 0.9f, b2 = 0.999f;
  beta1_ *= 0.9;
  beta2_ *= 0.999;
  const auto size = w.size();
  for (size_t i = 0; i < size; ++i) {
    m_[i] = b1 * m_[i] + (1 - b1) * gradient[i];
    v_[i] = b2 * v_[i] + (1 - b2) * gradient[i] * gradient[i];
  }
  // m̂/√(v̂ + ε²) = m/√(v + ε²·(1-β2^t)) · √(1-β2^t)/(1-β1^t)
  const double correction = 1 - beta2_;
  math::BestKernels().inverse_roots(v_.data(), static_cast<float>(1e-16 * correction), size, inverse_.data());
  const auto step = static_cast<float>(rate * std::sqrt(correction) / (1 - beta1_));
  const auto shrink = static_cast<float>(rate * decay);
  for (size_t i = 0; i < size; ++i) w[i] -= step * m_[i] * inverse_[i] + shrink * w[i];
}

}  // namespace segue::train
