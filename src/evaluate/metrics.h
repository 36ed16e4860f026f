#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace segue::evaluate {

// One listener's ranked list against what he was found to want. `hits[r]` is 1
// where the track of rank r + 1 is relevant; `relevant` counts all that he
// wants, also what the list does not have. Binary relevance throughout.

/// 1 / rank of the first hit; 0 where there is none. Voorhees, TREC-8, 1999.
double ReciprocalRank(std::span<const uint8_t> hits);

/// 1 where one of the first n is a hit.
double HitRate(std::span<const uint8_t> hits, size_t n);

/// hits among the first n / n.
double Precision(std::span<const uint8_t> hits, size_t n);

/// hits among the first n / relevant.
double Recall(std::span<const uint8_t> hits, size_t n, size_t relevant);

/// Σ_{r ≤ n} hit_r / log2(r + 1), divided by the same for a perfect list, which
/// has min(n, relevant) hits in front. Järvelin, Kekäläinen, TOIS 2002.
double Ndcg(std::span<const uint8_t> hits, size_t n, size_t relevant);

/// Σ_{r ≤ n} hit_r · precision at r, divided by min(n, relevant).
double AveragePrecision(std::span<const uint8_t> hits, size_t n, size_t relevant);

}  // namespace segue::evaluate
