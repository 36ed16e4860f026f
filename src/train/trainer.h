#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/dataset.h"
#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "models/model.h"

namespace segue::train {

/// Names that MakeTrainer knows, in the order of the documentation.
std::vector<std::string_view> KnownAlgorithms();

/// Fits one algorithm. Stateless; one object may fit many datasets.
class Trainer {
 public:
  virtual ~Trainer() = default;
  virtual std::string_view algorithm() const = 0;
  /// Do its models answer PredictRating?
  virtual bool PredictsRatings() const { return false; }

  /// Same dataset, settings and seed: the same model, byte for byte, for any
  /// number of threads (train.threads). kInvalid where the data cannot train
  /// it (no interactions), kCancelled when asked to stop.
  virtual Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings,
                                                     uint64_t seed, Instruments& instruments) const = 0;
};

/// All settings that a model of this algorithm depends on, as text: part of
/// its id and of its manifest.
std::string SettingsOf(std::string_view algorithm, const Settings& settings);

/// Sets one setting as somebody says it who speaks of this algorithm: its own
/// and train.'s and evaluate.'s settings need no prefix. `algorithm` may be "".
Status SetFor(Settings& settings, std::string_view algorithm, std::string_view key, std::string_view text);

/// An unknown name's error lists the known ones.
Result<std::unique_ptr<Trainer>> MakeTrainer(std::string_view algorithm);

}  // namespace segue::train
