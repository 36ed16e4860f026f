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
///
/// at_or_above_mean is the relevance of the MRR of record: the rating is at or
/// above the listener's mean rating. Where a track has a rating, its newest one
/// counts, and the mean is over his rated tracks in train (in the hold-out
/// where he rated nothing there). Where it has none, its strength stands for
/// the rating (core/preferences.h: play count, skips taken off, likes added),
/// and the mean is, for files given apart, over his tracks in train (in the
/// hold-out where there are none); for a cut by time over his held-out tracks:
/// what he met a week ago cannot have the play count of what he replayed for years.
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
///   listener_time  each listener's newest share of events, rounded up, but
///                  never all: a listener of one event has no hold-out
///   global_time    everything after one moment, the newest share of all events
/// Events at the very moment of the cut are all held out; where that would
/// leave no past, none of them is and the cut moves on to the next moment.
/// Times that are unknown (0) or all the same give no order. listener_time
/// then holds out by a hash of listener and track (all events of a track go
/// together; the same pair always goes the same way); global_time does so where no
/// event has an order, else what has no time stays in the past.
///
/// Reviews stay in the past where their events do.
///
/// Discovery: held-out tracks that the listener's past already has are dropped.
/// A skip or dislike alone is never held out as wanted: a rated track is held
/// out unless disliked, any other where its strength is above 0.
Split SplitByTime(const Dataset& data, const Settings& settings);
/// The same without copying the catalogue and the events.
Split SplitByTime(Dataset&& data, const Settings& settings);

/// Train and test files given apart, over the same tracks and listeners (as
/// store::LoadCsvFiles makes them; CHECK): every test row is held out, except, for
/// discovery, those in the listener's train. Dislikes and skips are not. A train that is moved in is not copied.
Split SplitGiven(Dataset train, const Dataset& test, const Settings& settings);

/// Full ranking of the whole catalogue for each listener of the split; lists
/// of evaluate.list_length, discovery without the listener's past, and always
/// without what train does not know to exist (UnknownTracks): to find a track
/// that the hold-out brought into the catalogue is to have looked. Those, and
/// tracks the model does not know, are ranked nowhere, but stay relevant. See metrics.h for
/// the definitions.
///
/// Figures, means over listeners with 95 % bootstrap intervals (math/bootstrap.h):
///   mrr  hit_rate@1,5,10,20  precision@10  recall@10,20,50,100  ndcg@10,100
///   map@10  novelty@10  popularity_rank@10
///   diversity@10  different artists in the top 10 over its length; a track of
///                 unknown artist counts as one by itself
///   mrr_of_record  only tracks at_or_above_mean are relevant; a listener with
///                  none is NaN in per_listener and not in the mean
/// and, of all lists together, so without an interval and not per listener:
///   coverage@10  of the tracks that train knows, the share that is in anybody's
///                top 10
/// An N above evaluate.list_length sees only what the list has.
///
/// Parallel over listeners (train.threads); same bytes for any number of
/// threads. Memory: a byte a track and thread beside the model's own, and a number a
/// listener and figure. kInvalid where nothing is held out, kCancelled when asked to stop.
Result<Report> Evaluate(const models::Model& model, const Split& split, const Settings& settings,
                        uint64_t seed, Instruments& instruments);

}  // namespace segue::evaluate
