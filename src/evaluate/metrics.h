#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/ids.h"

namespace segue::evaluate {

// One listener's ranked list against what he was found to want. `hits[r]` is 1
// where the track of rank r + 1 is relevant; `relevant` counts all that he
// wants, also what the list does not have. Binary relevance throughout. A list
// shorter than n is as one filled up with misses. With nothing relevant there
// is no figure: callers leave such a listener out (here all are 0).
// Report takes means over listeners.

/// hits [ranked]: 1 where the track is in `relevant`, which ascends.
std::vector<uint8_t> MarkHits(std::span<const TrackIx> ranked, std::span<const TrackIx> relevant);

/// 1 / rank of the first hit; 0 where there is none. Voorhees, TREC-8, 1999.
double ReciprocalRank(std::span<const uint8_t> hits);

/// 1 where one of the first n is a hit.
double HitRate(std::span<const uint8_t> hits, size_t n);

/// hits among the first n / n.
double Precision(std::span<const uint8_t> hits, size_t n);

/// hits among the first n / relevant.
double Recall(std::span<const uint8_t> hits, size_t n, size_t relevant);

/// hits among the first n / min(n, relevant): 1 is in reach also where he wants
/// more than n.
double RecallTruncated(std::span<const uint8_t> hits, size_t n, size_t relevant);

/// Σ_{r ≤ n} hit_r / log2(r + 1), divided by the same for a perfect list, which
/// has min(n, relevant) hits in front. Järvelin, Kekäläinen, TOIS 2002.
double Ndcg(std::span<const uint8_t> hits, size_t n, size_t relevant);

/// Σ_{r ≤ n} hit_r · precision at r, divided by min(n, relevant).
double AveragePrecision(std::span<const uint8_t> hits, size_t n, size_t relevant);

// How far predicted ratings are off. NaN where there are none.

/// Root of the mean square of predicted - actual. Both [n] (CHECK).
double Rmse(std::span<const double> predicted, std::span<const double> actual);

/// Mean of |predicted - actual|. Both [n] (CHECK).
double Mae(std::span<const double> predicted, std::span<const double> actual);

// What the list holds, whether it hits or not.

/// Mean over the first n of -log2 p(track), in bits: how unexpected the list is.
/// Zhou et al., "Solving the apparent diversity-accuracy dilemma", PNAS 2010.
/// p is the share of listeners who have the track in train; a track that nobody
/// has counts as one listener's. NaN for an empty list.
///   heard_by  [tracks] listeners who have the track in train
double Novelty(std::span<const TrackIx> ranked, size_t n, std::span<const uint32_t> heard_by, uint64_t listeners);

/// [tracks] where each stands by popularity: the share of the played catalogue
/// (heard_by > 0) that more listeners have than it. 0 for the most heard, near
/// 1 for the rarest, 1 for a track that nobody has.
std::vector<float> PopularityRanks(std::span<const uint32_t> heard_by);

/// Mean popularity rank of the first n; near 0 the list is the charts: a
/// model's popularity bias. NaN for an empty list.
double MeanPopularityRank(std::span<const TrackIx> ranked, size_t n, std::span<const float> ranks);

}  // namespace segue::evaluate
