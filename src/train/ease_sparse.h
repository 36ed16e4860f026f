#pragma once

#include <optional>

#include "core/instruments.h"
#include "train/sparse.h"

namespace segue::train {

struct SparseEaseSettings {
  size_t neighbours = 300;   ///< k
  size_t head = 8192;        ///< tracks whose products are kept; as `room`, changes speed and memory
  size_t room = 1 << 27;     ///< floats for the other products that are kept at one time
};

/// EASE^R for large catalogues: every track is predicted from its k nearest
/// alone, N(i), which are the largest of its cosines (train/neighbours.h):
///
///   B_N,i = (X_NᵀX_N + Λ_N)⁻¹ · X_Nᵀx_i,   all else of column i 0
///
/// the exact ridge regression of x_i on X_N; with k = tracks − 1 EASE^R itself.
///   listeners [m x p], tracks [p x m]: X by rows and by columns, no row empty
///   penalty [p]: Λ, positive
/// Returns B by rows: what track j says of the others, ascending. Nothing where
/// a pivot is not positive or `instruments` are cancelled.
///
/// Source: Steck, "Markov Random Fields for Collaborative Filtering", NeurIPS
/// 2019, section 3: the pattern. Departure: there up to half of a block's tracks
/// take their weights from one inverse; here each has its own, which NDCG@10
/// says is worth it (half shared, own, exact: lastfm-2k .2262, .2359, .2368;
/// MovieLens-1M .2352, .2454, .2451, with k = 300).
///
/// Products of the `head` tracks with the most listeners among themselves are
/// worked out once. All others go by groups of columns, most listeners first, as
/// many as `room` holds: a track's products with all others, once for a group,
/// are handed to the columns that it is a neighbour of.
///
/// O(g·Σ_u |u|² + p·k³/6), u a listener's tracks, g = about p·k²/(2·room) groups,
/// and 1 for the neighbours. Memory: X four times; head²/2 + room floats; 24
/// bytes a neighbour. Every sum is one thread's, in order: same bytes for any
/// number of threads.
std::optional<Csr> SparseEase(const Csr& listeners, const Csr& tracks, std::span<const float> penalty,
                              const SparseEaseSettings& settings, Instruments& instruments);

}  // namespace segue::train
