#include "train/sparse.h"

namespace segue::train {

Csr Transposed(const Csr& matrix, size_t columns) {
  Csr result;
  result.begin.assign(columns + 1, 0);
  for (const uint32_t c : matrix.column) ++result.begin[c + 1];
  for (size_t i = 0; i < columns; ++i) result.begin[i + 1] += result.begin[i];
  result.column.resize(matrix.size());
  result.value.resize(matrix.size());
  std::vector<uint64_t> next(result.begin.begin(), result.begin.end() - 1);
  for (size_t r = 0; r < matrix.rows(); ++r) {
    for (uint64_t k = matrix.begin[r]; k < matrix.begin[r + 1]; ++k) {
      const uint64_t at = next[matrix.column[k]]++;
      result.column[at] = static_cast<uint32_t>(r);
      result.value[at] = matrix.value[k];
    }
  }
  return result;
}

}  // namespace segue::train
