#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/random.h"
#include "train/sparse.h"

namespace segue::train {

enum class PairwiseLoss { kBpr, kWarp };

/// Rows of factors on their way: listeners' x, tracks' y with the bias in column
/// d, and what AdaGrad remembers of each row.
struct PairwiseFactors {
  size_t d = 0;
  size_t stride = 0;            ///< PaddedTo(d + 1)
  std::vector<float> x;         ///< [m x stride]; 1 in column d, so that x·y has the bias in it
  std::vector<float> y;         ///< [p x stride]
  std::vector<float> x_past;    ///< [m] Σ |gradient|² / d
  std::vector<float> y_past;    ///< [p]
  std::vector<float> bias_past; ///< [p] Σ gradient²

  PairwiseFactors(size_t listeners, size_t tracks, size_t factors, uint64_t seed);
};

/// Length of a step, and λ.
struct PairwiseStep {
  float rate = 0;
  float regularization = 0;
};

/// Moves a wanted track i and an unwanted one j apart for listener u, with pull g:
///
///   x   = (x + η·g·(y_i − y_j)) / (1 + η·λ)        the y's with η of their own
///   y_i = (y_i + η·g·x) / (1 + η·λ)                x as it was
///   y_j = (y_j − η·g·x) / (1 + η·λ)
///   b_i = (b_i + η·g) / (1 + η·λ),  b_j = (b_j − η·g) / (1 + η·λ)
///
/// The update of Rendle, Freudenthaler, Gantner, Schmidt-Thieme, "BPR: Bayesian
/// Personalized Ranking from Implicit Feedback", UAI 2009, Fig. 4 and section
/// 4.3.1, whose g is 1 − σ(x·(y_i − y_j) + b_i − b_j). Departures: the penalty is
/// implicit (divided by 1 + ηλ, not times 1 − ηλ), which no rate makes unstable;
/// η = rate / √(Σ |gradient|² / d) of the row, after Duchi, Hazan, Singer, "Adaptive
/// Subgradient Methods", JMLR 2011, a step size a row instead of a coordinate.
/// O(d).
///   apart  [stride] scratch: y_i − y_j
void MoveApart(PairwiseFactors& factors, size_t u, size_t i, size_t j, float pull, PairwiseStep step, std::span<float> apart);

/// WARP's weight of a wanted track for which the t-th drawn track was the first
/// above the margin: L(⌊(p − 1) / t⌋) / L(p − 1), L(k) = Σ_{r≤k} 1/r.
/// Source: Weston, Bengio, Usunier, "WSABIE: Scaling Up to Large Vocabulary Image
/// Annotation", IJCAI 2011, eq. 2 and algorithm 1. Departure: divided by the
/// greatest, so that the rate means the same for any catalogue.
///   result [trials], for t = 1 ... trials
std::vector<float> RankWeights(size_t tracks, size_t trials);

/// Stochastic descent over the pairs of a listener and a wanted track, on all
/// cores with the same bytes for any number of them: listeners lie in B blocks,
/// the tracks are dealt to B blocks anew each epoch, and an epoch has B rounds,
/// in each of which B tasks have a block of listeners and one of tracks each, no
/// two the same: they share no row. A task takes its pairs in random order and
/// draws unwanted tracks from its own block of tracks, which is a random part of
/// the catalogue. B depends on the data alone.
///
/// Source: Gemulla, Haas, Nijkamp, Sismanis, "Large-Scale Matrix Factorization
/// with Distributed Stochastic Gradient Descent", KDD 2011, section 4: strata.
/// Departure: pairs of tracks, so that the blocks of tracks change.
class PairwiseDescent {
 public:
  /// wanted [m listeners x p tracks], borrowed; value: weight of the pair's pull.
  PairwiseDescent(PairwiseLoss loss, const Csr& wanted, size_t tracks, uint64_t seed);

  size_t blocks() const { return blocks_; }
  /// One pass over all pairs. O(pairs · d), WARP's times the trials.
  void Epoch(PairwiseFactors& factors, uint64_t epoch, PairwiseStep step);

 private:
  struct Pair {
    uint32_t listener;
    uint32_t track;
    float weight;
  };
  /// Its first in dealt_.
  size_t FirstTrack(size_t block) const { return block * tracks_ / blocks_; }
  /// Tracks to blocks, and pairs to tasks.
  void Deal(uint64_t epoch);
  void Task(PairwiseFactors& factors, size_t listeners, size_t tracks, Random random, PairwiseStep step);
  /// A track of block `tracks` that the listener does not want; -1 after some tries.
  int64_t Draw(uint32_t listener, size_t tracks, Random& random) const;

  PairwiseLoss loss_;
  const Csr& wanted_;
  size_t tracks_;
  uint64_t seed_;
  size_t blocks_;
  std::vector<size_t> first_listener_;  ///< [B + 1] about as many pairs in each
  std::vector<double> chance_;          ///< [p] a track's weight in being drawn
  std::vector<uint32_t> dealt_;         ///< [p] tracks by block
  std::vector<double> drawn_below_;     ///< [p] sums of chance_ in each block, in dealt_'s order
  std::vector<uint32_t> block_of_;      ///< [p]
  std::vector<Pair> pairs_;             ///< by block of listeners, then of tracks
  std::vector<size_t> begin_;           ///< [B·B + 1]
  std::vector<float> rank_weights_;     ///< [trials] WARP
};

}  // namespace segue::train
