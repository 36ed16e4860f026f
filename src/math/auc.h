#pragma once

#include <cstdint>
#include <span>

namespace segue::math {

/// Area under the ROC curve: the share of pairs of a positive and a negative in
/// which the positive has the higher score, ties counting half; by midranks:
///
///   AUC = ( Σ_{positive} rank - p·(p + 1)/2 ) / (p·n)
///
/// Hanley, McNeil, Radiology 1982; Mann, Whitney, 1947. NaN where there are no
/// positives or no negatives. O(n log n).
///   scores, positive  [n]
double Auc(std::span<const float> scores, std::span<const uint8_t> positive);

}  // namespace segue::math
