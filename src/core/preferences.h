#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string_view>
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
  float rating = std::numeric_limits<float>::quiet_NaN();  ///< the newest; NaN: never rated
};

/// One play of a listener.
struct Played {
  TrackIx track{};
  int64_t at = 0;        ///< Unix seconds
};

/// A listener's past as models are given it; borrowed for the call.
struct History {
  std::string_view listener;             ///< his name, for models that keep something of each; "" a stranger
  std::span<const Preference> tracks;    ///< ascending by track, in the model's rows
  std::span<const Played> recent;        ///< RecentPlays, in the model's rows

  History() = default;
  History(std::span<const Preference> t) : tracks(t) {}         // NOLINT: a past without names and times
  History(const std::vector<Preference>& t) : tracks(t) {}      // NOLINT
};

/// How many plays History::recent has at most.
inline constexpr size_t kRecentPlays = 100;

/// The newest plays and likes, newest last; events whose time is unknown have
/// no place in an order and are left out. `events` in any order.
std::vector<Played> RecentPlays(std::span<const Event> events, size_t n = kRecentPlays);

/// Values count as at most this and at least its negative, so that sums of them
/// and of their squares are finite. Events whose value is no finite number are
/// left out.
inline constexpr float kMostValue = 1e15f;

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
