#pragma once

#include <functional>
#include <memory>

#include "core/instruments.h"

namespace segue::monitor {

/// What ConsoleInstruments gives, on any file descriptor (borrowed). With
/// `terminal` one progress line is drawn over and over at its foot, and
/// messages appear above it; else progress is a plain line now and then.
struct Console {
  int descriptor = 2;
  bool terminal = false;
  int columns = 80;
  bool quiet = false;
  std::function<bool()> cancelled;
};

std::unique_ptr<Instruments> MakeConsole(Console console);

}  // namespace segue::monitor
