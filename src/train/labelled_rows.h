#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/songs.h"

namespace segue::train {

/// The rows of a SongTable that a classifier learns from, as floats.
struct LabelledRows {
  std::vector<std::string> features;
  std::vector<std::string> labels;
  std::vector<float> x;        ///< [n x features] NaN missing
  std::vector<int32_t> y;      ///< [n] of labels

  size_t size() const { return y.size(); }
};

/// kInvalid where nothing can be learned: no feature, no row, an unlabelled row
/// (with its file and line), one class alone, a value that no float can hold.
Result<LabelledRows> GatherRows(const SongTable& songs, std::span<const uint32_t> rows);

/// The features of some rows alone, unlabelled ones too. [rows x features]
std::vector<float> GatherFeatures(const SongTable& songs, std::span<const uint32_t> rows);

}  // namespace segue::train
