#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/dataset.h"
#include "models/classifier.h"
#include "serve/http.h"
#include "serve/server.h"

namespace segue::serve {

class Snapshot;

/// The live model of hits and what it says of one dataset's tracks. Immutable.
struct HitView {
  std::string model_id;
  int64_t live_since = 0;
  std::unique_ptr<models::Classifier> model;
  std::vector<float> probability;  ///< [tracks] of being a hit; NaN where no audio feature is known
};

/// Loads the model and lets it predict all tracks; the features that a track
/// lacks are missing values to it. kCorrupt where the model is none of hits.
Result<std::shared_ptr<const HitView>> LoadHitView(const Context& context, std::string_view model_id, int64_t live_since,
                                                   const Tracks& tracks);

/// {"track","probability","model_id","known_label"?,"missing_features"?}; 409
/// where no model of hits is live, and, with their names, where the track has
/// no audio features.
Response HitOfTrack(const Snapshot& snapshot, uint32_t row);

/// Answers {"features":{name:value,...}} or {"songs":[{name:value,...},...]};
/// a value may be null: missing. {"model_id","predictions":[{"probability",
/// "hit"}],"warnings":[sentence]}. 400 names features that are lacking or that
/// the model does not know.
Response PredictHits(const Snapshot& snapshot, std::string_view body);

/// What a listener plays, most played first, n tracks, with sums over all.
Response HitsOfListener(const Snapshot& snapshot, const std::string& listener, size_t n);

/// The sums over the catalogue.
nlohmann::json HitsOfCatalogue(const Snapshot& snapshot);

}  // namespace segue::serve
