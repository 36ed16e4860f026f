#pragma once

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "models/model.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// The dataset of the live recommender, "" where none is live.
Result<std::string> BaselineDataset(const Context& context);

/// A dataset's columns against the live model's dataset (monitor/drift.h):
///   {"baseline_dataset_id", "columns": [...], "drifted", "undefined", "moved": sentences}
/// Null where nothing is live, or it is the same dataset.
Result<nlohmann::json> DataDrift(const Context& context, std::string_view dataset_id);

/// What up to 200 listeners of the court, evenly chosen, would be shown by
/// the challenger against what the live model shows them, ten tracks each that they
/// have not met:
///   {"live","challenger", "listeners", "overlap": mean share of tracks in both lists,
///    "tracks": Jensen-Shannon distance of how often each is shown,
///    "distinct": {"live","challenger"} tracks shown to anybody,
///    "scores": {"live","challenger": {"0.05","0.5","0.95"}, "wasserstein" where the algorithm is the same}}
/// Scores of two algorithms are on scales of their own, and not compared. It says what
/// will change for listeners; whether that is better is the gate's to say.
nlohmann::json PredictionDrift(const Context& context, const Court& court, const models::Model& challenger, std::string_view challenger_id,
                               const models::Model& live, std::string_view live_id);

}  // namespace segue::pipeline
