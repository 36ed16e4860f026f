#pragma once

#include <memory>

#include "train/trainer.h"

namespace segue::train {

/// Counts, for each track, the listeners who want it and their plays
/// (models/popularity.h says how they make a score). O(events).
std::unique_ptr<Trainer> MakePopularityTrainer();

/// listeners[i], plays[i] of every track of the dataset.
struct PopularityCounts {
  std::vector<float> listeners;
  std::vector<float> plays;
};
PopularityCounts CountPopularity(const Preferences& preferences, size_t tracks);

/// models::PopularityScore of every track: what a model's Catalogue wants.
std::vector<float> PopularityOf(const Preferences& preferences, size_t tracks);

}  // namespace segue::train
