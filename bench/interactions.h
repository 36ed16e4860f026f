#pragma once

#include <filesystem>

#include "core/dataset.h"
#include "core/result.h"

namespace segue::bench {

/// What `segue evaluate --train` makes of user_id,item_id,value files whose ids
/// are whole numbers below 2^24, but lean: two passes over the text, nothing
/// kept beside the result. Every row becomes a play.
Result<Dataset> ReadInteractions(const std::filesystem::path& csv);

/// Of each listener of `all` with 5 events or more a fifth is cut off, by a
/// hash of listener and track: what is left, and what was cut.
struct Carved {
  Dataset train;
  Dataset test;
};
Carved Carve(const Dataset& all, uint64_t seed);

}  // namespace segue::bench
