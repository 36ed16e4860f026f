#include "math/inverse.h"

#include <algorithm>

#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr size_t kB = SymmetricMatrix::kBlock;

/// [kB x kB] in place, through its Cholesky factor.
bool InvertBlock(float* block) {
  const Kernels& kernels = BestKernels();
  std::vector<float> factor(block, block + kB * kB);
  if (!kernels.cholesky(factor.data(), kB, kB)) return false;
  for (size_t i = 0; i < kB; ++i) {
    float* row = block + i * kB;
    std::fill_n(row, kB, 0.0f);
    row[i] = 1;
    kernels.solve(factor.data(), kB, kB, row);
  }
  for (size_t i = 0; i < kB; ++i) {  // both triangles alike, to the last bit
    for (size_t j = 0; j < i; ++j) block[i * kB + j] = block[j * kB + i];
  }
  return true;
}

}  // namespace

SymmetricMatrix::SymmetricMatrix(size_t n) : n_(n), stride_((n + kB - 1) / kB * kB), values_(stride_ * stride_, 0.0f) {
  for (size_t i = n; i < stride_; ++i) Row(i)[i] = 1;
}

bool SymmetricMatrix::Invert() {
  const Kernels& kernels = BestKernels();
  const size_t blocks = stride_ / kB;
  // Row k of blocks as it was, and D times it; block j at j·kB·kB, contiguous.
  std::vector<float> before(kB * stride_), after(kB * stride_), pivot(kB * kB), minus(kB * kB);
  for (size_t k = 0; k < blocks; ++k) {
    for (size_t i = 0; i < kB; ++i) std::copy_n(Row(k * kB + i) + k * kB, kB, pivot.data() + i * kB);
    if (!InvertBlock(pivot.data())) return false;
    for (size_t i = 0; i < kB * kB; ++i) minus[i] = -pivot[i];
    // Only the upper blocks are kept: what is left of k stands in its column.
    ParallelFor(blocks, [&](size_t j) {
      float* was = before.data() + j * kB * kB;
      float* is = after.data() + j * kB * kB;
      if (j == k) return;
      for (size_t r = 0; r < kB; ++r) {
        for (size_t c = 0; c < kB; ++c) {
          was[r * kB + c] = j > k ? Row(k * kB + r)[j * kB + c] : Row(j * kB + c)[k * kB + r];
        }
      }
      std::fill_n(is, kB * kB, 0.0f);
      kernels.subtract_product(is, kB, minus.data(), kB, was, kB, kB, kB, kB);
    });
    ParallelFor(blocks, [&](size_t i) {
      for (size_t j = i; j < blocks; ++j) {
        if (i == k || j == k) continue;
        kernels.subtract_product(Row(i * kB) + j * kB, stride_, before.data() + i * kB * kB, kB, after.data() + j * kB * kB, kB,
                                 kB, kB, kB);
      }
    });
    for (size_t j = 0; j < blocks; ++j) {
      const float* is = j == k ? minus.data() : after.data() + j * kB * kB;
      for (size_t r = 0; r < kB; ++r) {
        for (size_t c = 0; c < kB; ++c) {
          if (j >= k) {
            Row(k * kB + r)[j * kB + c] = is[r * kB + c];
          } else {
            Row(j * kB + c)[k * kB + r] = is[r * kB + c];
          }
        }
      }
    }
  }
  ParallelFor(stride_, [&](size_t i) {
    for (size_t j = i; j < stride_; ++j) Row(i)[j] = -Row(i)[j];
  });
  ParallelFor(stride_, [&](size_t i) {
    for (size_t j = 0; j < i; ++j) Row(i)[j] = Row(j)[i];
  });
  return true;
}

}  // namespace segue::math
