#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Counts what listeners play soon after a track, within a session
/// (train/sessions.h):
///
///   c(s, t) = Σ_sessions 2^(−age / half-life) · Σ_{s at i, t at j, i ≠ j, |j − i| ≤ steps} v(j − i),
///   v(d) = 1/d forward, backward/|d| backward
///
/// Source: the sequential rules of Ludewig, Jannach, "Evaluation of
/// Session-based Recommendation Algorithms", UMUAI 2018, section 3.1.3 (eq. 4);
/// steps = 1 and backward = 0 is their first-order Markov chain (eq. 3).
/// Departures: rules also count backwards, less, because albums and playlists
/// are heard in any order; sessions fade with age; a track does not follow
/// itself (habits have their own term, models/sequence.h). A session without
/// an order counts every pair of its n tracks with 1/√n, so that long
/// histories, which say less of each pair, do not drown short ones.
///
/// The artifact keeps each track's `kept` best followers. Rows of c are
/// independent, each summed in the order of the sessions: same bytes for any
/// number of threads. O(plays · steps); unordered: O(Σ n²), n ≤ kMostUnordered.
std::unique_ptr<Trainer> MakeMarkovTrainer();

}  // namespace segue::train
