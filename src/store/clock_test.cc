#include "store/clock.h"

#include <gtest/gtest.h>

namespace segue::store {
namespace {

TEST(Clock, StandsStillUntilAdvanced) {
  FakeClock clock(1'999);
  EXPECT_EQ(clock.NowMs(), 1'999);
  EXPECT_EQ(clock.NowMs(), 1'999);
  EXPECT_EQ(clock.NowSeconds(), 1);
  clock.Advance(2);
  EXPECT_EQ(clock.NowMs(), 2'001);
  EXPECT_EQ(clock.NowSeconds(), 2);
}

TEST(Clock, SystemTimeIsUnixMilliseconds) {
  const int64_t now = SystemClock().NowMs();
  EXPECT_GT(now, 1'700'000'000'000);  // 2023; seconds would be a thousand times less
  EXPECT_LT(now, 7'000'000'000'000);  // 2191; microseconds a thousand times more
}

TEST(Clock, SecondsAreWrittenAsUtcWhateverTheZone) {
  EXPECT_EQ(Iso8601(0), "1970-01-01T00:00:00Z");
  EXPECT_EQ(Iso8601(1'772'366'400), "2026-03-01T12:00:00Z");
  EXPECT_EQ(Iso8601(951'782'399), "2000-02-28T23:59:59Z");
  EXPECT_EQ(Iso8601(951'782'400), "2000-02-29T00:00:00Z");
  EXPECT_EQ(Iso8601(-1), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace segue::store
