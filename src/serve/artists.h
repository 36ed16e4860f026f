#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "serve/ground.h"
#include "serve/snapshot.h"

// What is told of artists. They are numbers of Facets.
namespace segue::serve {

/// {"artist","tracks","plays"}: in the catalogue, and by the dataset's listeners.
nlohmann::json ArtistJson(const Ground& ground, uint32_t artist);

/// The same with all that is known of him: "items", his tracks, most played first,
/// at most n; "tags", the most frequent ten with the number of his tracks; "years".
nlohmann::json ArtistPage(const Snapshot& snapshot, uint32_t artist, size_t n);

/// Artists whose names have all words of `query`, most played first.
std::vector<uint32_t> SearchArtists(const Ground& ground, std::string_view query);

/// The n artists that are most alike, best first, ties by name; `blocked` (keys)
/// left out. Of models only Similar is known, not every one has vectors, so that
/// tracks are asked for their nearest:
///
///   likeness(a, b) = Σ_t w_t · max_{u of b} s(t, u) / Σ_t w_t
///
/// over the ten most played tracks t of a, w_t = ln(1 + plays) of t (all alike where
/// nobody plays them), and s(t, u) the score of u among the 200 nearest to t
/// (serve/likeness.h), 0 elsewhere: how near a track of b there is to each of a's.
/// The maximum, so that many tracks are no merit.
std::vector<std::pair<uint32_t, float>> SimilarArtists(const Snapshot& snapshot, uint32_t artist, const std::vector<std::string>& blocked, size_t n);

}  // namespace segue::serve
