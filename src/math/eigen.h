#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace segue::math {

/// A = Q diag(values) Qᵀ of a symmetric matrix.
struct Eigen {
  std::vector<double> values;   ///< [d] falling
  std::vector<double> vectors;  ///< [d x d] column j belongs to values[j]
};

/// a [stride x stride], of which the upper triangle of the d leading rows and
/// columns counts. By Householder reduction to tridiagonal form and implicit
/// QL: Golub, Van Loan, "Matrix Computations", 8.3; after EISPACK's tred2 and
/// tql2. O(d³), doubles; on all cores where the vectors turn, same bytes for any
/// number of threads.
Eigen SymmetricEigen(std::span<const float> a, size_t stride, size_t d);

}  // namespace segue::math
