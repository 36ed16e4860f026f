#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "serve/http.h"

namespace segue::serve {

/// What part of a list is asked for.
struct Page {
  int64_t limit = 0;
  std::string after;       ///< what the cursor stands for: the last that was seen; "" from the start
};

/// `limit` (also as `n`, its older name), from 1 to `most`, and `cursor`. A cursor
/// belongs to the list that gave it, by its `list` ("runs"): kInvalid for another's.
/// It stays good while the list grows.
Result<Page> PageOf(const Request& request, std::string_view list, int64_t missing, int64_t most);

/// The number that a cursor stands for; `missing` where there is none.
Result<int64_t> NumberAfter(const Page& page, int64_t missing);

/// "next_cursor" of an answer: null where there is no more.
nlohmann::json NextCursor(std::string_view list, std::string_view after, bool more);

}  // namespace segue::serve
