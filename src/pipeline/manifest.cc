#include "pipeline/manifest.h"

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/version.h"
#include "math/kernels/kernels.h"
#include "train/trainer.h"

namespace segue::pipeline {

using nlohmann::json;

bool UsesHitChance(std::string_view algorithm, const Settings& settings) {
  return algorithm == "hit_chance" || (algorithm == "hybrid" && settings.hybrid.members.find("hit_chance") != std::string::npos);
}

std::string RecommenderId(const Settings& settings, std::string_view dataset_id, std::string_view algorithm, std::string_view hit_model) {
  const std::string key = std::string(dataset_id) + "\n" + std::string(algorithm) + "\n" + std::string(kTrainingVersion) + "\n" +
                          train::SettingsOf(algorithm, settings) + "evaluate.split=" + settings.split +
                          "\nevaluate.holdout_share=" + std::to_string(settings.holdout_share) +
                          (hit_model.empty() ? "" : "\nhit_model=" + std::string(hit_model));
  return "m" + Sha256Hex(key).substr(0, 16);
}

json RecommenderManifest(const Settings& settings, const store::RunRecord& run, std::string_view model_id, std::string_view algorithm,
                         std::string_view split, std::string_view hit_model) {
  return {{"model_id", model_id},
          {"kind", Name(ModelKind::kRecommender)},
          {"algorithm", algorithm},
          {"dataset_id", run.dataset_id},
          {"run_id", run.run_id},
          {"seed", settings.seed},
          {"settings", train::SettingsOf(algorithm, settings)},
          {"split", split},
          {"split_settings", ResultFingerprint(settings, "evaluate.split") + ResultFingerprint(settings, "evaluate.holdout_share") +
                                 ResultFingerprint(settings, "evaluate.protocol")},
          {"hit_model", hit_model},
          {"version", kVersion},
          {"training_version", kTrainingVersion}};
}

Status KeepModel(const Context& context, const std::function<Status(const std::filesystem::path&)>& save, json manifest) {
  const auto id = manifest.at("model_id").get<std::string>();
  const auto scratch = context.bucket.ScratchFolder() / (id + ".segue");
  SEGUE_RETURN_IF_ERROR(save(scratch));
  const std::string key = store::ModelKey(id, "model.segue");
  SEGUE_RETURN_IF_ERROR(context.bucket.PutFile(key, scratch));
  SEGUE_TRY(const std::string bytes, context.bucket.Get(key));
  manifest["artifact"] = {{"sha256", Sha256Hex(bytes)}, {"bytes", bytes.size()}};
  manifest["kernels"] = math::BestKernels().name;
  return context.bucket.Put(store::ModelKey(id, "manifest.json"), manifest.dump(2));
}

Result<json> ReadManifest(const Context& context, std::string_view model_id) {
  auto text = context.bucket.Get(store::ModelKey(model_id, "manifest.json"));
  if (!text.ok() && text.error().code == ErrorCode::kNotFound) {
    return Error{ErrorCode::kNotFound, "there is no model '" + std::string(model_id) + "' in the bucket; `segue models` lists them"};
  }
  if (!text.ok()) return text.error();
  json manifest = json::parse(*text, nullptr, false);
  if (!manifest.is_object()) return Error{ErrorCode::kCorrupt, "the manifest of model " + std::string(model_id) + " is not a JSON object"};
  return manifest;
}

}  // namespace segue::pipeline
