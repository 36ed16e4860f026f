#include "models/classifier.h"

#include <fstream>
#include <set>
#include <sstream>

#include "models/boosting_classifier.h"
#include "models/calibrated_classifier.h"
#include "models/classifier_file.h"
#include "models/ensemble_classifier.h"
#include "models/forest_classifier.h"
#include "models/knn_classifier.h"
#include "models/logistic_classifier.h"
#include "models/mlp_classifier.h"

namespace segue::models {
namespace {

using Opener = Result<std::unique_ptr<Classifier>> (*)(std::shared_ptr<const ModelFile>);

/// What opens an artifact whose section "algorithm" has this name.
constexpr std::pair<std::string_view, Opener> kClassifiers[] = {
    {ForestClassifier::kRandomForest, ForestClassifier::Open},
    {ForestClassifier::kExtraTrees, ForestClassifier::Open},
    {BoostingClassifier::kAlgorithm, BoostingClassifier::Open},
    {KnnClassifier::kAlgorithm, KnnClassifier::Open},
    {LogisticClassifier::kAlgorithm, LogisticClassifier::Open},
    {MlpClassifier::kAlgorithm, MlpClassifier::Open},
    {EnsembleClassifier::kAlgorithm, EnsembleClassifier::Open},
    {CalibratedClassifier::kAlgorithm, CalibratedClassifier::Open},
};

std::string Joined(const std::vector<std::string>& texts) {
  std::string all;
  for (const std::string& text : texts) {
    all += text;
    all += '\0';
  }
  return all;
}

Result<std::vector<std::string>> ReadTexts(const ModelFile& file, std::string_view section) {
  SEGUE_TRY(std::string_view bytes, file.Section(section));
  std::vector<std::string> texts;
  while (!bytes.empty()) {
    const size_t end = bytes.find('\0');
    if (end == std::string_view::npos) return DamagedClassifier(file, "the last of its " + std::string(section) + " has no end");
    texts.emplace_back(bytes.substr(0, end));
    bytes.remove_prefix(end + 1);
  }
  return texts;
}

}  // namespace

void AddClassifier(ModelFileWriter& writer, const Classifier& model) {
  writer.Add("algorithm", model.algorithm());
  writer.Add("features", Joined(model.features()));
  writer.Add("labels", Joined(model.labels()));
}

Result<ClassifierNames> ReadClassifierNames(const ModelFile& file) {
  ClassifierNames names;
  SEGUE_TRY(names.features, ReadTexts(file, "features"));
  SEGUE_TRY(names.labels, ReadTexts(file, "labels"));
  if (names.features.empty() || names.labels.size() < 2) {
    return DamagedClassifier(file, std::to_string(names.features.size()) + " features and " + std::to_string(names.labels.size()) + " labels");
  }
  if (std::set<std::string>(names.features.begin(), names.features.end()).size() != names.features.size()) {
    return DamagedClassifier(file, "a feature stands twice");
  }
  return names;
}

Error DamagedClassifier(const ModelFile& file, std::string_view what) {
  return {ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: " + std::string(what)};
}

Status AddInside(ModelFileWriter& writer, std::string_view name, const Classifier& model, const std::filesystem::path& file) {
  const std::filesystem::path part = file.string() + "." + std::string(name);
  Status saved = model.Save(part);
  std::ostringstream bytes;
  if (saved.ok()) bytes << std::ifstream(part, std::ios::binary).rdbuf();
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  SEGUE_RETURN_IF_ERROR(saved);
  writer.Add(name, bytes.view());
  return {};
}

Result<std::unique_ptr<Classifier>> OpenClassifier(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(const std::string_view algorithm, file->Section("algorithm"));
  std::string known;
  for (const auto& [name, open] : kClassifiers) {
    if (name == algorithm) return open(std::move(file));
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kCorrupt, "model file " + file->path().string() + " is of algorithm '" + std::string(algorithm) +
                                        "', which is no classifier that this segue knows (it knows " + known + ")"};
}

Result<std::unique_ptr<Classifier>> LoadClassifier(const std::filesystem::path& file) {
  SEGUE_TRY(auto mapped, ModelFile::Map(file));
  return OpenClassifier(std::move(mapped));
}

}  // namespace segue::models
