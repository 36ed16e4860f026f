#pragma once

#include "cli/program.h"
#include "store/catalog.h"

namespace segue::cli {

/// A run with its stages, what was tried, and the gate's checks: text, or JSON with --json.
void PrintRun(const store::RunRecord& run, const Common& common);

/// What `segue run` ends with: kRefused where the gate said no, kFailed where it could not be asked.
int ExitCodeOf(const store::RunRecord& run);

}  // namespace segue::cli
