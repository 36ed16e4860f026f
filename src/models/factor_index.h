#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "models/catalogue.h"

namespace segue::models {

/// Search over the tracks' rows of factors: the best products with a
/// listener's vector, and the nearest tracks by cosine. Tracks that nobody
/// played are in no list.
///
/// Borrows the factors and the catalogue, which must outlive it and stay where
/// they are; keeps a copy of the played rows by falling norm.
class FactorIndex {
 public:
  FactorIndex() = default;
  /// factors  [n x stride], pads zero; columns from `alike` on (a bias) count in
  ///          scores, not in likeness.
  FactorIndex(const Catalogue& catalogue, std::span<const float> factors, size_t stride, size_t alike);

  /// scores[i] = x · y_i, kNever for tracks that nobody played.  x [stride]  scores [n]
  void Score(const float* x, std::span<float> scores) const;
  /// The n best of them, as Model::Top. Exact: stops where, by Cauchy-Schwarz,
  /// no later row can be among them.
  std::vector<ScoredTrack> Top(const float* x, size_t n, std::span<const uint8_t> exclude) const;
  /// As Model::Similar, by the cosine of the first `alike` columns.
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const;
  /// As Model::Likeness, by the same cosine; nothing where a vector is 0.
  std::optional<float> Likeness(TrackIx a, TrackIx b) const;

 private:
  std::span<const float> popularity_;
  std::span<const float> y_;             // [n x stride]
  size_t stride_ = 0;
  size_t alike_ = 0;
  std::vector<float> norms_;             // [n] of the columns that count in likeness
  std::vector<uint32_t> by_norm_;        // played tracks, norms of whole rows falling
  std::vector<float> sorted_y_;          // [played x stride] in that order
  std::vector<float> sorted_norms_;      // [played]
};

}  // namespace segue::models
