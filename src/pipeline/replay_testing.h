#pragma once

#include <algorithm>
#include <string>

#include "core/dataset.h"
#include "core/random.h"

namespace segue::pipeline {

inline constexpr int64_t kTestDay = 86'400;
inline constexpr int64_t kTestStart = 1'735'689'600;  // 2025-01-01

/// Listeners of 8 tastes with 25 tracks each, five plays a day for `weeks`
/// weeks; after `switch_week` weeks everybody goes over to the next taste but one.
inline Dataset SwitchingListeners(uint32_t listeners, int64_t weeks, int64_t switch_week) {
  constexpr uint32_t kTastes = 8, kTracks = 25;
  Dataset data;
  for (uint32_t t = 0; t < kTastes * kTracks; ++t) {
    data.tracks.id.push_back("t" + std::to_string(1000 + t));
    data.tracks.title.push_back("Song " + std::to_string(t));
    data.tracks.artist.push_back("Artist " + std::to_string(t / 5));
    data.tracks.listed.push_back(0);
  }
  const size_t n = data.tracks.size();
  data.tracks.album.resize(n);
  data.tracks.tags.resize(n);
  data.tracks.year.resize(n);
  data.tracks.duration_ms.resize(n);
  data.tracks.hit.assign(n, -1);
  data.tracks.features.assign(n * kAudioFeatures.size(), std::numeric_limits<float>::quiet_NaN());
  data.begin = {0};
  for (uint32_t u = 0; u < listeners; ++u) {
    data.listeners.push_back("l" + std::to_string(1000 + u));
    Random random(11, u);
    for (int64_t day = 0; day < 7 * weeks; ++day) {
      const uint32_t taste = (u + (day >= 7 * switch_week ? 2 : 0)) % kTastes;
      for (int64_t k = 0; k < 5; ++k) {
        // Some tracks are favourites of all who have the taste.
        const auto track = static_cast<uint32_t>(std::min(random.Below(kTracks), random.Below(kTracks)));
        data.events.push_back({TrackIx{taste * kTracks + track}, EventKind::kPlay, 1, -1, kTestStart + day * kTestDay + 36'000 + k * 300});
      }
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

}  // namespace segue::pipeline
