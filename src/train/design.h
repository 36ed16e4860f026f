#pragma once

#include <optional>
#include <span>

#include "core/result.h"
#include "models/design.h"

namespace segue::train {

/// Which columns a design has for each feature that varies. A feature that is
/// missing in some of the rows also gets an indicator.
struct DesignChoices {
  bool linear = true;      ///< the value
  bool quantile = false;   ///< its normal score
  int64_t parts = 0;       ///< pieces of the piecewise-linear encoding, equal shares of the rows
  bool equals = false;     ///< one indicator a value, where there are 3 to 16 values
  std::optional<size_t> duration = {};  ///< a feature: one indicator of whole CD frames (models/row_binner.h)
  bool pairs = false;      ///< products of all two features' values (normal scores where there are any)
};

/// Chooses columns and measures their knots, means and deviations on
/// rows [n x features], NaN missing. Constant features get no column.
/// kInvalid where no feature varies. Same bytes for any number of threads.
Result<models::Design> MakeDesign(std::span<const float> rows, size_t features, const DesignChoices& choices);

/// Φ⁻¹(p), 0 < p < 1: by halving, to float precision.
double NormalQuantile(double p);

}  // namespace segue::train
