#include "models/trending.h"

#include <cmath>

#include "models/popularity.h"
#include "train/testing.h"

namespace segue::train {
namespace {

constexpr int64_t kNow = 1'700'000'000;
constexpr int64_t kDay = 86'400;

Event At(uint32_t track, int64_t at, EventKind kind = EventKind::kPlay, float value = 1) { return {TrackIx{track}, kind, value, -1, at}; }

/// One listener's events each.
Dataset Of(size_t tracks, const std::vector<std::vector<Event>>& listeners) {
  Dataset data = Empty(listeners.size(), tracks);
  for (const auto& events : listeners) {
    data.events.insert(data.events.end(), events.begin(), events.end());
    data.begin.push_back(data.events.size());
  }
  return data;
}

std::unique_ptr<models::Model> Fit(const Dataset& data, double half_life_days = 10) {
  NoInstruments instruments;
  Settings settings;
  settings.trending.half_life_days = half_life_days;
  auto model = (*MakeTrainer("trending"))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

std::vector<float> Scores(const models::Model& model) {
  std::vector<float> scores(model.track_count());
  model.Score(model.FoldIn({}), scores);
  return scores;
}

TEST(Trending, AListenerCountsHalfAfterEveryHalfLife) {
  const auto scores = Scores(*Fit(Of(3, {{At(0, kNow), At(1, kNow - 10 * kDay), At(2, kNow - 25 * kDay)}})));
  const double popularity = models::PopularityScore(1, 1) / 1000.0;
  EXPECT_NEAR(scores[0], std::log(2.0) + popularity, 1e-6);
  EXPECT_NEAR(scores[1], std::log(1.5) + popularity, 1e-6);
  EXPECT_NEAR(scores[2], std::log(1 + std::exp2(-2.5)) + popularity, 1e-6);
}

TEST(Trending, WhatIsNewBeatsWhatWasPopular) {
  const Dataset data = Of(2, {{At(0, kNow - 300 * kDay)}, {At(0, kNow - 300 * kDay)}, {At(0, kNow - 300 * kDay)}, {At(1, kNow)}});
  const auto model = Fit(data);
  EXPECT_EQ(Raw(model->Top(model->FoldIn({}), 1, {})[0].track), 1u);
  EXPECT_EQ(model->Explain(model->FoldIn({}), TrackIx{0}).general, "popular in the past: 3 listeners");
  EXPECT_EQ(model->Explain(model->FoldIn({}), TrackIx{1}).general, "trending: 1 listener within 10 days");
}

TEST(Trending, AListenerCountsOnceATrackByHisNewestPlay) {
  std::vector<Event> often;
  for (int64_t day = 0; day < 50; ++day) often.push_back(At(0, kNow - day * kDay));
  const auto scores = Scores(*Fit(Of(2, {often, {At(1, kNow)}, {At(1, kNow)}})));
  EXPECT_GT(scores[1], scores[0]);
  EXPECT_NEAR(scores[0], std::log(2.0) + models::PopularityScore(1, 50) / 1000.0, 1e-6);
}

TEST(Trending, TimeIsCountedFromTheNewestEventOfAnyKind) {
  const auto early = Scores(*Fit(Of(2, {{At(0, kNow)}})));
  const auto late = Scores(*Fit(Of(2, {{At(0, kNow), At(1, kNow + 10 * kDay, EventKind::kSkip)}})));
  EXPECT_NEAR(early[0], std::log(2.0) + models::PopularityScore(1, 1) / 1000.0, 1e-6);
  EXPECT_NEAR(late[0], std::log(1.5) + models::PopularityScore(1, 1) / 1000.0, 1e-6);
  EXPECT_EQ(late[1], models::kNever);
}

TEST(Trending, ASkipKeepsNoTrackWarm) {
  const auto scores = Scores(*Fit(Of(2, {{At(0, kNow - 10 * kDay, EventKind::kPlay, 3), At(0, kNow, EventKind::kSkip), At(1, kNow)}})));
  EXPECT_LT(scores[0], std::log(1.51));
}

TEST(Trending, AnEventWithoutATimeIsAsOldAsTheOldest) {
  const auto scores = Scores(*Fit(Of(3, {{At(0, 0), At(1, kNow - 20 * kDay), At(2, kNow)}})));
  EXPECT_EQ(scores[0], scores[1]);
  EXPECT_NEAR(scores[0], std::log(1.25) + models::PopularityScore(1, 1) / 1000.0, 1e-6);
}

/// What one listener did must not tell when another did it.
TEST(Trending, ATimeIsThatListenersOwn) {
  const auto scores = Scores(*Fit(Of(2, {{At(0, kNow)}, {At(0, 0)}, {At(1, kNow - 10 * kDay)}})));
  EXPECT_NEAR(scores[0], std::log(1 + 1 + 0.5) + models::PopularityScore(2, 2) / 1000.0, 1e-6);
}

TEST(Trending, WithoutTimesMoreListenersComeFirst) {
  Dataset data = RandomData(150, 60, 3);
  std::vector<int> listeners(60, 0);
  for (Event& event : data.events) {
    event.at = 0;
    ++listeners[Raw(event.track)];
  }
  const auto model = Fit(data);
  const auto top = model->Top(model->FoldIn({}), 60, {});
  ASSERT_EQ(top.size(), 60u);
  for (size_t i = 1; i < top.size(); ++i) EXPECT_GE(listeners[Raw(top[i - 1].track)], listeners[Raw(top[i].track)]) << "rank " << i;
}

TEST(Trending, WhatIsStoneColdIsOrderedByPopularity) {
  const Dataset data = Of(3, {{At(0, 1'000'000), At(2, kNow)}, {At(0, 1'000'000)}, {At(1, 1'000'000)}});
  const auto scores = Scores(*Fit(data, 0.01));  // ages beyond the range of doubles
  EXPECT_GT(scores[2], scores[0]);
  EXPECT_GT(scores[0], scores[1]);
  EXPECT_GT(scores[1], 0);
}

}  // namespace
}  // namespace segue::train
