#pragma once

#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/report.h"
#include "core/verdict.h"
#include "models/model.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// What a run brings before the gate.
struct Brought {
  const Court& court;
  const models::Model& model;               ///< the best candidate
  const Report& report;                     ///< of it
  const std::vector<const Report*>& candidates;  ///< of all, for the run's report
  const nlohmann::json& verdict_before;     ///< of this run before it was interrupted; no object where it had none
  bool dry_run = false;
};

/// Asks the gate about a run's best candidate, and keeps the verdict: in
/// runs/<id>/report.json, in `run` and in the registry (a dry run only in the
/// first two). `detail` becomes {"approved","reason"}.
Result<Verdict> PassGate(const Context& context, store::RunRecord& run, const Brought& brought, Instruments& log, nlohmann::json& detail);

/// Puts an approved recommender where delivery.mode says: live, or to be tried as
/// a canary or shadow. The first one goes live in any case. One that was rolled
/// back from a trial against the model that is still live is not tried again (a
/// run on the same data makes the same model): the step that withdrew it is returned.
Result<store::DeploymentRecord> Release(const Context& context, const Approval& approval, std::string_view reason);

}  // namespace segue::pipeline
