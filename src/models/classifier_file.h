#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "models/classifier.h"
#include "models/model_file.h"

// What the artifacts of all classifiers have in common.

namespace segue::models {

/// Sections "algorithm", "features" and "labels" (texts, each ended by '\0').
void AddClassifier(ModelFileWriter& writer, const Classifier& model);

struct ClassifierNames {
  std::vector<std::string> features;  ///< one or more, distinct
  std::vector<std::string> labels;    ///< two or more
};
/// kCorrupt where there are too few of either, or a feature stands twice.
Result<ClassifierNames> ReadClassifierNames(const ModelFile& file);

/// kCorrupt, with the file's name.
Error DamagedClassifier(const ModelFile& file, std::string_view what);

/// LoadClassifier of a file that is mapped already, or lies inside another.
Result<std::unique_ptr<Classifier>> OpenClassifier(std::shared_ptr<const ModelFile> file);

/// Puts the model's whole artifact into section `name`, by way of a file beside
/// `file` that is gone afterwards. ModelFile::Inside opens it again.
Status AddInside(ModelFileWriter& writer, std::string_view name, const Classifier& model, const std::filesystem::path& file);

}  // namespace segue::models
