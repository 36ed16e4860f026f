#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Cuts sessions (train/sessions.h) and indexes them by track; the model
/// (models/session_knn.h) finds the nearest when asked.
///
/// Source: Jannach, Ludewig, RecSys 2017, section 2.2: the index, and that only
/// the newest sessions of a track are looked at.
/// Departure: the newest `most_sessions` of each track are chosen here and
/// nothing else is kept: a session in no track's index is dropped, so that the
/// artifact is bounded by tracks · most_sessions entries. Sessions without an
/// order are drawn instead, by a hash of the seed and the session: the same
/// ones for all tracks, so that overlaps stay what they are.
///
/// The defaults of both models of the next track are tuned on real Spotify
/// histories cut at 30 to 60 % of each (the next fifth, and the next 30 plays),
/// and the number of neighbours also on a part of lastfm-2k's train file.
///
/// O(plays · log), one thread.
std::unique_ptr<Trainer> MakeSessionKnnTrainer();

}  // namespace segue::train
