#pragma once

#include <cstdint>
#include <vector>

#include "core/dataset.h"
#include "models/liking.h"

namespace segue::train {

/// A part of the training data, and what its listeners went on to hear: what
/// models are compared and combined on without looking at any hold-out.
struct InnerSplit {
  Dataset train;                            ///< same tracks and listeners
  std::vector<std::vector<TrackIx>> held;   ///< [listeners] ascending; tracks not in his part of train
};

/// Fold `fold` of `folds`. Where most events have a time, fold 0 holds out what
/// each listener first met in the newest tenth of his events, fold 1 in the
/// tenth before it, with nothing newer in train, and so on (4 at most). Else
/// fold f holds out each (listener, track) with hash(seed, listener, track)
/// mod 10 = f. Only what he wants by the rule counts as held out.
InnerSplit SplitInside(const Dataset& data, models::Liked liked, uint64_t seed, uint32_t fold);
inline constexpr uint32_t kMostFolds = 4;

}  // namespace segue::train
