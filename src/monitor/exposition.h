#pragma once

#include <cstdint>
#include <string>

#include "monitor/rules.h"
#include "monitor/watch.h"

namespace segue::monitor {

/// What the watch has in memory.
struct ExposedState {
  Readings readings;
  uint64_t log_lines_dropped = 0;
};

/// Runs, stages, verdicts, alarms, drift, reception, quarantine, the log, and the
/// process, in Prometheus' text format. What cannot be read is left out.
std::string Expose(const Context& context, const ExposedState& state);

}  // namespace segue::monitor
