#pragma once

#include <string>
#include <vector>

#include "pipeline/replay_summary.h"

namespace segue::pipeline {

/// What the differences say, in sentences: first for each protocol what
/// retraining bought over training once, then what fold-in added, then the
/// switch. Says only "better" or "worse" where an interval is clear of 0.
std::vector<std::string> Verdicts(const Replayed& replay, const ReplaySummary& summary);

}  // namespace segue::pipeline
