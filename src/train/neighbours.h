#pragma once

#include <bit>
#include <cstdint>
#include <vector>

#include "core/instruments.h"
#include "train/knn_matrix.h"
#include "train/sparse.h"

namespace segue::train {

/// A track near another: greater for the nearer, then for the lower row.
struct Neighbour {
  uint64_t bits;

  float likeness() const { return std::bit_cast<float>(static_cast<uint32_t>(bits >> 32)); }
  uint32_t row() const { return ~static_cast<uint32_t>(bits); }
};

/// For every track at most `k` others, nearest first, all more alike than 0.
///
/// Gustavson's sparse product, a row of it at a time: Σ_u |u|² multiply-adds, u
/// a listener's tracks; the row's nearest are picked at once, so that the whole
/// product is never kept. Rows are shared out to threads, each is summed in
/// listener order: same bytes for any number of threads. Memory: `listeners`
/// three times, and 8 bytes a neighbour. Of no use where `instruments` are
/// cancelled.
///
/// Inside, tracks are numbered by how many have them, most first: most sums
/// then fall on the same few pages, and long rows are not left to the end.
std::vector<std::vector<Neighbour>> NearestTracks(Csr listeners, size_t tracks, const LikenessRule& rule, size_t k, Instruments& instruments);

}  // namespace segue::train
