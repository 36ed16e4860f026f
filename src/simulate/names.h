#pragma once

#include <cstdint>
#include <string>

#include "core/random.h"

namespace segue::simulate {

/// Made-up names from syllables; no real artist is meant.
std::string ArtistName(uint64_t seed, int64_t artist);
std::string TrackTitle(uint64_t seed, int64_t track);

/// 22 letters and digits, as a Spotify id has.
std::string SpotifyId(uint64_t seed, int64_t track);

}  // namespace segue::simulate
