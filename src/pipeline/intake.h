#pragma once

#include <nlohmann/json_fwd.hpp>

#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// Takes the inbox's files in, one after the other; each leaves the inbox once
/// it is in the catalog. Files that changed within inbox.settle_ms stay for the
/// next run; a run that a person asked for waits for them. What cannot be read is
/// quarantined. `detail` receives the counts. After a failure what was taken in
/// stays so, and the rest lies where it was.
Status TakeInbox(const Context& context, const store::RunRecord& run, Instruments& log, nlohmann::json& detail);

}  // namespace segue::pipeline
