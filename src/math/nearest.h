#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace segue::math {

/// A row and its squared Euclidean distance.
struct NearRow {
  uint32_t row = 0;
  float square = 0;
};

/// The k nearest rows of y for each row of x, nearest first, of equals the
/// lower row. Exact search: squares come as |y|² + |x|² - 2·y·x from the matrix
/// kernels for all rows, and anew as Σ(y - x)² for the k + 8 that look nearest,
/// so that a row that is there has distance 0 and the order does not suffer
/// from what the subtraction loses.
///
///   y  [n x stride]   x  [m x stride]   stride: a multiple of kLane, pads zero
///   out  [m x k],  0 < k <= n
/// O(n·m·stride), on all cores, a query by one thread: same bytes for any number.
void NearestRows(const float* y, size_t n, const float* x, size_t m, size_t stride, size_t k, std::span<NearRow> out);

}  // namespace segue::math
