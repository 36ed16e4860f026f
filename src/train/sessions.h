#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/dataset.h"
#include "core/preferences.h"
#include "core/settings.h"
#include "models/sequence.h"

namespace segue::train {

/// One after another: what listeners played without a long pause.
struct Sessions {
  std::vector<uint64_t> begin{0};   ///< [sessions + 1] into tracks
  std::vector<uint32_t> tracks;     ///< ordered: as played, no track twice running; else ascending
  std::vector<uint8_t> ordered;     ///< [sessions]
  std::vector<int64_t> at;          ///< [sessions] the newest play; 0 where it is not ordered
  int64_t newest = 0;               ///< of all

  size_t size() const { return ordered.size(); }
  std::span<const uint32_t> Of(size_t session) const {
    return {tracks.data() + begin[session], tracks.data() + begin[session + 1]};
  }
  /// 2^(−age / half_life_days) from the newest of all; 1 where it is not ordered.
  float Freshness(size_t session, double half_life_days) const;
};

/// Of a listener without an order in time so many of his strongest tracks make
/// his one session; the rest would only cost.
inline constexpr size_t kMostUnordered = 1000;

/// Cuts each listener's plays and likes of wanted tracks (strength > 0 in
/// `wanted`, Preferences of the same data) where two are more than gap_seconds
/// apart; plays of equal time stay in the dataset's order. A listener none or
/// only one moment of whose plays is known has no order: one session of his
/// wanted tracks. Listeners in their order, each one's sessions by time.
Sessions CutSessions(const Dataset& data, const Preferences& wanted, int64_t gap_seconds);

/// The part of an artifact that says how a past is read.
models::SequenceRule SequenceRuleOf(const SequenceSettings& settings, models::Liked liked);

}  // namespace segue::train
