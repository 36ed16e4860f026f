#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// EASE^R (models/ease.h). Inverts the smaller of X·Xᵀ and XᵀX, plus λ
/// (math/inverse.h): O(min(listeners, tracks)³), and that squared of memory.
///
/// Above ease.max_dense (of the smaller side) kInvalid: it would need
/// gigabytes. Same bytes for any number of threads.
///
///   λ = ease.regularization · mean square of the weights · sqrt(mean listeners of a track)
///
/// so that one setting fits catalogues of any density and weights of any size:
/// the best λ on Last.fm-2k (play counts) and MovieLens-100k, by NDCG, differ by
/// a factor of 3.3; by this rule they come from 34 and 36.
std::unique_ptr<Trainer> MakeEaseTrainer();

}  // namespace segue::train
