#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "math/bootstrap.h"
#include "models/classifier.h"

namespace segue::evaluate {

/// How sure the figures of a test part are, and what they lean on. label [n],
/// p [n x classes] as in evaluate/classification.h. Resample k draws rows with
/// replacement from its own stream (seed, k): same for any number of threads.
struct FigureIntervals {
  math::Interval accuracy, log_loss, brier;
  math::Interval auc;   ///< two classes; else all NaN
};
FigureIntervals BootstrapFigures(std::span<const int32_t> label, std::span<const float> p, size_t classes, int64_t samples,
                                 double confidence, uint64_t seed);

/// Two models on the same rows.
struct PairedComparison {
  uint64_t only_first = 0;    ///< rows that the first alone has right
  uint64_t only_second = 0;
  double mcnemar_p = 1;       ///< two-sided: exact binomial below 25 such rows, else χ² with Edwards' correction
  math::Interval accuracy;    ///< first - second
  math::Interval auc;         ///< first - second, each resample shared by both; two classes, else NaN
};
/// McNemar, Psychometrika 1947; Edwards 1948.
PairedComparison ComparePaired(std::span<const int32_t> label, std::span<const float> first, std::span<const float> second,
                               size_t classes, int64_t samples, double confidence, uint64_t seed);

struct FeatureImportance {
  std::string feature;
  double drop = 0;        ///< of AUC (several classes: of accuracy) when its values are shuffled, mean of the repeats
  double deviation = 0;   ///< standard deviation over the repeats
};
/// Permutation importance on held-out rows [n x features] (Breiman, 2001,
/// section 10; of the model as it is, nothing is fitted anew), largest first.
/// Of two features that say the same each looks unimportant.
std::vector<FeatureImportance> PermutationImportance(const models::Classifier& model, std::span<const float> rows,
                                                     std::span<const int32_t> label, size_t repeats, uint64_t seed);

}  // namespace segue::evaluate
