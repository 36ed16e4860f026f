#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

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
  int64_t tastes = 16;            ///< latent genres
  double drift = 0.005;           ///< share of a listener's taste that moves each day
  int64_t switch_day = -1;        ///< on this day, before its drift, everybody's taste becomes another; -1 never
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
/// Model: each track belongs to a taste, nearly always its artist's, and has a
/// power-law popularity, the more of it the more danceable and energetic it is for
/// its taste, and is labelled a hit where it is among the fifth most popular;
/// each listener a Dirichlet taste that random-walks by `drift` a day; audio
/// features are drawn around the tastes' means; a play is cut short more often
/// the less the track suits the listener; favourites are repeated. On switch_day
/// each listener's shares move on by one and the same number of tastes, drawn
/// for him, and his favourites are forgotten. Memory: the catalogue and one
/// listener's plays.
Result<Summary> Simulate(const World& world, const std::filesystem::path& folder,
                         Instruments& instruments);

/// The truth behind the files, to hold a model against.
///
/// A listener's taste after `day` + 1 days of drift: [tastes] shares that sum to 1.
/// Listeners count from 0: listener-001 is 0.
std::vector<double> TasteOn(const World& world, int64_t listener, int64_t day);
/// The taste that each track belongs to: [tracks], each in [0, tastes).
std::vector<int> TrackTastes(const World& world);

}  // namespace segue::simulate
