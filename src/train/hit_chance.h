#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Dataset::hit_chance as a model (models/hit_chance.h): nothing is learned here.
/// kInvalid where no model of hits has judged the tracks.
std::unique_ptr<Trainer> MakeHitChanceTrainer();

}  // namespace segue::train
