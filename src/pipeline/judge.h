#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/report.h"
#include "core/verdict.h"
#include "evaluate/evaluator.h"
#include "models/model.h"
#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// A dataset with the cut that all models of a run are judged on.
struct Court {
  std::string dataset_id;
  evaluate::Split split;
  double rejected_share = 0;  ///< from quality.json
};

Result<Court> OpenCourt(const Context& context, std::string_view dataset_id);

/// Judges one model; the report carries its id and the dataset's.
Result<Report> Judge(const Context& context, const Court& court, const models::Model& model,
                     std::string_view model_id, Instruments& instruments);

Result<std::unique_ptr<models::Model>> LoadModel(const Context& context, std::string_view model_id);

/// The artifact's size in bytes.
Result<uint64_t> ArtifactBytes(const Context& context, std::string_view model_id);

/// The saved artifact, tried as it will be served.
struct Smoke {
  bool passed = false;  ///< loaded again, it answers as the model it was saved from, for a few listeners of the court
  double p99_ms = 0;    ///< of up to 500 answers, one at a time: a listener's past folded in, his best ten found
};
Smoke SmokeTest(const Context& context, const Court& court, const models::Model& fitted,
               std::string_view model_id);

/// Asks the gate about `challenger` (reported on in `report`) against what is
/// live now, both on this court's hold-out. `live_report` (may be null)
/// receives the live model's report where there is one.
Result<Verdict> AskGate(const Context& context, const Court& court, const Report& report,
                        const Smoke& smoke, Instruments& instruments,
                        std::unique_ptr<Report>* live_report);

}  // namespace segue::pipeline
