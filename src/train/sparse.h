#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segue::train {

/// A sparse matrix by rows: the columns of each row ascend. Offsets have 64
/// bits, rows and columns 32.
struct Csr {
  std::vector<uint64_t> begin{0};  ///< [rows + 1]
  std::vector<uint32_t> column;
  std::vector<float> value;

  size_t rows() const { return begin.size() - 1; }
  size_t size() const { return column.size(); }
  std::span<const uint32_t> Columns(size_t row) const { return {column.data() + begin[row], column.data() + begin[row + 1]}; }
  std::span<const float> Values(size_t row) const { return {value.data() + begin[row], value.data() + begin[row + 1]}; }
  /// Closes the row whose columns and values were pushed.
  void EndRow() { begin.push_back(column.size()); }
};

/// [counts + 1] where each row begins, from how many it has.
std::vector<uint64_t> Offsets(std::vector<uint64_t> counts);

/// Where row `row` of an upper triangle begins, n (n + 1) / 2 entries by rows.
constexpr size_t Triangle(size_t row, size_t n) { return row * (2 * n - row + 1) / 2; }

/// [columns x rows]: the columns as rows. O(size + columns).
Csr Transposed(const Csr& matrix, size_t columns);

}  // namespace segue::train
