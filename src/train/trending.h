#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Popularity with exponential time decay (models/trending.h has the formula),
/// relative to the newest event of the data, of whatever kind: what a model is
/// does not depend on the day it is trained. A skip, dislike or review tells
/// the time, but keeps no track warm. O(events), one thread, summed in listener
/// order in doubles.
std::unique_ptr<Trainer> MakeTrendingTrainer();

}  // namespace segue::train
