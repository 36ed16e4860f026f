#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace segue::models {

/// x_i <- exp(x_i) / Σ exp(x_j), taken from the largest so that nothing overflows.
inline void Softmax(float* x, size_t n) {
  const float most = *std::max_element(x, x + n);
  float sum = 0;
  for (size_t i = 0; i < n; ++i) sum += x[i] = std::exp(x[i] - most);
  for (size_t i = 0; i < n; ++i) x[i] /= sum;
}

}  // namespace segue::models
