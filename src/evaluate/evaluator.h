#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "core/dataset.h"
#include "core/instruments.h"
#include "core/report.h"
#include "core/result.h"
#include "core/settings.h"
#include "models/model.h"

namespace segue::evaluate {

/// One held-out track of a listener.
struct HeldOut {
  TrackIx track{};
  float rating = 1;       ///< rating, or play count within the hold-out
  bool at_or_above_mean = true;  ///< rating >= the listener's mean (MRR of record)
};

/// What models are judged on: a past they may see and a future they may not.
/// Every model gets the listener's `past` through FoldIn, so that a model of
/// last month and one of today are judged alike.
struct Split {
  Dataset train;                        ///< same tracks and listeners as the whole
  std::vector<UserIx> listeners;        ///< those with something held out, ascending
  std::vector<uint64_t> begin;          ///< [listeners + 1] into held_out
  std::vector<HeldOut> held_out;        ///< ascending by track in each listener
  std::string description;              ///< for people: "last 20 % of each listener's ..."
};

/// Cuts by time (evaluate.split, evaluate.holdout_share).
///   listener_time  each listener's newest share of plays
///   global_time    everything after one moment
/// Discovery: held-out tracks that the listener's past already has are dropped.
/// A skip or dislike alone is never held out as wanted.
Split SplitByTime(const Dataset& data, const Settings& settings);

/// Train and test files given apart: every test row is held out, except, for
/// discovery, those in the listener's train.
Split SplitGiven(const Dataset& train, const Dataset& test, const Settings& settings);

/// Full ranking of the whole catalogue for each listener of the split; lists
/// of evaluate.list_length, discovery without the listener's past. Tracks the
/// model does not know are ranked nowhere. See metrics.h for the definitions.
/// Intervals by bootstrap over listeners with `seed`.
Result<Report> Evaluate(const models::Model& model, const Split& split, const Settings& settings,
                        uint64_t seed, Instruments& instruments);

}  // namespace segue::evaluate
