#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "core/preferences.h"

namespace segue::models {

/// What models that predict ratings learn from, and how it is brought to one
/// scale: z = (target - mean) / deviation, so that step sizes and penalties
/// mean the same for stars, points and plays.
///
/// Where ratings are given, the target is the rating; tracks only played are
/// known to have been chosen, which is SVD++'s implicit feedback. Where (nearly)
/// nothing is rated, it is ln(1 + strength). A dislike is the lowest target.
struct RatingScale {
  enum class Kind : uint32_t { kRatings = 0, kLogPlays = 1 };

  Kind kind = Kind::kRatings;
  float lowest = 0;  ///< of the targets seen in training
  float highest = 0;
  float mean = 0;
  float deviation = 1;  ///< > 0

  /// z; nothing where the listener said nothing that could be a target.
  std::optional<float> Target(const Preference& item) const;
  /// Is the track in N(u), those that he chose?
  static bool Chosen(const Preference& item);
  /// Back from z: within the ratings seen in training, or plays.
  float Rating(float z) const;
  /// Numbers that a scale can have?
  bool Valid() const;
};

/// From all listeners' preferences; ratings where at least a tenth of what is
/// wanted or rated is rated. Nothing where nothing is wanted or rated.
std::optional<RatingScale> ScaleOf(std::span<const Preference> items);

}  // namespace segue::models
