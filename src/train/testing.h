#pragma once

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"
#include "models/past.h"
#include "train/trainer.h"

namespace segue::train {

/// Tracks t1000, t1001, ..., of which a model of hits thinks this and that, and listeners u1000, ...; the caller adds events.
inline Dataset Empty(size_t listeners, size_t tracks) {
  Dataset data;
  for (size_t i = 0; i < tracks; ++i) data.tracks.id.push_back("t" + std::to_string(1000 + i));
  data.tracks.title.resize(tracks);
  data.tracks.artist.resize(tracks);
  data.tracks.album.resize(tracks);
  data.tracks.tags.resize(tracks);
  data.tracks.year.resize(tracks);
  data.tracks.duration_ms.resize(tracks);
  data.tracks.hit.assign(tracks, -1);
  data.tracks.features.assign(tracks * kAudioFeatures.size(), std::nanf(""));
  for (size_t u = 0; u < listeners; ++u) data.listeners.push_back("u" + std::to_string(1000 + u));
  data.begin.push_back(0);
  for (size_t i = 0; i < tracks; ++i) data.hit_chance.push_back(static_cast<float>(i % 9 + 1) / 10);
  return data;
}

/// Tags and audio features that tell group `group` (from 0) of a track.
inline void Describe(Dataset& data, size_t track, size_t group) {
  data.tracks.tags[track] = "group" + std::to_string(group);
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    data.tracks.features[track * kAudioFeatures.size() + f] = static_cast<float>((group + f) % 2);
  }
}

/// Even listeners have even tracks, odd ones odd tracks, a day after each
/// other; each lacks the track of his own number, which must come back first
/// (after implicit's test data). Tags and features say which are even.
inline Dataset Checkerboard(size_t n) {
  Dataset data = Empty(n, n);
  for (size_t i = 0; i < n; ++i) Describe(data, i, i % 2);
  data.tags = TagsOf(data.tracks);
  for (size_t u = 0; u < n; ++u) {
    for (size_t i = 0; i < n; ++i) {
      const auto at = static_cast<int64_t>(1'600'000'000 + 600 * i);
      if (u != i && u % 2 == i % 2) data.events.push_back({TrackIx{static_cast<uint32_t>(i)}, EventKind::kPlay, 1, -1, at});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

/// The same with ratings: 5 where the parities are the same, else 1; each
/// listener u lacks tracks u and u + 1, of which u must come back first.
inline Dataset RatedCheckerboard(size_t n) {
  Dataset data = Empty(n, n);
  for (size_t i = 0; i < n; ++i) Describe(data, i, i % 2);
  data.tags = TagsOf(data.tracks);
  for (size_t u = 0; u < n; ++u) {
    for (size_t i = 0; i < n; ++i) {
      if (i == u || i == (u + 1) % n) continue;
      const auto at = static_cast<int64_t>(1'600'000'000 + 600 * i);
      data.events.push_back({TrackIx{static_cast<uint32_t>(i)}, EventKind::kRating, u % 2 == i % 2 ? 5.0f : 1.0f, -1, at});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

/// Five tastes, and some noise; described by tags and features.
inline Dataset RandomData(size_t listeners, size_t tracks, uint64_t seed) {
  Dataset data = Empty(listeners, tracks);
  for (size_t i = 0; i < tracks; ++i) Describe(data, i, i % 5);
  data.tags = TagsOf(data.tracks);
  for (size_t u = 0; u < listeners; ++u) {
    Random random(seed, u);
    for (uint32_t i = 0; i < tracks; ++i) {
      const double taste = (u + i) % 5 == 0 ? 0.5 : 0.04;
      if (random.Uniform() < taste) {
        data.events.push_back({TrackIx{i}, EventKind::kPlay, static_cast<float>(1 + random.Below(9)), -1, 1'600'000'000 + 900 * i});
      }
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

/// Quick to train.
inline Settings Small() {
  Settings settings;
  settings.ials.factors = 8;
  settings.ials.epochs = 6;
  settings.ials.regularization = 1;
  settings.bpr.factors = 7;
  settings.warp.factors = 7;
  settings.svd.factors = 6;
  settings.svd.epochs = 30;
  settings.svdpp = settings.svd;
  settings.svdpp_gibbs.factors = 4;
  settings.svdpp_gibbs.burn_in = 20;
  settings.svdpp_gibbs.samples = 40;
  settings.svdpp_gibbs.kept = 8;
  return settings;
}

inline std::string SavedBytes(const models::Model& model) {
  const auto file = std::filesystem::temp_directory_path() / ("segue-train-" + std::to_string(::getpid()));
  EXPECT_TRUE(model.Save(file).ok());
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  std::filesystem::remove(file);
  return bytes.str();
}

/// The listener's profile, from the data the model was trained on.
inline models::Profile ProfileIn(const models::Model& model, const Dataset& data, uint32_t user) {
  const models::RowMap rows(model, data.tracks.id);
  return model.FoldIn(rows.PastOf(data.listeners[user], data.EventsOf(UserIx{user}), {}).View());
}

/// 1 for the tracks that the listener has met.
inline std::vector<uint8_t> HeardIn(const Dataset& data, uint32_t user) {
  std::vector<uint8_t> heard(data.tracks.size(), 0);
  for (const Event& event : data.EventsOf(UserIx{user})) heard[Raw(event.track)] = 1;
  return heard;
}

}  // namespace segue::train
