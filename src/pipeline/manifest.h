#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// Does a model of this algorithm look at Dataset::hit_chance?
bool UsesHitChance(std::string_view algorithm, const Settings& settings);

/// A recommender's id: a hash of all that its bytes depend on. hit_model: whose
/// chances it learned from, "" none.
std::string RecommenderId(const Settings& settings, std::string_view dataset_id, std::string_view algorithm, std::string_view hit_model);

/// What a recommender was made from, and how: enough to make it again
/// (pipeline/reproduce.h). {"model_id","kind","algorithm","dataset_id","run_id",
/// "seed","settings","split","split_settings","hit_model","version","training_version"};
/// settings as lines "name=value". KeepModel adds what it became.
nlohmann::json RecommenderManifest(const Settings& settings, const store::RunRecord& run, std::string_view model_id,
                                   std::string_view algorithm, std::string_view split, std::string_view hit_model);

/// Puts a model into the bucket: the artifact first, the manifest last, so that
/// a model without a manifest is not there. Adds to the manifest {"artifact":
/// {"sha256","bytes"}} and {"kernels"}: the set of instructions it was trained
/// with (math/kernels/kernels.h), which sums of floats depend on.
Status KeepModel(const Context& context, const std::function<Status(const std::filesystem::path&)>& save, nlohmann::json manifest);

/// kNotFound where there is no such model, kCorrupt where it is no JSON object.
Result<nlohmann::json> ReadManifest(const Context& context, std::string_view model_id);

}  // namespace segue::pipeline
