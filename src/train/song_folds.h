#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/songs.h"
#include "train/classifier_trainer.h"

namespace segue::train {

/// What stays together in a fold: nothing but the row itself, or an artist's songs.
enum class FoldsBy { kSong, kArtist };

/// A fold of 0 ... folds - 1 for each of the rows. By song: random, each label
/// spread evenly. By artist: artists in random order, each to the fold that has
/// the fewest songs; songs of unknown artist are artists of their own.
std::vector<uint32_t> SongFolds(const SongTable& songs, std::span<const uint32_t> rows, size_t folds, FoldsBy by, uint64_t seed);

/// Probabilities of each row by a model that was fitted on the other folds.
/// [rows x labels]. Errors of Fit (a fold's rest may lack a class).
Result<std::vector<float>> OutOfFold(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                     std::span<const uint32_t> fold_of, size_t folds, const Settings& settings, uint64_t seed,
                                     Instruments& instruments);

/// Rows' labels, none -1.
std::vector<int32_t> LabelsOf(const SongTable& songs, std::span<const uint32_t> rows);

/// Mean of -log of the label's probability.  p [n x labels]
double MeanLogLoss(std::span<const float> p, std::span<const int32_t> label, size_t labels);

}  // namespace segue::train
