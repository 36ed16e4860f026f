#include "math/bootstrap.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"
#include "core/random.h"
#include "math/parallel.h"

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
  WithThreads(1, [&] { one = BootstrapMean(values, 500, 0.95, 4); });
  EXPECT_EQ(all.low, one.low);
  EXPECT_EQ(all.high, one.high);
  EXPECT_NE(all.low, BootstrapMean(values, 500, 0.95, 5).low);
}

TEST(Bootstrap, OfNothingIsZero) { EXPECT_EQ(BootstrapMean({}, 100, 0.95, 1).mean, 0); }

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

TEST(Bootstrap, OfTwoValuesTakesTheMeansThatCanBeDrawn) {
  // Of {0, 1} a resample's mean is 0, 1/2, 1 with chances 1/4, 1/2, 1/4.
  const std::vector<double> values = {0, 1};
  const auto wide = BootstrapMean(values, 2000, 0.9, 3);
  EXPECT_EQ(wide.low, 0);
  EXPECT_EQ(wide.high, 1);
  const auto narrow = BootstrapMean(values, 2000, 0.2, 3);
  EXPECT_EQ(narrow.low, 0.5);
  EXPECT_EQ(narrow.high, 0.5);
}

TEST(Bootstrap, CoversTheTruthAboutAsOftenAsItSays) {
  int covered = 0;
  for (uint64_t trial = 0; trial < 300; ++trial) {
    Random random(99, trial);
    std::vector<double> values(60);
    for (double& value : values) value = 2 + random.Normal();
    const auto interval = BootstrapMean(values, 300, 0.9, trial);
    covered += interval.low <= 2 && 2 <= interval.high;
  }
  // 270 expected, standard deviation 5.2; percentile intervals are a little short.
  EXPECT_GT(covered, 245);
  EXPECT_LT(covered, 292);
}

TEST(Bootstrap, OfDifferencesIsPaired) {
  // Every pair is a hundredth apart, while values are all over the place:
  // unpaired, the interval would reach across zero.
  std::vector<double> first(200), second(200), difference(200);
  for (size_t i = 0; i < first.size(); ++i) {
    second[i] = static_cast<double>(i % 10) / 10;
    first[i] = second[i] + (i % 2 == 0 ? 0.009 : 0.011);
    difference[i] = first[i] - second[i];
  }
  const auto paired = BootstrapMean(difference, 1000, 0.95, 4);
  EXPECT_NEAR(paired.mean, 0.01, 1e-12);
  EXPECT_GT(paired.low, 0.0098);
  EXPECT_LT(paired.high, 0.0102);
  EXPECT_LT(BootstrapMean(first, 1000, 0.95, 4).low, BootstrapMean(second, 1000, 0.95, 5).high);
}

TEST(Bootstrap, LeavesOutListenersWhoDoNotCount) {
  const std::vector<double> some = {0.2, kNaN, 0.4, kNaN, 0.6};
  const std::vector<double> nobody(5, kNaN);
  const std::vector<std::span<const double>> columns = {some, nobody};
  const auto intervals = BootstrapMeans(columns, 500, 0.95, 11);
  EXPECT_DOUBLE_EQ(intervals[0].mean, 0.4);
  EXPECT_GE(intervals[0].low, 0.2);
  EXPECT_LE(intervals[0].high, 0.6);
  EXPECT_TRUE(std::isnan(intervals[1].mean) && std::isnan(intervals[1].low) && std::isnan(intervals[1].high));
}

TEST(Bootstrap, OfSeveralFiguresIsThatOfEach) {
  std::vector<double> first, second;
  for (int i = 0; i < 70; ++i) {
    first.push_back(std::sin(i));
    second.push_back(std::cos(3 * i));
  }
  const std::vector<std::span<const double>> columns = {first, second};
  const auto both = BootstrapMeans(columns, 300, 0.9, 6);
  EXPECT_EQ(both[0].low, BootstrapMean(first, 300, 0.9, 6).low);
  EXPECT_EQ(both[1].high, BootstrapMean(second, 300, 0.9, 6).high);
  const std::vector<std::span<const double>> uneven = {first, std::span(second).first(3)};
  EXPECT_THROW(BootstrapMeans(uneven, 300, 0.9, 6), Bug);
}

TEST(Bootstrap, OfManyListenersMeetsTheResampledInterval) {
  std::vector<double> quarter(kLargestResampled + 4, 0.0);
  for (size_t i = 0; i < quarter.size(); i += 4) quarter[i] = 1;
  const auto resampled = BootstrapMean(std::span(quarter).first(kLargestResampled), 400, 0.95, 2);
  const auto normal = BootstrapMean(quarter, 400, 0.95, 2);
  const double width = resampled.high - resampled.low;
  EXPECT_NEAR(normal.low, resampled.low, width / 8);
  EXPECT_NEAR(normal.high, resampled.high, width / 8);
  // By hand: s / sqrt(n) = sqrt(0.25 * 0.75 / 50,004) = 0.0019364; z = 1.95996.
  EXPECT_NEAR(normal.high - normal.low, 2 * 1.95996 * 0.0019364, 1e-6);
}

TEST(BootstrapClusters, OneValueAClusterIsTheBootstrapOfTheMean) {
  const std::vector<double> values = {1, 0, 0, 1, 0.5, 0.25, 1, 0};
  const std::vector<double> counts(values.size(), 1.0);
  const std::span<const double> sums = values;
  const auto clusters = BootstrapClusters(std::span(&sums, 1), counts, 500, 0.95, 3)[0];
  const auto plain = BootstrapMean(values, 500, 0.95, 3);
  EXPECT_DOUBLE_EQ(clusters.mean, plain.mean);
  EXPECT_DOUBLE_EQ(clusters.low, plain.low);
  EXPECT_DOUBLE_EQ(clusters.high, plain.high);
}

TEST(BootstrapClusters, ValuesThatAreAlikeWithinAClusterGiveAWiderIntervalThanDrawnAlone) {
  // 6 listeners, each the same in all of 50 windows: 6 observations, not 300.
  const std::vector<double> level = {0, 0.2, 0.4, 0.6, 0.8, 1};
  std::vector<double> sums, counts, all;
  for (const double value : level) {
    sums.push_back(50 * value);
    counts.push_back(50);
    all.insert(all.end(), 50, value);
  }
  const std::span<const double> column = sums;
  const auto clusters = BootstrapClusters(std::span(&column, 1), counts, 1000, 0.95, 1)[0];
  const auto plain = BootstrapMean(all, 1000, 0.95, 1);
  EXPECT_NEAR(clusters.mean, 0.5, 1e-12);
  EXPECT_GT(clusters.high - clusters.low, 5 * (plain.high - plain.low));
}

TEST(BootstrapClusters, AClusterCountsAsOftenAsItHasValuesAndOneAloneHasNoInterval) {
  const std::vector<double> sums = {3, 0}, counts = {3, 1};
  const std::span<const double> column = sums;
  const auto both = BootstrapClusters(std::span(&column, 1), counts, 200, 0.95, 1)[0];
  EXPECT_DOUBLE_EQ(both.mean, 0.75);
  EXPECT_DOUBLE_EQ(both.low, 0);
  EXPECT_DOUBLE_EQ(both.high, 1);
  const std::span<const double> alone = std::span(sums).first(1);
  const auto single = BootstrapClusters(std::span(&alone, 1), std::span(counts).first(1), 200, 0.95, 1)[0];
  EXPECT_DOUBLE_EQ(single.mean, 1);
  EXPECT_TRUE(std::isnan(single.low) && std::isnan(single.high));
}

TEST(BootstrapClusters, ManyClustersTakeTheLinearisedRatioWhichResamplingComesTo) {
  std::vector<double> sums, counts;
  Random random(5);
  for (uint64_t i = 0; i < kLargestResampled + 1; ++i) {
    counts.push_back(1 + static_cast<double>(random.Below(5)));
    sums.push_back(counts.back() * random.Uniform());
  }
  const std::span<const double> column = sums;
  const auto linear = BootstrapClusters(std::span(&column, 1), counts, 200, 0.95, 1)[0];
  const std::span<const double> fewer = std::span(sums).first(kLargestResampled);
  const auto drawn = BootstrapClusters(std::span(&fewer, 1), std::span(counts).first(kLargestResampled), 200, 0.95, 1)[0];
  EXPECT_NEAR(linear.mean, drawn.mean, 1e-4);
  EXPECT_NEAR(linear.high - linear.low, drawn.high - drawn.low, 0.25 * (linear.high - linear.low));
}

}  // namespace
}  // namespace segue::math
