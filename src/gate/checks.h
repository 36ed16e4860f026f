#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <vector>

#include "core/settings.h"
#include "core/verdict.h"

namespace segue::gate {

// What the questions of every kind of model have in common.

template <typename... Numbers>
std::string Sentence(const char* format, Numbers... numbers) {
  char text[320];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

/// `value` (called `words`) is at least `limit`; NaN is never at least anything.
Check AtLeast(const char* check, double value, const char* words, double limit);
Check ArtifactSize(uint64_t artifact_bytes, const Settings& settings);
Check SmokeTest(bool passed);

/// The failed checks in one sentence; "" where there are none.
std::string Failures(const std::vector<Check>& checks);

}  // namespace segue::gate
