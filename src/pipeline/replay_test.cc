#include "pipeline/replay.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "pipeline/replay_report.h"
#include "pipeline/replay_summary.h"
#include "pipeline/replay_testing.h"

namespace segue::pipeline {
namespace {

Settings Small() {
  Settings settings;
  settings.ials.factors = 16;
  settings.ials.epochs = 6;
  settings.bootstrap_samples = 200;
  return settings;
}

Result<Replayed> RunReplay(Dataset data, const ReplayOptions& options, const Settings& settings) {
  NoInstruments instruments;
  return Replay(std::move(data), options, settings, instruments);
}

/// Everything but the timings.
std::string Bytes(const Replayed& replay) {
  auto json = ReplayJson(replay, Summarize(replay));
  json.erase("timings");
  return json.dump();
}

TEST(Replay, TheSameSeedGivesTheSameBytesForAnyNumberOfThreads) {
  Settings one = Small(), two = Small();
  one.threads = 1;
  two.threads = 2;
  const auto first = RunReplay(SwitchingListeners(20, 8, 4), {}, one);
  const auto second = RunReplay(SwitchingListeners(20, 8, 4), {}, two);
  ASSERT_TRUE(first.ok() && second.ok()) << first.error().message;
  EXPECT_EQ(Bytes(*first), Bytes(*second));
}

TEST(Replay, WhatComesLaterChangesNoEarlierWindow) {
  ReplayOptions options;
  options.clock.start_s = 14 * kTestDay;
  options.clock.clock = "calendar";
  const Dataset whole = SwitchingListeners(16, 8, 5);
  Dataset early = whole;
  // Another future from week 5 on: everybody plays track 0 instead.
  for (Event& event : early.events) {
    if (event.at >= kTestStart + 35 * kTestDay) event.track = TrackIx{0};
  }
  const auto a = RunReplay(whole, options, Small());
  const auto b = RunReplay(early, options, Small());
  ASSERT_TRUE(a.ok() && b.ok());
  for (size_t p = 0; p < kProtocols.size(); ++p) {
    size_t compared = 0;
    for (size_t i = 0; i < std::min(a->pairs[p].size(), b->pairs[p].size()) && a->pairs[p][i].window < 5; ++i, ++compared) {
      EXPECT_EQ(a->pairs[p][i].listener, b->pairs[p][i].listener);
      EXPECT_EQ(a->pairs[p][i].figures, b->pairs[p][i].figures);
    }
    EXPECT_GT(compared, 20u);
  }
}

TEST(Replay, AnArmWithoutFoldInKnowsAListenerAsHeWasWhenItsModelWasTrained) {
  ReplayOptions options;
  options.arms = {.every = 0, .trigger_plays = 0, .trigger_drift = 0};  // nobody trains again
  const auto replay = RunReplay(SwitchingListeners(20, 8, 4), options, Small());
  ASSERT_TRUE(replay.ok());
  EXPECT_EQ(replay->models.size(), 1u);
  bool fold_in_differs = false;
  for (const auto& pairs : replay->pairs) {
    for (const ReplayPair& pair : pairs) {
      EXPECT_EQ(pair.figures[0], pair.figures[1]);
      EXPECT_EQ(pair.figures[0], pair.figures[2]);
      fold_in_differs |= pair.figures[0] != pair.figures[3];
    }
  }
  EXPECT_TRUE(fold_in_differs);
}

TEST(Replay, ArmsThatTrainOnTheSameDataShareTheModel) {
  ReplayOptions options;
  options.arms = {.every = 1, .trigger_plays = 1, .trigger_share = 0};
  const auto replay = RunReplay(SwitchingListeners(16, 8, 4), options, Small());
  ASSERT_TRUE(replay.ok());
  EXPECT_EQ(replay->models.size(), replay->timeline.windows - replay->timeline.first);
  for (const ReplayPair& pair : replay->pairs[1]) EXPECT_EQ(pair.figures[1], pair.figures[3]);  // trained just now: nothing left to fold in
}

TEST(Replay, AfterASwitchRetrainedArmsRecoverTrainedOnceDoesNotAndFoldInRecoversFirst) {
  ReplayOptions options;
  options.switch_at = 42 * kTestDay;
  options.switch_is_age = true;
  options.recovered = 0.7;
  // The switch falls into the timer's period, three windows before its next training.
  options.arms = {.every = 5, .trigger_plays = 1, .trigger_share = 0.55, .trigger_drift = 0};
  Settings settings = Small();
  settings.ials.half_life_days = 7;
  const auto replay = RunReplay(SwitchingListeners(48, 14, 6), options, settings);
  ASSERT_TRUE(replay.ok()) << replay.error().message;
  const auto next = Summarize(*replay).protocols[1];
  ASSERT_TRUE(next.switch_window);
  const auto& [once, timer, trigger, fold_in] = next.recovery;
  EXPECT_FALSE(once.after) << "after " << *once.after;
  ASSERT_TRUE(timer.after && trigger.after && fold_in.after)
      << timer.after.value_or(99) << " " << trigger.after.value_or(99) << " " << fold_in.after.value_or(99);
  EXPECT_LT(*fold_in.after, *trigger.after);
  EXPECT_LT(*fold_in.after, *timer.after);
}

TEST(Replay, NoListHasATrackThatNobodyHadMet) {
  // Content finds tracks by name, so that it could know next week's release.
  Dataset data = SwitchingListeners(12, 6, 3);
  const auto replay = RunReplay(data, {.algorithm = "content_text"}, Small());
  ASSERT_TRUE(replay.ok()) << replay.error().message;
  const auto& timeline = replay->timeline;
  for (const ReplayPair& pair : replay->pairs[0]) {
    // A listener who wants only tracks that are new to everybody gets nothing.
    bool all_new = true;
    for (const Event& event : EventsBetween(data, UserIx{pair.listener}, timeline.Edge(pair.window), timeline.Edge(pair.window + 1))) {
      bool met = false;
      for (uint32_t u = 0; u < data.listener_count(); ++u) {
        for (const Event& other : data.EventsOf(UserIx{u})) met |= other.track == event.track && other.at < timeline.Edge(pair.window);
      }
      all_new &= !met;
    }
    if (all_new) { EXPECT_EQ(pair.figures, ArmFigures{}); }
  }
}

TEST(Replay, SaysWhatIsWrongAndTheWayOut) {
  const auto message = [](Dataset data, const ReplayOptions& options) {
    const auto replay = RunReplay(std::move(data), options, Small());
    return replay.ok() ? std::string() : replay.error().message;
  };
  EXPECT_NE(message(SwitchingListeners(4, 4, 2), {.algorithm = "magic"}).find("known: popularity"), std::string::npos);
  EXPECT_NE(message(SwitchingListeners(4, 4, 2), {.clock = {.window_s = 90 * kTestDay}}).find("shorter --window"), std::string::npos);
  Dataset undated = SwitchingListeners(4, 4, 2);
  for (Event& event : undated.events) event.at = 0;
  EXPECT_NE(message(undated, {}).find("has a time"), std::string::npos);
  Dataset empty = SwitchingListeners(4, 4, 2);
  empty.events.clear();
  empty.begin.assign(empty.listener_count() + 1, 0);
  EXPECT_NE(message(empty, {}).find("no listening"), std::string::npos);
}

TEST(Replay, StopsWhenAsked) {
  class Stopped final : public Instruments {
   public:
    void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
    void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
    bool Cancelled() const override { return true; }
  } stopped;
  const auto replay = Replay(SwitchingListeners(4, 4, 2), {}, Small(), stopped);
  ASSERT_FALSE(replay.ok());
  EXPECT_EQ(replay.error().code, ErrorCode::kCancelled);
}

}  // namespace
}  // namespace segue::pipeline
