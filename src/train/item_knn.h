#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Nearest tracks of every track (models/item_knn.h), by the listeners they
/// have in common: train/knn_matrix.h has the weightings and similarities.
/// NearestTracks (train/neighbours.h) finds them. Memory: the lists twice.
std::unique_ptr<Trainer> MakeItemKnnTrainer();

}  // namespace segue::train
