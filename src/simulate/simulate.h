#pragma once

#include <cstdint>
#include <filesystem>

#include "core/instruments.h"
#include "core/result.h"

namespace segue::simulate {

/// A made-up world of listeners with known, drifting tastes.
struct World {
  uint64_t seed = 7;
  int64_t listeners = 200;
  int64_t tracks = 3000;
  int64_t artists = 400;
  int64_t days = 180;
  double plays_per_day = 6;       ///< mean a listener
  int64_t tastes = 12;            ///< latent genres
  double drift = 0.02;            ///< share of a listener's taste that moves each day
  int64_t first_day = 1735689600; ///< Unix seconds: 2025-01-01
};

struct Summary {
  int64_t files = 0;
  int64_t plays = 0;
};

/// Writes, below `folder`, the raw formats that ingest/ reads:
/// `<listener>/StreamingHistory<N>.json` (account-data form, 10,000 plays a
/// file) for most listeners, `Streaming_History_Audio_<...>.json` (extended)
/// for every fifth, and `tracks/simulated-of-<decade>s.csv` with the columns
/// of the hit-predictor tables. The same World gives the same bytes.
///
/// Model: each track has a mixture over tastes and a power-law popularity;
/// each listener a Dirichlet taste that random-walks by `drift` a day; audio
/// features are drawn around the tastes' means; a play is cut short more often
/// the less the track suits the listener; favourites are repeated.
Result<Summary> Simulate(const World& world, const std::filesystem::path& folder,
                         Instruments& instruments);

}  // namespace segue::simulate
