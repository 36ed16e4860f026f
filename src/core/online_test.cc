#include "core/online.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

constexpr int64_t kWindow = 100;

Showing List(const std::string& id, const std::string& listener, int64_t at, Arm arm, const std::vector<std::string>& tracks) {
  return {.list_id = id, .listener = listener, .model_id = arm == Arm::kLive ? "old" : "new", .arm = arm, .at = at, .made_us = 1000, .tracks = tracks};
}

OnlineAnswer Event(EventKind kind, const std::string& listener, const std::string& track, int64_t at, const std::string& list = "") {
  return {.listener = listener, .track_id = track, .list_id = list, .kind = kind, .at = at};
}

class Ledger : public testing::Test {
 protected:
  ArmFigures Of(Arm arm, int64_t now = 10'000) {
    for (const ArmFigures& figures : ledger_.Figures(now)) {
      if (figures.arm == arm) return figures;
    }
    return {};
  }
  OnlineLedger ledger_{kWindow};
};

TEST_F(Ledger, CountsAListOnceWhateverItsAnswers) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1", "t2"}));
  ledger_.Show(List("b", "ann", 500, Arm::kLive, {"t1", "t3"}));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 5));
  ledger_.Answer(Event(EventKind::kLike, "ann", "t1", 6));
  ledger_.Answer(Event(EventKind::kLike, "ann", "t2", 7));
  ledger_.Answer(Event(EventKind::kDislike, "ann", "t3", 510));
  ledger_.Answer(Event(EventKind::kSkip, "ann", "t1", 511));
  const ArmFigures live = Of(Arm::kLive);
  EXPECT_EQ(live.lists, 2);
  EXPECT_EQ(live.hit, 1);
  EXPECT_EQ(live.liked, 1);
  EXPECT_EQ(live.disliked, 1);
  EXPECT_EQ(live.skipped, 1);
  EXPECT_EQ(live.Rate(live.hit), 0.5);
  EXPECT_EQ(live.shown, 4);
  EXPECT_EQ(live.distinct_tracks, 3);
  EXPECT_EQ(live.distinct_pairs, 3) << "t1 was shown to ann twice";
  EXPECT_EQ(live.made_p99_ms, 1);
}

TEST_F(Ledger, AnAnswerIsToTheListThatItNamesElseToTheNewest) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("b", "ann", 10, Arm::kCanary, {"t1"}));
  ledger_.Answer(Event(EventKind::kLike, "ann", "t1", 20, "a"));
  EXPECT_EQ(Of(Arm::kLive).liked, 1);
  EXPECT_EQ(Of(Arm::kCanary).liked, 0);
  ledger_.Answer(Event(EventKind::kDislike, "ann", "t1", 21));
  EXPECT_EQ(Of(Arm::kLive).disliked, 0);
  EXPECT_EQ(Of(Arm::kCanary).disliked, 1);
}

TEST_F(Ledger, WhatWasNotShownOrComesTooLateOrFromSomebodyElseIsNoAnswer) {
  ledger_.Show(List("a", "ann", 1000, Arm::kLive, {"t1"}));
  ledger_.Show(List("b", "bob", 1000, Arm::kLive, {"t2"}));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t2", 1001, "a"));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 1000 + kWindow + 1, "a"));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 999));
  ledger_.Answer(Event(EventKind::kPlay, "bob", "t1", 1001, "a"));
  ledger_.Answer(Event(EventKind::kPlay, "eve", "t1", 1001));
  ledger_.Answer(Event(EventKind::kRating, "ann", "t1", 1001));
  EXPECT_EQ(Of(Arm::kLive).hit, 0);
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 1000 + kWindow));
  EXPECT_EQ(Of(Arm::kLive).hit, 1) << "the window's last second belongs to it";
}

TEST_F(Ledger, AShadowIsCreditedBesideWhatWasShown) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("a-shadow", "ann", 0, Arm::kShadow, {"t1", "t2"}));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 1, "a"));
  EXPECT_EQ(Of(Arm::kLive).hit, 1);
  EXPECT_EQ(Of(Arm::kShadow).hit, 1);
}

TEST_F(Ledger, RatesAreOfListsWhoseWindowIsOver) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("b", "ann", 50, Arm::kLive, {"t1"}));
  EXPECT_EQ(Of(Arm::kLive, kWindow).judged, 0);
  EXPECT_EQ(Of(Arm::kLive, kWindow + 1).judged, 1);
  EXPECT_EQ(Of(Arm::kLive, kWindow + 51).judged, 2);
  EXPECT_EQ(Of(Arm::kLive, kWindow).lists, 2);
}

TEST_F(Ledger, AListenerCountsWithHisFirstListsOnceTheyAreJudged) {
  ledger_.Show(List("a", "ann", 0, Arm::kCanary, {"t1"}));
  ledger_.Show(List("b", "ann", 10, Arm::kCanary, {"t2"}));
  ledger_.Show(List("c", "ann", 20, Arm::kCanary, {"t3"}));
  ledger_.Answer(Event(EventKind::kLike, "ann", "t1", 1, "a"));
  ledger_.Answer(Event(EventKind::kDislike, "ann", "t3", 21, "c"));
  EXPECT_TRUE(ledger_.Outcomes(10 + kWindow, 2, 1000).empty());
  const auto two = ledger_.Outcomes(10 + kWindow + 1, 2, 1000);
  ASSERT_EQ(two.size(), 1U);
  EXPECT_EQ(two[0].arm, Arm::kCanary);
  EXPECT_EQ(two[0].lists, 2);
  EXPECT_EQ(two[0].hit, 0.5);
  EXPECT_EQ(two[0].liked, 0.5);
  EXPECT_EQ(two[0].disliked, 0) << "the third list is none of the first two";
}

TEST_F(Ledger, WhoCameBackLessOftenCountsWhenHisTimeIsOver) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("late", "ann", 1000, Arm::kLive, {"t1"}));
  ledger_.Answer(Event(EventKind::kPlay, "ann", "t1", 1, "a"));
  EXPECT_TRUE(ledger_.Outcomes(1000 + kWindow, 5, 1000).empty());
  const auto outcomes = ledger_.Outcomes(1000 + kWindow + 1, 5, 1000);
  ASSERT_EQ(outcomes.size(), 1U);
  EXPECT_EQ(outcomes[0].lists, 1) << "a list after his time is none of it";
  EXPECT_EQ(outcomes[0].hit, 1);
}

TEST_F(Ledger, WhoSawBothArmsCountsForNeither) {
  ledger_.Show(List("a", "ann", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("b", "ann", 1, Arm::kCanary, {"t1"}));
  Showing failed = List("c", "bob", 0, Arm::kCanary, {});
  failed.failed = true;
  ledger_.Show(failed);
  ledger_.Show(List("d", "bob", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("e", "eve", 0, Arm::kLive, {"t1"}));
  ledger_.Show(List("f", "eve", 1, Arm::kShadow, {"t1"}));
  const auto outcomes = ledger_.Outcomes(10'000, 2, 1000);
  ASSERT_EQ(outcomes.size(), 1U) << "eve saw the live model's list alone";
  EXPECT_EQ(outcomes[0].arm, Arm::kLive);
  EXPECT_EQ(Of(Arm::kCanary).failed, 1);
}

}  // namespace
}  // namespace segue
