#pragma once

#include <memory>
#include <span>
#include <vector>

#include "train/trainer.h"

namespace segue::train {

/// Counts, for each track, the listeners who want it and their plays
/// (models/popularity.h says how they make a score). O(events).
std::unique_ptr<Trainer> MakePopularityTrainer();

/// listeners[i], plays[i] of every track of the dataset.
struct PopularityCounts {
  std::vector<double> listeners;  ///< a float would stop at 2^24
  std::vector<double> plays;

  explicit PopularityCounts(size_t tracks) : listeners(tracks, 0.0), plays(tracks, 0.0) {}
  /// One listener's tracks, or all listeners'.
  void Add(std::span<const Preference> items);
  /// models::PopularityScore of every track: what a model's Catalogue wants.
  std::vector<float> Scores() const;
};

/// PopularityCounts::Scores of all of them.
std::vector<float> PopularityOf(const Preferences& preferences, size_t tracks);

}  // namespace segue::train
