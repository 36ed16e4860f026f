#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "core/instruments.h"
#include "core/result.h"
#include "store/clock.h"

namespace segue::monitor {

/// Instruments that write one JSON line an event: {"at","level","stage",
/// "message","fields"} appended to a file (created with its folder), and pass
/// the same on to `next` (may be null). Progress is passed on, and logged at
/// most once a second a stage. A log that cannot be written never fails the work.
std::unique_ptr<Instruments> OpenRunLog(const std::filesystem::path& file, const store::Clock& clock,
                                        std::function<bool()> cancelled, Instruments* next);

/// Instruments for a person: messages (and, when stderr is a terminal,
/// progress bars) to stderr. `quiet`: warnings and errors only.
std::unique_ptr<Instruments> ConsoleInstruments(bool quiet, std::function<bool()> cancelled);

/// Instruments for a daemon: a line a message with time and level, to stderr.
std::unique_ptr<Instruments> DaemonInstruments(const store::Clock& clock,
                                               std::function<bool()> cancelled);

}  // namespace segue::monitor
