#include <algorithm>
#include <cmath>
#include <limits>

#include "models/model_file.h"
#include "train/testing.h"

// Data that nobody should have, to every algorithm: a clear error, or numbers.

namespace segue::train {
namespace {

namespace fs = std::filesystem;

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kMost = std::numeric_limits<float>::max();

struct Bad {
  std::string name;
  Dataset data;
};

/// value(listener, track) for all pairs but every fifth.
template <typename Value>
Dataset Full(size_t listeners, size_t tracks, EventKind kind, const Value& value) {
  Dataset data = Empty(listeners, tracks);
  for (uint32_t i = 0; i < tracks; ++i) Describe(data, i, i % 2);
  data.tags = TagsOf(data.tracks);
  for (uint32_t u = 0; u < listeners; ++u) {
    for (uint32_t i = 0; i < tracks; ++i) {
      if (listeners * tracks > 8 && (u + i) % 5 == 0) continue;
      data.events.push_back({TrackIx{i}, kind, value(u, i), -1, 1'600'000'000 + 700 * i});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

std::vector<Bad> BadData() {
  std::vector<Bad> bad;
  const auto always = [](float value) { return [value](uint32_t, uint32_t) { return value; }; };
  bad.push_back({"one listener and one track", Full(1, 1, EventKind::kPlay, always(1))});
  bad.push_back({"one listener", Full(1, 30, EventKind::kPlay, always(2))});
  bad.push_back({"one track", Full(30, 1, EventKind::kPlay, always(2))});
  bad.push_back({"one rated track", Full(30, 1, EventKind::kRating, [](uint32_t u, uint32_t) { return static_cast<float>(u % 5); })});
  bad.push_back({"constant ratings", Full(12, 14, EventKind::kRating, always(3))});
  bad.push_back({"ratings of 0", Full(12, 14, EventKind::kRating, always(0))});
  bad.push_back({"negative ratings", Full(12, 14, EventKind::kRating, [](uint32_t u, uint32_t i) { return -static_cast<float>((u + i) % 4); })});
  bad.push_back({"constant plays", Full(12, 14, EventKind::kPlay, always(1))});
  bad.push_back({"negative plays", Full(12, 14, EventKind::kPlay, [](uint32_t u, uint32_t i) { return u % 2 == i % 2 ? 2.0f : -2.0f; })});
  bad.push_back({"tiny plays", Full(12, 14, EventKind::kPlay, always(std::numeric_limits<float>::denorm_min()))});
  for (const EventKind kind : {EventKind::kPlay, EventKind::kRating, EventKind::kSkip}) {
    const std::string what(Name(kind));
    const auto sometimes = [](float value) { return [value](uint32_t u, uint32_t i) { return (u + 2 * i) % 4 == 0 ? value : 1 + static_cast<float>((u * i) % 3); }; };
    bad.push_back({what + " NaN", Full(12, 14, kind, sometimes(kNaN))});
    bad.push_back({what + " infinite", Full(12, 14, kind, sometimes(kInfinity))});
    bad.push_back({what + " minus infinite", Full(12, 14, kind, sometimes(-kInfinity))});
    bad.push_back({what + " huge", Full(12, 14, kind, sometimes(kMost))});
    bad.push_back({what + " hugely negative", Full(12, 14, kind, sometimes(-kMost))});
    bad.push_back({what + " all NaN", Full(12, 14, kind, always(kNaN))});
  }
  Dataset twice = Full(12, 14, EventKind::kPlay, always(kMost));  // sums beyond what a float holds
  for (Event& event : twice.events) event.track = TrackIx{Raw(event.track) / 2};
  bad.push_back({"huge sums", std::move(twice)});
  Dataset times = Full(12, 14, EventKind::kPlay, always(1));
  for (size_t k = 0; k < times.events.size(); ++k) {
    constexpr int64_t kTimes[] = {std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min(), 0, -5, 1'600'000'000};
    times.events[k].at = kTimes[k % 5];
  }
  bad.push_back({"times of all sizes", std::move(times)});
  Dataset ids = Full(8, 8, EventKind::kPlay, [](uint32_t u, uint32_t i) { return static_cast<float>(1 + (u + i) % 3); });
  ids.tracks.id = {"", " ", "\n\r\n", "\"', ;\t", std::string("a\0b", 3), "a\\b/../c", "\xc3\xa9\xe9\x9f\xb3\xf0\x9f\x8e\xb5", "\xff\xfe"};
  ids.listeners = ids.tracks.id;
  std::sort(ids.tracks.id.begin(), ids.tracks.id.end());
  std::sort(ids.listeners.begin(), ids.listeners.end());
  ids.tracks.title = ids.tracks.artist = ids.tracks.tags = ids.tracks.id;
  ids.tags = TagsOf(ids.tracks);
  bad.push_back({"ids of every character", std::move(ids)});
  Dataset sound = Full(12, 14, EventKind::kPlay, always(1));
  for (size_t k = 0; k < sound.tracks.features.size(); ++k) {
    constexpr float kValues[] = {kNaN, kInfinity, -kInfinity, kMost, -kMost, 0.5f, 0.7f};
    sound.tracks.features[k] = kValues[k % 7];
  }
  bad.push_back({"features of all sizes", std::move(sound)});
  return bad;
}

class BadInput : public testing::TestWithParam<std::string_view> {
 protected:
  void TearDown() override { fs::remove(file_); }

  /// Fits, asks of everybody and a stranger, saves, loads: numbers all the way, or kInvalid.
  void Try(const Bad& bad, const Settings& settings) {
    SCOPED_TRACE(bad.name);
    NoInstruments instruments;
    const auto model = (*MakeTrainer(GetParam()))->Fit(bad.data, settings, 1, instruments);
    if (!model.ok()) {
      EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
      EXPECT_NE(model.error().message.find(GetParam().substr(0, GetParam().find('_'))), std::string::npos) << model.error().message;
      return;
    }
    ASSERT_TRUE((*model)->Save(file_).ok());
    const auto loaded = models::Load(file_);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    Ask(**loaded, bad.data);
  }

  void Ask(const models::Model& model, const Dataset& data) {
    ASSERT_EQ(model.track_count(), data.tracks.size());
    for (uint32_t i = 0; i < model.track_count(); ++i) EXPECT_EQ(model.TrackId(TrackIx{i}), data.tracks.id[i]);
    std::vector<models::Profile> profiles = {model.FoldIn({})};
    for (uint32_t u = 0; u < data.listener_count(); ++u) profiles.push_back(ProfileIn(model, data, u));
    const std::vector<Preference> wild = {{TrackIx{0}, kMost, kMost, 0, 5}};
    profiles.push_back(model.FoldIn(wild));
    for (size_t u = 0; u < profiles.size(); ++u) {
      std::vector<float> scores(model.track_count());
      model.Score(profiles[u], scores);
      for (uint32_t i = 0; i < scores.size(); ++i) {
        EXPECT_TRUE(std::isfinite(scores[i]) || scores[i] == models::kNever) << "profile " << u << ", track " << i << ": " << scores[i];
        const auto rating = model.PredictRating(profiles[u], TrackIx{i});
        EXPECT_TRUE(!rating || std::isfinite(*rating)) << "profile " << u << ", track " << i;
      }
      for (const auto& track : model.Top(profiles[u], 5, {})) {
        EXPECT_TRUE(std::isfinite(track.score));
        for (const auto& why : model.Explain(profiles[u], track.track).because) EXPECT_TRUE(std::isfinite(why.score));
      }
    }
    for (uint32_t i = 0; i < model.track_count(); ++i) {
      for (const auto& similar : model.Similar(TrackIx{i}, 5)) EXPECT_TRUE(std::isfinite(similar.score));
    }
  }

  fs::path file_ = fs::temp_directory_path() / ("segue-bad-" + std::to_string(::getpid()));
};

TEST_P(BadInput, GivesNumbersOrAClearError) {
  for (const Bad& bad : BadData()) Try(bad, Small());
}

TEST_P(BadInput, FactorsBeyondTheRankOfTheDataGiveNumbers) {
  Settings settings = Small();
  settings.ials.factors = settings.svd.factors = settings.svdpp.factors = 62;
  settings.bpr.factors = settings.warp.factors = settings.svdpp_gibbs.factors = 30;
  settings.ease.max_dense = 1;  // and more neighbours than tracks
  const auto value = [](uint32_t u, uint32_t i) { return static_cast<float>(1 + (u * i) % 5); };
  Try({"a small table", Full(6, 5, EventKind::kRating, value)}, settings);
  Try({"rank one", Full(20, 20, EventKind::kPlay, [](uint32_t, uint32_t i) { return static_cast<float>(1 + i); })}, settings);
}

INSTANTIATE_TEST_SUITE_P(Trainers, BadInput, testing::ValuesIn(KnownAlgorithms()),
                         [](const auto& which) { return std::string(which.param); });

}  // namespace
}  // namespace segue::train
