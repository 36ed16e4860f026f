#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/dataset.h"

namespace segue {

/// How events add up to one strength a (listener, track) pair.
struct StrengthRule {
  double skip_weight = 0.5;  ///< a skip takes this many plays away
  double like_weight = 5;    ///< a like counts as this many plays
};

/// One track in a listener's past. strength > 0: he wants it; the play count
/// (or rating) with skips taken off and likes added.
struct Preference {
  TrackIx track{};
  float strength = 0;    ///< > 0 liked, 0 met but not wanted (skips only), < 0 disliked
  float plays = 0;       ///< summed play values
  float skips = 0;
  int64_t last_at = 0;   ///< newest event, Unix seconds; 0 unknown
};

/// One listener's events summed by track, ascending by track.
/// A dislike outweighs all (strength -1) unless a later like took it back; a
/// like likewise takes back an earlier dislike; at equal times the dislike
/// stands. Ratings: the newest rating is the strength where there is one.
std::vector<Preference> SumByTrack(std::span<const Event> events, const StrengthRule& rule);

/// The same for all listeners: CSR over listeners, ascending by track.
struct Preferences {
  std::vector<uint64_t> begin;       ///< [listeners + 1]
  std::vector<Preference> items;

  std::span<const Preference> Of(UserIx user) const {
    return {items.data() + begin[Raw(user)], items.data() + begin[Raw(user) + 1]};
  }
};

Preferences SumPreferences(const Dataset& data, const StrengthRule& rule);

}  // namespace segue
