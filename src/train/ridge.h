#pragma once

#include <span>
#include <vector>

#include "core/instruments.h"
#include "core/result.h"
#include "train/sparse.h"

namespace segue::train {

struct RidgeRule {
  double penalty = 1;     ///< λ > 0
  int64_t most_steps = 100;
  double tolerance = 1e-4;  ///< a target is done where its residual, scaled by the diagonal, has fallen to this share  ///< a target is done where its residual, scaled by the diagonal, has fallen to this share  ///< a target is done where its residual, scaled by the diagonal, has fallen to this share
};

/// Ridge regression of several targets at once on sparse rows:
///
///   W = argmin Σ_i ω_i |y_i − Wᵀx_i|² + λ|W|²,   (XᵀΩX + λI) W = XᵀΩY
///
/// Source: Hoerl, Kennard, "Ridge Regression", Technometrics 1970; solved by
/// conjugate gradients with the diagonal for a preconditioner (Hestenes, Stiefel
/// 1952; Golub, Van Loan, "Matrix Computations", 11.5 on the normal equations),
/// each target with its own steps, all in one pass over X. XᵀΩX is never built, so that a vocabulary of
/// hundreds of thousands of words costs no more than its entries.
///
///   x       [n x columns]   weight [n]  ω ≥ 0
///   y       [n x stride]    targets, row by row, stride a multiple of math::kLane
///   returns W [columns x stride]
///
/// A step is O(entries · stride). Parallel over rows and over columns; sums run
/// in index order: same bytes for any number of threads. kCancelled when asked to stop.
Result<std::vector<float>> SolveRidge(const Csr& x, size_t columns, std::span<const float> weight,
                                      std::span<const float> y, size_t stride, const RidgeRule& rule,
                                      Instruments& instruments);

/// out[i] = Wᵀx_i for all rows.  w [columns x stride], returns [rows x stride]
std::vector<float> Multiply(const Csr& x, std::span<const float> w, size_t stride);

}  // namespace segue::train
