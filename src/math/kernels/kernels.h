#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace segue::math {

/// Rows of factors are padded with zeros to a multiple of this many floats
/// ("stride"), so that kernels need no tails.
inline constexpr size_t kLane = 16;

constexpr size_t PaddedTo(size_t d) { return (d + kLane - 1) / kLane * kLane; }

/// The numeric kernels for one instruction set. All matrices are row-major,
/// float32, rows `stride` apart (a multiple of kLane), pads zero. Sums run in
/// an order that depends on the shapes only: same bytes for any number of
/// threads on one machine. No allocation; nothing is checked.
struct Kernels {
  std::string_view name;  ///< "baseline", "avx2", "avx512"

  /// out[i] = y_i · x.
  ///   y  [n x stride]   x  [stride]   out  [n]
  void (*dots)(const float* y, size_t n, size_t stride, const float* x, float* out);

  /// A += Σ_k weight[k] · y[rows[k]] · y[rows[k]]ᵀ, upper triangle (and
  /// whatever of the lower shares its tiles).
  ///   a  [stride x stride]   y  [? x stride]   rows, weight  [s]
  ///   rows null: rows 0 ... s-1;  weight null: all 1
  /// O(s·stride²/2) multiply-adds. The rank-k part of the ALS half-step: Hu,
  /// Koren, Volinsky, ICDM 2008, eq. 4, with YᵀY taken out of the sum.
  void (*add_outer)(float* a, size_t stride, const float* y, const uint32_t* rows, const float* weight, size_t s);

  /// In place: upper triangle of A (d leading rows and columns) -> U, A = UᵀU
  /// (block Cholesky, squares of kLane, each first less what the rows above
  /// account for; Golub, Van Loan, "Matrix Computations", 4.2). The pads'
  /// diagonal becomes 1 and the lower triangle of the squares on the diagonal 0.
  /// False where a pivot is not positive; A is then of no use. O(d³/3).
  bool (*cholesky)(float* a, size_t stride, size_t d);

  /// x = U⁻¹U⁻ᵀ b, in place on x = b; U as cholesky left it. O(d²).
  void (*solve)(const float* u, size_t stride, size_t d, float* x);

  /// C -= LᵀR: c_ij -= Σ_k left[k][i] · right[k][j], k < s.
  ///   c [rows x c_stride]   left [s x left_stride]   right [s x right_stride]
  /// rows and columns: multiples of kLane.
  void (*subtract_product)(float* c, size_t c_stride, const float* left, size_t left_stride, const float* right,
                           size_t right_stride, size_t s, size_t rows, size_t columns);

  /// x += Σ_k weight[k] · y[rows[k]].
  void (*add_rows)(float* x, size_t stride, const float* y, const uint32_t* rows, const float* weight, size_t s);

  /// The sums of one row's normal equations, each y read once:
  ///   A += Σ_k (|c_k| − 1) · y_k·y_kᵀ  as add_outer does it, and
  ///   b += Σ_k max(c_k, 0) · y_k,      y_k = y[rows[k]]
  ///   a  [stride x stride]   b  [stride]   rows, c  [s], |c| >= 1
  /// y_k is copied as √(|c_k| − 1)·y_k, so that both sides of the product are
  /// the same, in blocks that stay in the first cache.
  /// O(s·stride²/2) multiply-adds; reads 4·s·stride bytes.
  void (*add_confident)(float* a, float* b, size_t stride, const float* y, const uint32_t* rows, const float* c, size_t s);

  /// The same rows turned on their side, scaled by factor, for the systems that
  /// are as large as the row is long:
  ///   z[j][k] = √(|c_k| − 1) · scale_j · y_kj,   b_j += Σ_k max(c_k, 0) · scale_j · y_kj
  ///   z  [stride x width], width = PaddedTo(s), pads become 0   b, scale  [stride]
  ///   rows, c  [s], s >= 1
  /// O(s·stride), reads 4·s·stride bytes.
  void (*gather_columns)(float* z, size_t width, float* b, const float* y, size_t stride, const uint32_t* rows, const float* c,
                         size_t s, const float* scale);

  /// out_ic = Σ_k y_ik · x_kc: rows of y with each of many columns, every y read
  /// once for 16 of them. k runs in order.
  ///   y [n x stride]   x [stride x columns]   out [n x columns]
  /// columns: a multiple of kLane. O(n·stride·columns).
  void (*products)(const float* y, size_t n, size_t stride, const float* x, size_t columns, float* out);

  /// out_j = 1 / √(values_j + more), j < n.
  void (*inverse_roots)(const float* values, float more, size_t n, float* out);
};

/// The widest that this processor runs; SEGUE_KERNELS in the environment is not
/// looked at: tests name the set they want.
const Kernels& BestKernels();

/// The sets that this processor runs, "baseline" first.
std::span<const Kernels* const> UsableKernels();

}  // namespace segue::math
