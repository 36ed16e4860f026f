#include "models/rating_scale.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

namespace segue::models {
namespace {

Preference Rated(float rating) { return {.strength = rating, .rating = rating}; }
Preference Played(float plays) { return {.strength = plays, .plays = plays}; }

TEST(RatingScale, RatingsAreBroughtToMeanZeroAndDeviationOne) {
  const std::vector<Preference> items = {Rated(1), Rated(5), Rated(5), Rated(1)};
  const auto scale = ScaleOf(items);
  ASSERT_TRUE(scale.has_value());
  EXPECT_EQ(scale->kind, RatingScale::Kind::kRatings);
  EXPECT_FLOAT_EQ(scale->mean, 3);
  EXPECT_FLOAT_EQ(scale->deviation, 2);
  EXPECT_FLOAT_EQ(*scale->Target(Rated(4)), 0.5f);
  EXPECT_FLOAT_EQ(scale->Rating(0.5f), 4);
  EXPECT_FLOAT_EQ(scale->Rating(9), 5) << "no more than the highest seen";
  EXPECT_FLOAT_EQ(scale->Rating(-9), 1);
}

TEST(RatingScale, WhatIsOnlyPlayedIsChosenButHasNoTargetWhereOthersAreRated) {
  const std::vector<Preference> items = {Rated(1), Rated(5), Played(7)};
  const auto scale = ScaleOf(items);
  EXPECT_FALSE(scale->Target(Played(7)).has_value());
  EXPECT_TRUE(RatingScale::Chosen(Played(7)));
  EXPECT_FALSE(RatingScale::Chosen({.skips = 2})) << "skips alone";
}

TEST(RatingScale, PlayCountsAreTakenByTheirLogarithm) {
  const std::vector<Preference> items = {Played(1), Played(99)};
  const auto scale = ScaleOf(items);
  EXPECT_EQ(scale->kind, RatingScale::Kind::kLogPlays);
  EXPECT_NEAR(scale->mean, (std::log(2.0) + std::log(100.0)) / 2, 1e-5);
  EXPECT_NEAR(scale->Rating(*scale->Target(Played(20))), 20, 1e-3);
}

TEST(RatingScale, ADislikeIsTheLowestTarget) {
  const std::vector<Preference> items = {Rated(2), Rated(4)};
  const auto scale = ScaleOf(items);
  EXPECT_FLOAT_EQ(*scale->Target({.strength = -1}), -1);
  EXPECT_FALSE(RatingScale::Chosen({.strength = -1}));
}

TEST(RatingScale, ConstantRatingsHaveDeviationOne) {
  const std::vector<Preference> items = {Rated(4), Rated(4)};
  const auto scale = ScaleOf(items);
  EXPECT_FLOAT_EQ(scale->deviation, 1);
  EXPECT_FLOAT_EQ(*scale->Target(Rated(4)), 0);
  EXPECT_TRUE(scale->Valid());
}

TEST(RatingScale, WhatIsNoNumberOrTooLargeIsNoRating) {
  const float huge = 3e38f;
  const std::vector<Preference> items = {Rated(2), Rated(4), Rated(INFINITY), Rated(-huge), Rated(huge)};
  const auto scale = ScaleOf(items);
  EXPECT_FLOAT_EQ(scale->highest, 4);
  EXPECT_FLOAT_EQ(scale->mean, 3);
  EXPECT_FALSE(scale->Target(Rated(huge)).has_value());
}

TEST(RatingScale, NothingWantedIsNoScale) {
  EXPECT_FALSE(ScaleOf({}).has_value());
  const std::vector<Preference> skips = {{.skips = 1}};
  EXPECT_FALSE(ScaleOf(skips).has_value());
}

}  // namespace
}  // namespace segue::models
