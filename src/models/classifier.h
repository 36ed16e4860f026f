#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"
#include "models/model_file.h"

namespace segue::models {

/// A model of a song's class from its numbers: hit or not, or which genre.
/// Immutable; all calls from any thread.
class Classifier {
 public:
  virtual ~Classifier() = default;
  virtual std::string_view algorithm() const = 0;
  /// The numeric columns it was trained on, in the order of a row.
  const std::vector<std::string>& features() const { return features_; }
  /// The classes, two or more, in the order of Predict's columns.
  const std::vector<std::string>& labels() const { return labels_; }

  /// Probabilities of each row's classes, which sum to 1.
  ///   rows [n x features] row by row, NaN missing;  out [n x labels]
  virtual void Predict(std::span<const float> rows, std::span<float> out) const = 0;

  /// One artifact (models/model_file.h), written and synced.
  virtual Status Save(const std::filesystem::path& file) const = 0;

 protected:
  Classifier(std::vector<std::string> features, std::vector<std::string> labels)
      : features_(std::move(features)), labels_(std::move(labels)) {}

 private:
  std::vector<std::string> features_;
  std::vector<std::string> labels_;
};

/// Maps an artifact that Classifier::Save wrote. kNotFound; kCorrupt where it is
/// damaged or not a classifier; the error names the file.
Result<std::unique_ptr<Classifier>> LoadClassifier(const std::filesystem::path& file);

}  // namespace segue::models
