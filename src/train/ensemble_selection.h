#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "train/lambdamart.h"

namespace segue::train {

/// Weights of a mean of columns (models::MeanOfKnown) that orders the lists
/// best, by greedy forward selection with replacement: the mean begins empty,
/// and again and again the column is added once more after which the lists are
/// best; a column's weight is how often it was added, up to the best mean on
/// the way. Done on several random halves of the lists, whose weights are
/// averaged.
///
/// Few numbers, coarse steps and an average: hardly anything to overfit with,
/// also where there are only some hundred lists.
///
/// Source: Caruana, Niculescu-Mizil, Crew, Ksikes, "Ensemble Selection from
/// Libraries of Models", ICML 2004, sections 2.1 and 2.3. Departure: halves of
/// the lists instead of subsets of the models are the bags.
///
///   data.features  [rows x columns] comparable values (standard scores); NaN: not known
/// Returns [columns] weights, >= 0, sum 1. The first column alone where there are no lists.
/// Same bytes for any number of threads.
std::vector<float> SelectEnsemble(const RankingData& data, uint64_t seed);

/// [columns] 1 for the column that orders the lists best alone, 0 for the others.
std::vector<float> BestColumn(const RankingData& data);

/// [rows] models::MeanOfKnown of each.
std::vector<float> MeanScores(std::span<const float> weights, const RankingData& data);

/// How much better one column is than a mean, where both are chosen on some
/// lists and judged on others: [judged lists] differences of quality. Empty
/// where either has no lists.
std::vector<double> GainsOfOne(const RankingData& chosen_on, const RankingData& judged_on, uint64_t seed);

}  // namespace segue::train
