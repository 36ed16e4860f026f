#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "serve/playlists.h"
#include "serve/radio.h"
#include "serve/wish.h"

namespace segue::serve {

/// What a radio is asked for.
struct RadioWish {
  RadioSeeds seeds;
  std::vector<std::string> told;   ///< the seeds' names
  std::string listener;            ///< "" nobody's
  int64_t seed = 0;                ///< another, another walk
  Wish wish{.mode = Mode::kNext};  ///< the filter, n and offset
  Format format = Format::kJson;
};

}  // namespace segue::serve
