#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/text.h"

namespace segue::ingest {

/// Texts of outside files as values. Blanks around are let pass; empty where
/// the text is anything else than the value in full.

/// A whole number, also written as "230666.0" or "2.3E5".
std::optional<int64_t> ParseInteger(std::string_view text);

/// A moment: Unix seconds UTC, and how exactly the text tells it.
struct Moment {
  int64_t at = 0;
  int precision = 1;  ///< 60 where the text has no seconds, else 1
};

/// "2023-01-30 14:41", "2021-09-21T19:38:59Z", "2021-09-21T19:38:59.5+02:00",
/// "2021-09-21" (midnight), Unix seconds or, from 10^11 up, milliseconds.
/// Without a zone the time is UTC.
std::optional<Moment> ParseMoment(std::string_view text);

}  // namespace segue::ingest
