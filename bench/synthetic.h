#pragma once

#include <cstdint>
#include <filesystem>

#include "core/result.h"

namespace segue::bench {

/// Made-up listening with a planted structure, for figures of speed:
///
///   P(track | listener) = Σ_k θ[listener, k] · φ[k, track],  k < kTopics
///
/// θ ~ Dirichlet(0.15); φ[k] ∝ (rank + 10)^-0.9 · Gamma(0.25), so that few
/// tracks have most listeners; a listener draws 6 times and then by an activity
/// ~ exp(0.9·Normal), tracks drawn again being plays of one pair. Draws go on
/// until there are `pairs` different pairs; plays are draws + Geometric(0.4) - 1.
struct SyntheticShape {
  uint32_t listeners = 100'000;
  uint32_t tracks = 50'000;
  uint64_t pairs = 10'000'000;
};
inline constexpr uint32_t kTopics = 32;

/// Writes train.csv and test.csv (user_id,item_id,value) into `folder`: of each
/// listener with 5 tracks or more a fifth is test, rounded down, at least one.
/// Same shape and seed, same bytes.
Status WriteSynthetic(const SyntheticShape& shape, uint64_t seed, const std::filesystem::path& folder);

}  // namespace segue::bench
