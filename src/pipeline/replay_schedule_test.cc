#include "pipeline/replay_schedule.h"

#include <gtest/gtest.h>

#include "pipeline/replay_testing.h"

namespace segue::pipeline {
namespace {

std::vector<uint32_t> WindowsOf(const TrainingSchedule& schedule, Arm arm) {
  std::vector<uint32_t> windows;
  for (const Decision& decision : schedule.decisions[static_cast<size_t>(arm)]) windows.push_back(schedule.trainings[decision.training].window);
  return windows;
}

struct Planned {
  Timeline timeline;
  TrainingSchedule schedule;
};

Planned Plan(Dataset data, const ClockOptions& clock, const ArmOptions& arms) {
  auto timeline = SetClock(data, clock);
  EXPECT_TRUE(timeline.ok());
  auto schedule = MakeTrainingSchedule(data, *timeline, arms);
  EXPECT_TRUE(schedule.ok());
  return {*timeline, *schedule};
}

TEST(ReplaySchedule, TheTimerTrainsEveryFewWindowsAndOnceNeverAgain) {
  const auto plan = Plan(SwitchingListeners(4, 12, 12), {.start_s = 14 * kTestDay}, {.every = 3}).schedule;
  EXPECT_EQ(WindowsOf(plan, Arm::kOnce), (std::vector<uint32_t>{2}));
  EXPECT_EQ(WindowsOf(plan, Arm::kTimer), (std::vector<uint32_t>{2, 5, 8, 11}));
}

TEST(ReplaySchedule, TheTriggerWaitsForEnoughNewEventsInNumberAndInShare) {
  // 4 listeners x 35 events a week.
  const auto by_number = Plan(SwitchingListeners(4, 10, 10), {.start_s = 14 * kTestDay}, {.trigger_plays = 300, .trigger_share = 0, .trigger_drift = 0}).schedule;
  EXPECT_EQ(WindowsOf(by_number, Arm::kTrigger), (std::vector<uint32_t>{2, 5, 8}));
  const auto by_share = Plan(SwitchingListeners(4, 10, 10), {.start_s = 14 * kTestDay}, {.trigger_plays = 1, .trigger_share = 1, .trigger_drift = 0}).schedule;
  EXPECT_EQ(WindowsOf(by_share, Arm::kTrigger), (std::vector<uint32_t>{2, 4, 8}));
}

TEST(ReplaySchedule, DriftFiresInTheWindowAfterTastesSwitchedAndNotBefore) {
  const auto plan = Plan(SwitchingListeners(8, 12, 7), {.start_s = 21 * kTestDay}, {.trigger_plays = 0, .trigger_drift = 0.3}).schedule;
  EXPECT_EQ(WindowsOf(plan, Arm::kTrigger), (std::vector<uint32_t>{3, 8}));
  EXPECT_GT(plan.drift[8 - 3], 0.95);  // nearly all that they play is strange
}

TEST(ReplaySchedule, AnArmDoesNotTrainWhereNothingCame) {
  Dataset data = SwitchingListeners(3, 4, 4);
  // Nobody listens for ten weeks, then somebody does once more.
  data.events.push_back({TrackIx{0}, EventKind::kPlay, 1, -1, kTestStart + 100 * kTestDay});
  ++data.begin.back();
  const auto plan = Plan(data, {.clock = "calendar", .start_s = 14 * kTestDay}, {.every = 1}).schedule;
  EXPECT_EQ(WindowsOf(plan, Arm::kTimer), (std::vector<uint32_t>{2, 3, 4}));
}

TEST(ReplayClock, HistoriesOfDifferentYearsGoByTheListenersOwnClockUnlessToldOtherwise) {
  Dataset data = SwitchingListeners(4, 6, 6);
  for (uint32_t u = 0; u < 4; ++u) {
    for (uint64_t e = data.begin[u]; e < data.begin[u + 1]; ++e) data.events[e].at += u * 400 * kTestDay;
  }
  Dataset aligned = data;
  const auto by_listener = SetClock(aligned, {});
  ASSERT_TRUE(by_listener.ok());
  EXPECT_TRUE(by_listener->by_listener);
  EXPECT_DOUBLE_EQ(by_listener->listeners_a_window, 1);
  EXPECT_EQ(by_listener->windows, 6u);
  for (uint32_t u = 0; u < 4; ++u) EXPECT_EQ(aligned.EventsOf(UserIx{u}).front().at, data.EventsOf(UserIx{0}).front().at);
  const auto calendar = SetClock(data, {.clock = "calendar"});
  ASSERT_TRUE(calendar.ok());
  EXPECT_FALSE(calendar->by_listener);
  EXPECT_GT(calendar->windows, 100u);
}

TEST(ReplayClock, ListenersWhoShareTheirWeeksGoByTheCalendar) {
  Dataset data = SwitchingListeners(4, 6, 6);
  const auto timeline = SetClock(data, {});
  ASSERT_TRUE(timeline.ok());
  EXPECT_FALSE(timeline->by_listener);
  EXPECT_EQ(timeline->first, 2u);  // a quarter of the events is before it
}

TEST(ReplayClock, ThePastEndsBeforeTheMomentAndWhatHasNoTimeIsLeftOut) {
  Dataset data = SwitchingListeners(2, 4, 4);
  data.events.front().at = 0;
  const auto timeline = SetClock(data, {});
  ASSERT_TRUE(timeline.ok());
  EXPECT_EQ(timeline->undated, 1u);
  Dataset past;
  const int64_t moment = data.EventsOf(UserIx{0})[10].at;
  PastUntil(data, moment, past);
  ASSERT_EQ(past.begin.size(), 3u);
  EXPECT_EQ(past.begin[1], 10u);
  for (const Event& event : past.events) EXPECT_LT(event.at, moment);
}

}  // namespace
}  // namespace segue::pipeline
