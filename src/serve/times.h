#pragma once

#include <cstdint>
#include <string_view>

#include "core/result.h"

namespace segue::serve {

/// "2026-03-01T12:00:00Z" (or with an offset, or without a zone: UTC) as Unix
/// seconds; kInvalid where it is none.
Result<int64_t> ParseTime(std::string_view text);

}  // namespace segue::serve
