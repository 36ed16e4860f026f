#include "pipeline/reproduce.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/version.h"
#include "math/kernels/kernels.h"
#include "pipeline/hits.h"
#include "pipeline/judge.h"
#include "pipeline/manifest.h"
#include "train/calibration.h"
#include "train/trainer.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A manifest that names all it takes.
struct Recipe {
  std::string model_id, algorithm, dataset_id;
  std::string hit_model;  ///< whose chances it learned from; "" none
  ModelKind kind = ModelKind::kRecommender;
  int64_t seed = 0;
  Settings settings;
};

Error Lacks(std::string_view model_id, const std::string& field) {
  return {ErrorCode::kCorrupt, "the manifest of model " + std::string(model_id) + " lacks '" + field +
                                   "', so it does not tell how to make it again; a model that this segue trains has it"};
}

Result<std::string> Text(const json& manifest, std::string_view model_id, const std::string& field) {
  const auto value = manifest.find(field);
  if (value == manifest.end() || !value->is_string() || value->get_ref<const std::string&>().empty()) return Lacks(model_id, field);
  return value->get<std::string>();
}

/// Lines "name=value".
Status ApplyLines(Settings& settings, const std::string& text, std::string_view model_id) {
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    const size_t equals = line.find('=');
    if (equals == std::string::npos) return Lacks(model_id, "settings (the line '" + line + "' has no value)");
    if (auto set = Set(settings, line.substr(0, equals), line.substr(equals + 1)); !set.ok()) {
      return set.error().In("the manifest of model " + std::string(model_id));
    }
  }
  return {};
}

Result<Recipe> ReadRecipe(const Context& context, std::string_view model_id) {
  SEGUE_TRY(const json manifest, ReadManifest(context, model_id));
  Recipe recipe{.model_id = std::string(model_id)};
  SEGUE_TRY(recipe.algorithm, Text(manifest, model_id, "algorithm"));
  SEGUE_TRY(recipe.dataset_id, Text(manifest, model_id, "dataset_id"));
  SEGUE_TRY(const std::string settings, Text(manifest, model_id, "settings"));
  SEGUE_TRY(const std::string split, Text(manifest, model_id, "split_settings"));
  SEGUE_TRY(const std::string training_version, Text(manifest, model_id, "training_version"));
  const auto kind = ParseModelKind(manifest.value("kind", std::string(Name(ModelKind::kRecommender))));
  if (!kind) return Lacks(model_id, "kind");
  recipe.kind = *kind;
  recipe.hit_model = manifest.value("hit_model", "");
  if (!manifest.contains("seed") || !manifest["seed"].is_number_integer()) return Lacks(model_id, "seed");
  recipe.seed = manifest["seed"].get<int64_t>();
  if (training_version != kTrainingVersion) {
    return Error{ErrorCode::kConflict, "model " + recipe.model_id + " was trained by training version " + training_version + " (segue " +
                                           manifest.value("version", "?") + "), this program has " + std::string(kTrainingVersion) +
                                           ", which computes something else: reproduce it with the segue that made it"};
  }
  SEGUE_RETURN_IF_ERROR(ApplyLines(recipe.settings, settings, model_id));
  SEGUE_RETURN_IF_ERROR(ApplyLines(recipe.settings, split, model_id));
  recipe.settings.threads = context.settings.threads;
  recipe.settings.hits.min_songs = 0;  // says whether to train, not what
  if (!context.bucket.Exists(store::DatasetKey(recipe.dataset_id, "manifest.json"))) {
    return Error{ErrorCode::kNotFound, "dataset " + recipe.dataset_id + ", which model " + recipe.model_id +
                                           " was trained on, is not in the bucket any more: bring it back from a copy of the data folder"};
  }
  return recipe;
}

Status TrainAgain(const Context& context, const Recipe& recipe, Instruments& instruments, const fs::path& file) {
  const auto seed = static_cast<uint64_t>(recipe.seed);
  if (recipe.kind == ModelKind::kHits) {
    SEGUE_TRY(const HitCourt court, OpenHitCourt(context, recipe.dataset_id));
    if (!court.unfit.empty()) return Error{ErrorCode::kConflict, "model " + recipe.model_id + " cannot be trained again: " + court.unfit};
    SEGUE_TRY(const auto trainer, train::MakeClassifierTrainer(recipe.algorithm));
    SEGUE_TRY(const auto model, FitHitModel(*trainer, court, recipe.settings, seed, instruments));
    return model->Save(file);
  }
  SEGUE_TRY(Court court, OpenCourt(context, recipe.dataset_id));
  if (!recipe.hit_model.empty()) SEGUE_RETURN_IF_ERROR(FillHitChance(context, recipe.hit_model, court.split.train));
  SEGUE_TRY(const auto trainer, train::MakeTrainer(recipe.algorithm));
  SEGUE_TRY(const auto model, trainer->Fit(court.split.train, recipe.settings, seed, instruments));
  return model->Save(file);
}

Result<std::string> ReadFile(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  if (!file) return Error{ErrorCode::kIo, "cannot read " + path.string()};
  return bytes.str();
}

}  // namespace

Result<Reproduction> Reproduce(const Context& context, std::string_view model_id, Instruments& instruments) {
  SEGUE_RETURN_IF_ERROR(store::CheckKey(model_id));
  SEGUE_TRY(const Recipe recipe, ReadRecipe(context, model_id));
  // All that is looked at below is what the manifest says, not what is set now.
  const Context as_then{context.bucket, context.catalog, context.clock, recipe.settings, context.instruments, context.folder, context.cancelled};
  const fs::path scratch = context.bucket.ScratchFolder() / ("reproduced-" + recipe.model_id + ".segue");
  const auto start = std::chrono::steady_clock::now();
  const Status trained = TrainAgain(as_then, recipe, instruments, scratch);
  Reproduction outcome{.model_id = recipe.model_id, .algorithm = recipe.algorithm};
  outcome.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  auto rebuilt = trained.ok() ? ReadFile(scratch) : Result<std::string>(trained.error());
  std::error_code ignored;
  fs::remove(scratch, ignored);
  if (!rebuilt.ok()) return rebuilt.error();
  SEGUE_TRY(const std::string stored, context.bucket.Get(store::ModelKey(model_id, "model.segue")));
  SEGUE_TRY(const json manifest, ReadManifest(context, model_id));
  outcome.stored_sha256 = Sha256Hex(stored);
  outcome.rebuilt_sha256 = Sha256Hex(*rebuilt);
  outcome.stored_bytes = stored.size();
  outcome.rebuilt_bytes = rebuilt->size();
  if (const auto artifact = manifest.find("artifact"); artifact != manifest.end() && artifact->is_object()) {
    outcome.manifest_sha256 = artifact->value("sha256", "");
  }
  const std::string then = manifest.value("kernels", "");
  if (const std::string now(math::BestKernels().name); !then.empty() && then != now) outcome.other_kernels = then + " then, " + now + " now";
  const auto [a, b] = std::mismatch(stored.begin(), stored.end(), rebuilt->begin(), rebuilt->end());
  if (a != stored.end() || b != rebuilt->end()) outcome.differs_at = static_cast<uint64_t>(a - stored.begin());
  return outcome;
}

}  // namespace segue::pipeline
