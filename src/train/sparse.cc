#include "train/sparse.h"

#include <utility>

namespace segue::train {

std::vector<uint64_t> Offsets(std::vector<uint64_t> counts) {
  uint64_t next = 0;
  for (uint64_t& count : counts) next += std::exchange(count, next);
  counts.push_back(next);
  return counts;
}

Csr Transposed(const Csr& matrix, size_t columns) {
  Csr result;
  std::vector<uint64_t> counts(columns, 0);
  for (const uint32_t c : matrix.column) ++counts[c];
  result.begin = Offsets(std::move(counts));
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
