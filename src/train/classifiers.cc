#include "train/boosting_classifier.h"
#include "train/classifier_parts.h"
#include "train/classifier_trainer.h"
#include "train/forest_classifier.h"

namespace segue::train {
namespace {

using Maker = std::unique_ptr<ClassifierTrainer> (*)();

/// Every classifier, one line each, in the order of the documentation.
constexpr std::pair<std::string_view, Maker> kClassifiers[] = {
    {"random_forest", MakeForestTrainer},
    {"extra_trees", MakeExtraTreesTrainer},
    {"gradient_boosting", MakeBoostingTrainer},
    {"knn", MakeKnnClassifierTrainer},
    {"logistic", MakeLogisticTrainer},
    {"mlp", MakeMlpTrainer},
    {"ensemble", MakeEnsembleTrainer},
};

}  // namespace

std::vector<std::string_view> KnownClassifiers() {
  std::vector<std::string_view> names;
  for (const auto& [name, make] : kClassifiers) names.push_back(name);
  return names;
}

std::string SettingsOfClassifier(std::string_view algorithm, const Settings& settings) {
  std::string text = "train.seed=" + std::to_string(settings.seed) + "\n";
  for (const auto& [name, make] : kClassifiers) {
    // An ensemble may be made of all the others.
    if (name != algorithm && algorithm != "ensemble") continue;
    const std::string_view prefix = name == "random_forest" ? "forest" : name == "gradient_boosting" ? "boosting" : name;
    text += ResultFingerprint(settings, std::string(prefix) + ".");
  }
  return text;
}

Result<std::unique_ptr<ClassifierTrainer>> MakeClassifierTrainer(std::string_view algorithm) {
  std::string known;
  for (const auto& [name, make] : kClassifiers) {
    if (name == algorithm) return make();
    known += (known.empty() ? "" : ", ") + std::string(name);
  }
  return Error{ErrorCode::kInvalid, "unknown classifier '" + std::string(algorithm) + "'; known: " + known};
}

}  // namespace segue::train
