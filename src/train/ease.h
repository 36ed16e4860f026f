#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// EASE^R (models/ease.h). Inverts the smaller of X·Xᵀ and XᵀX, plus λ
/// (math/inverse.h): O(min(listeners, tracks)³), and that squared of memory.
///
/// Above ease.max_dense (of the smaller side) kInvalid: it would need
/// gigabytes. Penalty: ease.regularization. Same bytes for any number of
/// threads.
std::unique_ptr<Trainer> MakeEaseTrainer();

}  // namespace segue::train
