#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "models/classifier.h"

namespace segue::models {

/// What a feature's values were like in training; all NaN where none was known.
struct FeatureRange {
  float least = 0;
  float low = 0;     ///< 1 % are below
  float median = 0;
  float high = 0;    ///< 1 % are above
  float most = 0;
};
using FeatureRanges = std::vector<FeatureRange>;  ///< [features]

/// Of rows [n x features], NaN missing.
FeatureRanges MeasureRanges(std::span<const float> rows, size_t features);

/// Rows as the model takes them: its features, in its order, found by name.
///   values  [n x names] row by row, NaN missing
/// kInvalid, naming all the features that are lacking (and the names that mean
/// nothing to the model, one of which may be a misspelling), where not all of
/// the model's features are there, where a name stands twice, and where a value
/// is infinite (row, name). Names that the model never saw are left out, see
/// UnknownFeatures. Returns [n x model.features()].
Result<std::vector<float>> ArrangeFeatures(std::span<const std::string> names, std::span<const double> values,
                                           const Classifier& model);

/// The names that the model never saw.
std::vector<std::string> UnknownFeatures(std::span<const std::string> names, const Classifier& model);

/// A value below the least or above the most of training: what is predicted
/// from it was learned from no song.
struct OutsideRange {
  size_t row = 0;
  size_t feature = 0;
  float value = 0;
};
/// Of rows [n x ranges], in order.
std::vector<OutsideRange> FindOutside(std::span<const float> rows, std::span<const FeatureRange> ranges);

/// Sentences for people about rows [n x ranges]: a feature whose median lies
/// where less than 1 % of the training values did ("duration_ms: the median
/// is 201.3; in training 98 % were between 91000 and 512000. In other units?"),
/// else one that has values outside of the trained range, with the first of
/// them (`where` names a row: "a.csv line 7"), their number and the range.
std::vector<std::string> RangeWarnings(std::span<const float> rows, std::span<const FeatureRange> ranges,
                                       std::span<const std::string> features, const std::vector<std::string>& where);

}  // namespace segue::models
