#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// ALS (train/ials.h), then the map from content to its factors
/// (models/content_map.h): ridge regression over the played tracks,
///
///   W = argmin Σ_i ω_i |y_i − Wᵀφ_i|² + λ|W|²,   ω_i = n_i / (n_i + κ)
///
/// n_i listeners, κ = ials_content.prior_listeners: a track that one listener
/// played has factors that say little. Solved by conjugate gradients on the
/// sparse φ (train/ridge.h).
///
/// Shrinkage: the map is fitted on each half of the tracks and tried on the
/// other; s = Σ y·ŷ / Σ |ŷ|² over those, kept within 0 to 1, is what makes places
/// of unseen tracks comparable with factors of played ones (least squares: the
/// slope of truth on forecast).
///
/// Sources: as there. Departure: TF-IDF goes in whole, without reduction, since
/// the penalty and the steps of conjugate gradients do what truncation would.
/// Cost: three ridge regressions beside ALS. Parallel; same bytes for any number
/// of threads.
std::unique_ptr<Trainer> MakeIalsContentTrainer();

/// The map and the model from `ials`, an IalsModel that was fitted on `data` with
/// these settings already.
Result<std::unique_ptr<models::Model>> MapContent(const Dataset& data, const models::Model& ials, const Settings& settings, Instruments& instruments);

}  // namespace segue::train
