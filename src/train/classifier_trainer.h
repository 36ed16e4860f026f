#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "core/songs.h"
#include "models/classifier.h"

namespace segue::train {

/// Names that MakeClassifierTrainer knows, in the order of the documentation.
std::vector<std::string_view> KnownClassifiers();

/// Fits one algorithm of classification. Stateless.
class ClassifierTrainer {
 public:
  virtual ~ClassifierTrainer() = default;
  virtual std::string_view algorithm() const = 0;

  /// Learns from `rows` of the table, all of them labelled (labels of the table
  /// that none of them has are classes of probability about 0). Same table, rows,
  /// settings and seed: the same model, byte for byte, for any number of threads
  /// (train.threads). kInvalid where nothing can be learned (no rows, no feature,
  /// one class alone), kCancelled when asked to stop.
  virtual Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows,
                                                          const Settings& settings, uint64_t seed,
                                                          Instruments& instruments) const = 0;
};

/// All settings that a classifier of this algorithm depends on, as text: part of
/// its id and of its manifest.
std::string SettingsOfClassifier(std::string_view algorithm, const Settings& settings);

/// An unknown name's error lists the known ones.
Result<std::unique_ptr<ClassifierTrainer>> MakeClassifierTrainer(std::string_view algorithm);

}  // namespace segue::train
