#include "serve/rotation.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr int64_t kHour = 3'600'000;
using Ids = std::vector<std::string>;

Rotation::Tracks Made(Ids ids) { return std::make_shared<const Ids>(std::move(ids)); }

TEST(Rotation, WhatWasShownIsOutFromTheNextTurnOnUntilItsHoursAreOver) {
  Rotation rotation(2);
  EXPECT_TRUE(rotation.OutFor("ann", "a", 0, 0).tracks.empty());
  rotation.Note("ann", Made({"t2", "t1"}), 0);
  EXPECT_TRUE(rotation.OutFor("ann", "a", 0, kHour).tracks.empty()) << "nothing has changed: the same list again, or its next page";
  rotation.Note("ann", Made({"t3", "t1"}), kHour);
  EXPECT_EQ(rotation.OutFor("ann", "b", 0, kHour + 1).tracks, (Ids{"t1", "t2", "t3"}));
  EXPECT_EQ(rotation.OutFor("ann", "b", 0, 10 * kHour).tracks, (Ids{"t1", "t2", "t3"})) << "settled when the turn began";
  EXPECT_EQ(rotation.OutFor("ann", "c", 0, 2 * kHour).tracks, (Ids{"t1", "t3"}));
  EXPECT_TRUE(rotation.OutFor("ann", "d", 0, 3 * kHour).tracks.empty());
  EXPECT_TRUE(rotation.OutFor("bob", "a", 0, kHour).tracks.empty()) << "others were shown nothing";
}

TEST(Rotation, TurnsHaveNumbersOfTheirOwnEvenWhereTheStateComesBack) {
  Rotation rotation(1);
  const uint64_t first = rotation.OutFor("ann", "a", 0, 0).turn;
  EXPECT_EQ(rotation.OutFor("ann", "a", 0, 0).turn, first);
  rotation.OutFor("ann", "b", 0, 0);
  EXPECT_NE(rotation.OutFor("ann", "a", 0, 0).turn, first);
}

TEST(Rotation, WhoIsForgottenWasShownNothing) {
  Rotation rotation(1);
  rotation.OutFor("ann", "a", 0, 0);
  rotation.Note("ann", Made({"t1"}), 0);
  EXPECT_TRUE(rotation.OutFor("ann", "b", 1, 0).tracks.empty());
}

TEST(Rotation, KeepsNothingWhereItIsOff) {
  Rotation rotation(0);
  rotation.Note("ann", Made({"t1"}), 0);
  EXPECT_TRUE(rotation.OutFor("ann", "b", 0, 0).tracks.empty());
}

TEST_F(Serving, NothingThatAReplacedListShowedIsRecommendedAgainNotEvenAfterARestart) {
  settings_.repeat_after_hours = 1;
  PutPopularityLive("m1");
  Start();
  const auto ten = [&](const std::string& more = "") { return IdsIn(Get("/v1/listeners/bob/recommendations?n=10" + more)); };
  const auto first = ten();
  EXPECT_EQ(ten(), first) << "asked again, the same list";
  const auto second = ten("&offset=10");
  ASSERT_EQ(second.size(), 10u) << "and its next page";
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", ids_[0]}, {"kind", "like"}}}), 200);
  const auto third = ten("&mode=next");
  EXPECT_EQ(third.size(), 10u);
  for (const auto& id : third) EXPECT_FALSE(Has(first, id) || Has(second, id)) << id;
  Get("/v1/online");  // impressions are written
  server_.reset();
  Start();
  EXPECT_TRUE(ten().empty()) << "all thirty were shown";
  EXPECT_EQ(ListOf("ann").size(), 25u);
}

}  // namespace
}  // namespace segue::serve
