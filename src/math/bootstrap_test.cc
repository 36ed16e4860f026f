#include "math/bootstrap.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>
#include <tbb/task_arena.h>

namespace segue::math {
namespace {

TEST(Bootstrap, OfEqualValuesIsThatValue) {
  const std::vector<double> same(20, 0.25);
  const auto interval = BootstrapMean(same, 100, 0.95, 1);
  EXPECT_DOUBLE_EQ(interval.mean, 0.25);
  EXPECT_DOUBLE_EQ(interval.low, 0.25);
  EXPECT_DOUBLE_EQ(interval.high, 0.25);
}

TEST(Bootstrap, HasTheWidthOfTheNormalApproximation) {
  std::vector<double> coins;
  for (int i = 0; i < 400; ++i) coins.push_back(i % 2);
  const auto interval = BootstrapMean(coins, 4000, 0.95, 2);
  const double half = 1.96 * 0.5 / std::sqrt(400.0);
  EXPECT_NEAR(interval.low, 0.5 - half, 0.006);
  EXPECT_NEAR(interval.high, 0.5 + half, 0.006);
}

TEST(Bootstrap, WiderConfidenceGivesAWiderInterval) {
  const std::vector<double> values = {0, 1, 2, 3, 4, 5, 6, 7};
  const auto narrow = BootstrapMean(values, 2000, 0.5, 3);
  const auto wide = BootstrapMean(values, 2000, 0.99, 3);
  EXPECT_LT(wide.low, narrow.low);
  EXPECT_GT(wide.high, narrow.high);
}

TEST(Bootstrap, SameSeedSameIntervalForAnyNumberOfThreads) {
  std::vector<double> values;
  for (int i = 0; i < 50; ++i) values.push_back(std::sin(i));
  const auto all = BootstrapMean(values, 500, 0.95, 4);
  Interval one;
  tbb::task_arena(1).execute([&] { one = BootstrapMean(values, 500, 0.95, 4); });
  EXPECT_EQ(all.low, one.low);
  EXPECT_EQ(all.high, one.high);
  EXPECT_NE(all.low, BootstrapMean(values, 500, 0.95, 5).low);
}

TEST(Bootstrap, OfNothingIsZero) { EXPECT_EQ(BootstrapMean({}, 100, 0.95, 1).mean, 0); }

}  // namespace
}  // namespace segue::math
