#include <gtest/gtest.h>

#include "core/check.h"
#include "evaluate/evaluator.h"
#include "evaluate/test_support.h"

namespace segue::evaluate {
namespace {

const std::vector<std::string> kTracks = {"a", "b", "c", "d", "e", "f"};

/// "ann: c d | bob: e", the held-out tracks.
std::string Held(const Split& split) {
  std::string text;
  for (size_t i = 0; i < split.listeners.size(); ++i) {
    text += (i > 0 ? " | " : "") + split.train.listeners[Raw(split.listeners[i])] + ":";
    for (uint64_t at = split.begin[i]; at < split.begin[i + 1]; ++at) {
      text += " " + split.train.tracks.id[Raw(split.held_out[at].track)];
    }
  }
  return text;
}

/// The tracks of one listener's past, in order of time.
std::string Past(const Split& split, const std::string& listener) {
  const auto row = FindSorted(split.train.listeners, listener);
  std::string text;
  for (const Event& event : split.train.EventsOf(UserIx{row.value()})) text += split.train.tracks.id[Raw(event.track)];
  return text;
}

std::string AtOrAboveMean(const Split& split) {
  std::string text;
  for (const HeldOut& held : split.held_out) {
    if (held.at_or_above_mean) text += split.train.tracks.id[Raw(held.track)];
  }
  return text;
}

TEST(SplitByTime, HoldsOutEachListenersNewestShare) {
  const Dataset data = DatasetBuilder(kTracks)
                           .Add("ann", "a", 10).Add("ann", "b", 20).Add("ann", "c", 30).Add("ann", "d", 40).Add("ann", "e", 50)
                           .Add("bob", "f", 1).Add("bob", "e", 2)
                           .Build();
  const Split split = SplitByTime(data, Settings{.holdout_share = 0.4});
  EXPECT_EQ(Held(split), "ann: d e | bob: e");
  EXPECT_EQ(Past(split, "ann"), "abc");
  EXPECT_EQ(Past(split, "bob"), "f");
  EXPECT_EQ(split.train.listeners, data.listeners);
  EXPECT_EQ(split.train.tracks.id, data.tracks.id);
  EXPECT_EQ(data.events.size(), 7u);
}

TEST(SplitByTime, OfAMovedDatasetIsTheSame) {
  Dataset data = DatasetBuilder(kTracks).Add("ann", "a", 10).Add("ann", "b", 20).Add("bob", "c", 5).Add("bob", "d", 6).Build();
  const Split copied = SplitByTime(data, Settings{});
  const Split moved = SplitByTime(std::move(data), Settings{});
  EXPECT_EQ(Held(copied), "ann: b | bob: d");
  EXPECT_EQ(Held(moved), Held(copied));
  EXPECT_EQ(moved.train.begin, copied.train.begin);
}

TEST(SplitByTime, LeavesAListenerOfOneEventWithoutAHoldOut) {
  const Split split = SplitByTime(DatasetBuilder(kTracks).Add("ann", "a", 10).Build(), Settings{});
  EXPECT_EQ(Held(split), "");
  EXPECT_EQ(Past(split, "ann"), "a");
  EXPECT_EQ(split.begin, (std::vector<uint64_t>{0}));
}

TEST(SplitByTime, HoldsOutAllThatHappenedAtTheMomentOfTheCut) {
  const Split split = SplitByTime(
      DatasetBuilder(kTracks).Add("ann", "a", 1).Add("ann", "b", 2).Add("ann", "c", 2).Add("ann", "d", 2).Build(),
      Settings{.holdout_share = 0.25});
  EXPECT_EQ(Held(split), "ann: b c d");
}

TEST(SplitByTime, MovesTheCutOnWhereNoPastWouldBeLeft) {
  const Split split = SplitByTime(
      DatasetBuilder(kTracks).Add("ann", "a", 1).Add("ann", "b", 1).Add("ann", "c", 1).Add("ann", "d", 2).Build(),
      Settings{.holdout_share = 0.5});
  EXPECT_EQ(Held(split), "ann: d");
}

TEST(SplitByTime, DropsWhatThePastHasInDiscoveryButNotInNext) {
  const Dataset data = DatasetBuilder(kTracks)
                           .Add("ann", "a", 1).Add("ann", "b", 2, EventKind::kSkip).Add("ann", "a", 3).Add("ann", "b", 4).Add("ann", "c", 5)
                           .Build();
  EXPECT_EQ(Held(SplitByTime(data, Settings{.holdout_share = 0.6, .protocol = "discovery"})), "ann: c");
  EXPECT_EQ(Held(SplitByTime(data, Settings{.holdout_share = 0.6, .protocol = "next"})), "ann: a b c");
}

TEST(SplitByTime, NeverHoldsOutSkipsAndDislikesAsWanted) {
  const Split split = SplitByTime(DatasetBuilder(kTracks)
                                      .Add("ann", "a", 1)
                                      .Add("ann", "b", 2, EventKind::kSkip)
                                      .Add("ann", "c", 3, EventKind::kDislike)
                                      .Add("ann", "d", 4).Add("ann", "d", 5, EventKind::kDislike)
                                      .Add("ann", "e", 6, EventKind::kLike)
                                      .Add("ann", "f", 7, EventKind::kRating, 0)
                                      .Build(),
                                  Settings{.holdout_share = 0.8});
  EXPECT_EQ(Held(split), "ann: e f");
  EXPECT_EQ(Past(split, "ann"), "a");
}

TEST(SplitByTime, OfAllCutsEverybodyAtOneMoment) {
  const Dataset data = DatasetBuilder(kTracks)
                           .Add("ann", "a", 10).Add("ann", "b", 20).Add("ann", "c", 95)
                           .Add("bob", "a", 90).Add("bob", "d", 91).Add("bob", "e", 92)
                           .Add("cat", "f", 30).Add("cat", "a", 40)
                           .Build();
  const Split split = SplitByTime(data, Settings{.split = "global_time", .holdout_share = 0.5});
  EXPECT_EQ(Held(split), "ann: c | bob: a d e");
  EXPECT_EQ(Past(split, "bob"), "");
  EXPECT_NE(split.description.find("from Unix second 90 on"), std::string::npos) << split.description;
}

TEST(SplitByTime, OfAllNeverLeavesAnEmptyPast) {
  const Split split = SplitByTime(DatasetBuilder(kTracks).Add("ann", "a", 1).Add("ann", "b", 1).Add("ann", "c", 2).Build(),
                                  Settings{.split = "global_time", .holdout_share = 0.5});
  EXPECT_EQ(Held(split), "ann: c");
}

DatasetBuilder Timeless(int64_t at) {
  std::vector<std::string> tracks;
  for (int i = 0; i < 1000; ++i) tracks.push_back("t" + std::to_string(1000 + i));
  DatasetBuilder builder(tracks);
  for (const auto& track : tracks) {
    builder.Add("ann", track, at).Add("bob", track, at).Add("bob", track, at);
  }
  return builder;
}

TEST(SplitByTime, HoldsOutByHashWhereTimesAreUnknownOrAllTheSame) {
  const Split unknown = SplitByTime(Timeless(0).Build(), Settings{.holdout_share = 0.2});
  ASSERT_EQ(unknown.listeners.size(), 2u);
  // 200 of 1,000 expected, standard deviation 12.6.
  EXPECT_NEAR(static_cast<double>(unknown.begin[1]), 200, 50);
  EXPECT_NEAR(static_cast<double>(unknown.begin[2] - unknown.begin[1]), 200, 50);
  EXPECT_NE(Held(unknown).substr(0, 60).substr(4), Held(unknown).substr(Held(unknown).find("bob") + 4, 56));
  EXPECT_EQ(Held(SplitByTime(Timeless(777).Build(), Settings{.holdout_share = 0.2})), Held(unknown));
  EXPECT_EQ(Held(SplitByTime(Timeless(0).Build(), Settings{.split = "global_time", .holdout_share = 0.2})), Held(unknown));
  EXPECT_NE(unknown.description.find("3000 events without an order in time"), std::string::npos) << unknown.description;
}

TEST(SplitByTime, SameContentIsTheSameHoldOutWhateverElseIsThere) {
  Dataset more = Timeless(0).Add("aaron", "t1500", 3).Build();
  const std::string alone = Held(SplitByTime(Timeless(0).Build(), Settings{}));
  EXPECT_EQ(Held(SplitByTime(std::move(more), Settings{})), alone);
}

TEST(MrrOfRecord, HoldsRatingsAgainstTheListenersMeanInTrain) {
  // Train: 2 and 4, mean 3; the play of c has no part in it.
  const Split split = SplitByTime(DatasetBuilder(kTracks)
                                      .Add("ann", "a", 1, EventKind::kRating, 2).Add("ann", "b", 2, EventKind::kRating, 4)
                                      .Add("ann", "c", 3, EventKind::kPlay, 90)
                                      .Add("ann", "d", 4, EventKind::kRating, 3).Add("ann", "e", 5, EventKind::kRating, 2.5f)
                                      .Add("ann", "f", 6, EventKind::kRating, 1).Add("ann", "f", 7, EventKind::kRating, 5)
                                      .Build(),
                                  Settings{.holdout_share = 0.55});
  EXPECT_EQ(Held(split), "ann: d e f");
  EXPECT_EQ(AtOrAboveMean(split), "df");
  EXPECT_EQ(split.held_out[2].rating, 5);
}

TEST(MrrOfRecord, HoldsRatingsAgainstTheHoldOutWhereTrainHasNone) {
  const Split split = SplitByTime(DatasetBuilder(kTracks)
                                      .Add("ann", "a", 1)
                                      .Add("ann", "b", 2, EventKind::kRating, 4).Add("ann", "c", 3, EventKind::kRating, 1)
                                      .Build(),
                                  Settings{.holdout_share = 0.5});
  EXPECT_EQ(AtOrAboveMean(split), "b");
}

TEST(MrrOfRecord, HoldsPlaysAgainstThoseOfTheHoldOutWhenCutByTime) {
  // Train has 100 plays of a; of the fresh tracks b was played 3 times, c once.
  DatasetBuilder builder(kTracks);
  builder.Add("ann", "a", 1, EventKind::kPlay, 100).Add("ann", "d", 2);
  builder.Add("ann", "b", 3).Add("ann", "b", 4).Add("ann", "b", 5).Add("ann", "c", 6);
  const Split split = SplitByTime(builder.Build(), Settings{.holdout_share = 0.6});
  EXPECT_EQ(Held(split), "ann: b c");
  EXPECT_EQ(AtOrAboveMean(split), "b");
}

TEST(MrrOfRecord, HoldsFilesGivenApartAgainstTheMeanInTrain) {
  const Dataset train = DatasetBuilder(kTracks).Add("ann", "a", 0, EventKind::kPlay, 2).Add("ann", "b", 0, EventKind::kPlay, 4).Listener("bob").Build();
  const Dataset test = DatasetBuilder(kTracks)
                           .Add("ann", "c", 0, EventKind::kPlay, 3).Add("ann", "d", 0, EventKind::kPlay, 1)
                           .Add("bob", "c", 0, EventKind::kPlay, 5).Add("bob", "e", 0, EventKind::kPlay, 1)
                           .Build();
  const Split split = SplitGiven(train, test, Settings{});
  EXPECT_EQ(Held(split), "ann: c d | bob: c e");
  EXPECT_EQ(AtOrAboveMean(split), "cc");
}

TEST(SplitGiven, HoldsOutEveryTestRowThatTrainDoesNotHave) {
  const Dataset train = DatasetBuilder(kTracks).Add("ann", "a", 0).Add("bob", "b", 0).Build();
  const Dataset test = DatasetBuilder(kTracks)
                           .Add("ann", "a", 0).Add("ann", "b", 0, EventKind::kRating, 0).Add("ann", "d", 0, EventKind::kSkip)
                           .Add("bob", "b", 0)
                           .Build();
  EXPECT_EQ(Held(SplitGiven(train, test, Settings{})), "ann: b");
  EXPECT_EQ(Held(SplitGiven(train, test, Settings{.protocol = "next"})), "ann: a b | bob: b");
  EXPECT_EQ(SplitGiven(train, test, Settings{}).train.events.size(), 2u);
}

TEST(SplitGiven, OfOtherListenersIsABug) {
  const Dataset train = DatasetBuilder(kTracks).Add("ann", "a", 0).Build();
  const Dataset test = DatasetBuilder(kTracks).Add("bob", "a", 0).Build();
  EXPECT_THROW(SplitGiven(train, test, Settings{}), Bug);
}

TEST(SplitByTime, WhatWasWrittenGoesWithItsEvent) {
  Dataset data = DatasetBuilder({"a", "b", "c", "d"})
                     .Add("u", "a", 1).Add("u", "b", 2).Add("u", "c", 3).Add("u", "d", 9, EventKind::kReview).Build();
  data.reviews.push_back({UserIx{0}, TrackIx{1}, 2, 4, "in the past"});
  data.reviews.push_back({UserIx{0}, TrackIx{3}, 9, 5, "held out"});
  const Split split = SplitByTime(data, Settings());
  ASSERT_EQ(split.train.reviews.size(), 1u);
  EXPECT_EQ(split.train.reviews[0].text, "in the past");
}

}  // namespace
}  // namespace segue::evaluate
