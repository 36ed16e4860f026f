#pragma once

#include "core/preferences.h"
#include "core/result.h"
#include "models/rating_scale.h"
#include "train/sparse.h"

namespace segue::train {

/// Preferences as models that predict ratings see them.
struct RatingData {
  models::RatingScale scale;
  Csr ratings;  ///< R(u): by listener, the tracks with a target; value z (models/rating_scale.h)
  Csr chosen;   ///< N(u): by listener, the tracks that he chose; value 1/sqrt|N(u)|
};

/// kInvalid where nobody wants or rates anything; `algorithm` for the message.
Result<RatingData> RatingsOf(const Preferences& preferences, std::string_view algorithm);

}  // namespace segue::train
