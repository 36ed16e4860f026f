#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/ranking.h"

namespace segue::serve {

/// What somebody without a name has just done.
struct Session {
  Taste taste;
  std::vector<size_t> unknown;  ///< places of the tracks that the catalogue lacks
};

/// Reads {"tracks":[{"track_id"} or {"artist","title"}, each with "kind"?,...]},
/// the oldest first; `kind` is play (where it is not given), skip, like or dislike.
/// They count as three minutes apart, the last of them as now. kInvalid names the
/// entry and field that is wrong.
Result<Session> ReadSession(const nlohmann::json& body, const Snapshot& snapshot, int64_t now);

}  // namespace segue::serve
