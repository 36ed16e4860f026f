#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "serve/likeness.h"
#include "serve/snapshot.h"

namespace segue::serve {

/// What a radio begins with: any mix, one at least.
struct RadioSeeds {
  std::vector<uint32_t> tracks;   ///< rows of the catalogue; they are not played themselves
  std::vector<uint32_t> artists;  ///< numbers of Facets; their tracks may be played
  std::vector<uint32_t> tags;     ///< likewise
};

/// One track of a radio, and where it comes from.
struct RadioStep {
  uint32_t row = 0;
  std::string reason;  ///< "like A by B"
};

/// A walk through the catalogue that begins at the seeds and drifts away gently:
///
///   leg ℓ = 0, 1, 2, ...: five tracks from around one anchor
///     anchor   while ℓ < seeds: a track of seed ℓ; after that, with probability
///              1/2 a track of a random seed, else one of the five played last
///     choice   from the 100 nearest to the anchor (Neighbourhood) that may be played and
///              were not, those of the track's artist that was played last left
///              out; the one at place r with probability ∝ 2^(−r/10)
///
/// An artist's or a tag's own tracks, most played first, stand before the nearest.
/// No artist comes twice in a row as long as another has a track left. Where
/// nothing near is left, the most played track that is left goes on. It ends when
/// all was played. The same arguments give the same walk, and a longer one begins
/// with it.
///
///   exclude  [tracks of the model]  not 0: is not played
///   n        tracks at most
/// One look for neighbours a leg, where they are not known.
std::vector<RadioStep> Radio(const Snapshot& snapshot, Neighbourhood& neighbourhood, const RadioSeeds& seeds, std::span<const uint8_t> exclude,
                             uint64_t seed, size_t n);

}  // namespace segue::serve
