#pragma once

#include <cstddef>
#include <vector>

namespace segue::math {

/// A dense symmetric matrix, its rows padded to whole blocks; the pads are
/// those of the unit matrix.
class SymmetricMatrix {
 public:
  static constexpr size_t kBlock = 64;

  explicit SymmetricMatrix(size_t n);
  size_t size() const { return n_; }
  size_t stride() const { return stride_; }
  float* Row(size_t row) { return values_.data() + row * stride_; }
  const float* Row(size_t row) const { return values_.data() + row * stride_; }

  /// A <- A^-1, for positive definite A, both triangles read and written.
  /// False where a pivot is not positive; A is then of no use.
  ///
  /// The symmetric sweep, by blocks k: with D = A_kk^-1,
  ///   A_ij -= A_ki^T·D·A_kj,   A_kj <- D·A_kj,   A_kk <- -D
  /// for all i, j != k; after all blocks A is -A^-1. Source: Goodnight, "A
  /// tutorial on the SWEEP operator", The American Statistician, 1979; by
  /// blocks so that nearly all work is products of matrices. n³ multiply-adds
  /// where inverting by elimination without symmetry needs twice as many. On all
  /// cores; a block is written by one thread: same bytes for any number.
  bool Invert();

 private:
  size_t n_;
  size_t stride_;
  std::vector<float> values_;
};

}  // namespace segue::math
