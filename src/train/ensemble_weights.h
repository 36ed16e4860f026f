#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace segue::train {

/// Weights of a mean of probabilities that has the least log loss, by greedy
/// forward selection with replacement: the mean begins empty, and again and
/// again the member is added once more after which the loss is least; a weight
/// is how often it was added, up to the best mean on the way. Done on several
/// random halves of the rows, whose weights are averaged.
///
/// Source: Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble Selection from
/// Libraries of Models", ICML 2004, sections 2.1 and 2.3; halves of the rows are
/// the bags. Lists of tracks have the like in train/ensemble_selection.h.
///
///   predictions  [members], each [n x labels], out of fold
///   label        [n]
/// Returns [members], >= 0, sum 1. O(bags · steps · members · n).
/// Same bytes for any number of threads.
std::vector<float> SelectWeights(std::span<const std::vector<float>> predictions, std::span<const int32_t> label, size_t labels,
                                 uint64_t seed);

}  // namespace segue::train
