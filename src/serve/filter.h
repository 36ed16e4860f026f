#pragma once

#include <cstdint>
#include <vector>

#include "serve/ground.h"
#include "serve/wish.h"

namespace segue::serve {

/// [tracks] 1 for the rows of the catalogue that a filter lets through; empty
/// where it lets all through. A tag or an artist that the catalogue lacks is on no
/// track. Looks up tags and artists, and scans years and features.
std::vector<uint8_t> Passing(const Ground& ground, const Filter& filter);

}  // namespace segue::serve
