#include "core/preferences.h"

#include <map>

#include <gtest/gtest.h>

#include "core/hash.h"
#include "core/random.h"
#include "core/result.h"

namespace segue {
namespace {

constexpr StrengthRule kRule{0.5, 5};

Event At(int64_t at, EventKind kind, float value = 1, uint32_t track = 0) { return {TrackIx{track}, kind, value, -1, at}; }

float StrengthOf(std::vector<Event> events) {
  const auto sums = SumByTrack(events, kRule);
  EXPECT_EQ(sums.size(), 1u);
  return sums.at(0).strength;
}

TEST(Preferences, PlaysCountAndSkipsTakeAway) {
  EXPECT_EQ(StrengthOf({At(1, EventKind::kPlay), At(2, EventKind::kPlay, 3)}), 4);
  EXPECT_EQ(StrengthOf({At(1, EventKind::kPlay), At(2, EventKind::kSkip)}), 0.5);
  EXPECT_EQ(StrengthOf({At(1, EventKind::kSkip)}), 0) << "met, not wanted, not disliked";
}

TEST(Preferences, ALikeAddsAndADislikeOutweighsAll) {
  EXPECT_EQ(StrengthOf({At(1, EventKind::kPlay), At(2, EventKind::kLike)}), 6);
  EXPECT_EQ(StrengthOf({At(1, EventKind::kPlay, 100), At(2, EventKind::kDislike)}), -1);
}

TEST(Preferences, TheLaterOfLikeAndDislikeStands) {
  EXPECT_EQ(StrengthOf({At(1, EventKind::kLike), At(2, EventKind::kDislike)}), -1);
  EXPECT_EQ(StrengthOf({At(1, EventKind::kDislike), At(2, EventKind::kLike)}), 5);
  EXPECT_EQ(StrengthOf({At(3, EventKind::kLike), At(3, EventKind::kDislike)}), -1) << "at equal times the dislike";
  EXPECT_EQ(StrengthOf({At(3, EventKind::kDislike), At(3, EventKind::kLike)}), -1);
}

TEST(Preferences, ANeutralTakesBackWhatWasJudgedBeforeIt) {
  EXPECT_EQ(StrengthOf({At(1, EventKind::kPlay), At(2, EventKind::kLike), At(3, EventKind::kNeutral)}), 1) << "the play stays";
  EXPECT_EQ(StrengthOf({At(1, EventKind::kDislike), At(2, EventKind::kNeutral)}), 0);
  EXPECT_EQ(StrengthOf({At(2, EventKind::kLike), At(2, EventKind::kNeutral)}), 0) << "at equal times the neutral";
  EXPECT_EQ(StrengthOf({At(3, EventKind::kNeutral), At(2, EventKind::kDislike)}), 0) << "an older verdict that comes late";
  EXPECT_EQ(StrengthOf({At(2, EventKind::kNeutral), At(3, EventKind::kLike)}), 5);
}

TEST(Preferences, TheNewestRatingIsTheStrength) {
  EXPECT_EQ(StrengthOf({At(1, EventKind::kRating, 5), At(2, EventKind::kRating, 2), At(3, EventKind::kPlay)}), 2);
}

TEST(Preferences, AreSummedByTrackAscending) {
  const std::vector<Event> events = {At(1, EventKind::kPlay, 1, 7), At(9, EventKind::kSkip, 1, 2), At(5, EventKind::kPlay, 1, 7)};
  const auto sums = SumByTrack(events, kRule);
  ASSERT_EQ(sums.size(), 2u);
  EXPECT_EQ(Raw(sums[0].track), 2u);
  EXPECT_EQ(sums[0].skips, 1);
  EXPECT_EQ(Raw(sums[1].track), 7u);
  EXPECT_EQ(sums[1].plays, 2);
  EXPECT_EQ(sums[1].last_at, 5);
}

/// Long pasts take another way than short ones: each as if its tracks came one at a time.
TEST(Preferences, OfALongPastAreThoseOfItsTracksOneAtATime) {
  Random random(5);
  for (const size_t n : {10u, 255u, 256u, 5000u}) {
    std::vector<Event> events;
    for (size_t e = 0; e < n; ++e) {
      const auto kind = static_cast<EventKind>(random.Below(5));
      // Ties in time, and ids beyond what one and two digits of the sort hold.
      const uint32_t track = random.Below(2) == 0 ? static_cast<uint32_t>(random.Below(40)) : 40 + 0x1f00000u * static_cast<uint32_t>(random.Below(100));
      events.push_back(At(static_cast<int64_t>(random.Below(20)), kind, static_cast<float>(random.Uniform()), track));
    }
    std::map<uint32_t, std::vector<Event>> by_track;
    for (const Event& event : events) by_track[Raw(event.track)].push_back(event);
    const auto sums = SumByTrack(events, kRule);
    ASSERT_EQ(sums.size(), by_track.size());
    auto sum = sums.begin();
    for (const auto& [track, of_track] : by_track) {
      const Preference alone = SumByTrack(of_track, kRule).at(0);
      EXPECT_EQ(Raw(sum->track), track);
      EXPECT_EQ(sum->strength, alone.strength);
      EXPECT_EQ(sum->plays, alone.plays);
      EXPECT_EQ(sum->last_at, alone.last_at);
      ++sum;
    }
  }
}

TEST(Preferences, OfADatasetAreListenerByListener) {
  Dataset data;
  data.listeners = {"a", "b"};
  data.begin = {0, 1, 3};
  data.events = {At(1, EventKind::kPlay, 1, 0), At(1, EventKind::kPlay, 1, 1), At(2, EventKind::kPlay, 1, 2)};
  const auto all = SumPreferences(data, kRule);
  EXPECT_EQ(all.Of(UserIx{0}).size(), 1u);
  EXPECT_EQ(all.Of(UserIx{1}).size(), 2u);
}

TEST(Sha256, HasTheKnownDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.Update("a");
  pieces.Update("bc");
  EXPECT_EQ(pieces.HexDigest(), Sha256Hex("abc"));
}

TEST(Random, IsAFunctionOfSeedAndStream) {
  Random a(1, 2), b(1, 2), c(1, 3);
  const uint64_t first = a.Next();
  EXPECT_EQ(first, b.Next());
  EXPECT_NE(first, c.Next());
}

TEST(Random, IsUniformEnough) {
  Random random(42);
  double sum = 0;
  double squares = 0;
  std::vector<int> bins(10, 0);
  constexpr int kDraws = 100'000;
  for (int i = 0; i < kDraws; ++i) {
    sum += random.Uniform();
    const double normal = random.Normal();
    squares += normal * normal;
    ++bins[random.Below(10)];
  }
  EXPECT_NEAR(sum / kDraws, 0.5, 0.005);
  EXPECT_NEAR(squares / kDraws, 1, 0.03);
  for (const int bin : bins) EXPECT_NEAR(bin, kDraws / 10, 400);
}

TEST(Results, CarryAValueOrAnError) {
  const auto half = [](int x) -> Result<int> {
    if (x % 2 != 0) return Error{ErrorCode::kInvalid, "odd"};
    return x / 2;
  };
  const auto quarter = [&](int x) -> Result<int> {
    SEGUE_TRY(const int once, half(x));
    SEGUE_TRY(const int twice, half(once));
    return twice;
  };
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().message, "odd");
  EXPECT_EQ(quarter(6).error().In("here").message, "here: odd");
  EXPECT_THROW((void)*quarter(6), Bug) << "reading a value that is not there is a bug";
}

}  // namespace
}  // namespace segue
