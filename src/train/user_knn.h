#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Keeps every listener's weighted row, for neighbours to be found when they
/// are asked for (models/user_knn.h). O(events); user_knn.* settings.
std::unique_ptr<Trainer> MakeUserKnnTrainer();

/// The same with friends for neighbours, where the data tell who they are.
std::unique_ptr<Trainer> MakeFriendsTrainer();

}  // namespace segue::train
