#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// What came of making a model again from its manifest.
struct Reproduction {
  std::string model_id, algorithm;
  std::string stored_sha256;    ///< of the artifact that is there
  std::string manifest_sha256;  ///< what its manifest says of it; "" where it says nothing
  std::string rebuilt_sha256;
  uint64_t stored_bytes = 0, rebuilt_bytes = 0;
  std::optional<uint64_t> differs_at;  ///< the first byte that is another; the shorter's end
  double seconds = 0;                  ///< to train it
  /// Kernels of then and of now, where they are others: a reason for other bytes.
  std::string other_kernels;

  bool identical() const { return !differs_at.has_value(); }
};

/// Trains the model again in the scratch folder, with the dataset, settings,
/// seed and split that its manifest names (and with nothing of the present
/// settings but threads), and compares the bytes. Of either kind. Changes
/// nothing. kNotFound where model, artifact or dataset are not there, kConflict
/// where the program trains otherwise than the one that made it (training
/// version), kCorrupt where the manifest lacks what it takes.
Result<Reproduction> Reproduce(const Context& context, std::string_view model_id, Instruments& instruments);

}  // namespace segue::pipeline
