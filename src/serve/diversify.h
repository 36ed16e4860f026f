#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

namespace segue::serve {

/// How much tracks are wanted, with the dial of novelty ν in [0, 1]:
///
///   wanted(i) = (1 − ν)·(s_i − min s) / (max s − min s) + ν·novelty(i)
///
/// over the pool; the first part is 1 where all scores are the same.
///
///   scores   [n]  the model's
///   novelty  [n]  in [0, 1], serve/facets.h
std::vector<float> Wanted(std::span<const float> scores, std::span<const float> novelty, double dial);

/// Takes tracks of a pool one by one, each time the one with the largest
///
///   (1 − δ)·wanted(i) − δ·max_{j taken} likeness(i, j),
///
/// the maximum 0 before the first; ties to the earlier in the pool. δ = 0: as
/// wanted. Stops after n, or where none fits any more.
/// Source: maximal marginal relevance, Carbonell, Goldstein, "The Use of MMR,
/// Diversity-Based Reranking", SIGIR 1998, with λ = 1 − δ.
///
///   wanted    [pool]
///   likeness  of two of the pool, by their places in it, in [0, 1]; not asked where δ = 0
///   take      may this one be taken now? Is asked of the best, and where it says
///             so, it has been taken; else it is out
/// Places in the pool, as taken. O(n · pool).
std::vector<size_t> Diversify(std::span<const float> wanted, size_t n, double diversity, const std::function<float(size_t, size_t)>& likeness,
                              const std::function<bool(size_t)>& take);

}  // namespace segue::serve
