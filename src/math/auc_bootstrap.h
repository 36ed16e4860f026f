#pragma once

#include <cstdint>
#include <span>

#include "math/bootstrap.h"

namespace segue::math {

/// Percentile bootstrap of the AUC of scores [n] (math/auc.h); `mean` is the AUC
/// itself. Resample k draws its rows with replacement from its own stream
/// (seed, k): same result for any number of threads. Resamples that lack a class
/// are left out. Sorted once, O(samples · n).
///   score, positive  [n]
Interval BootstrapAuc(std::span<const float> score, std::span<const uint8_t> positive, int64_t samples, double confidence,
                      uint64_t seed);

/// The same for AUC(first) - AUC(second) of two scores of the same rows, each
/// resample shared by both: what a paired comparison of two models asks for.
///   first, second, positive  [n] (CHECK)
Interval BootstrapAucDifference(std::span<const float> first, std::span<const float> second, std::span<const uint8_t> positive,
                                int64_t samples, double confidence, uint64_t seed);

}  // namespace segue::math
