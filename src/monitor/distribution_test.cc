#include "monitor/distribution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/random.h"
#include "monitor/testing.h"

namespace segue::monitor {
namespace {

using Sample = std::vector<double>;

Sample Draw(uint64_t seed, size_t n, const std::function<double(Random&)>& one) {
  Random random(seed);
  Sample values(n);
  for (double& value : values) value = one(random);
  return values;
}

double Normal(Random& random) { return random.Normal(); }
double Exponential(Random& random) { return -std::log(1 - random.Uniform()); }

double ShareBelow(const Sample& sorted, double x) {
  return static_cast<double>(std::lower_bound(sorted.begin(), sorted.end(), x) - sorted.begin()) / static_cast<double>(sorted.size());
}

/// ∫|F − G| over [low, high] of the samples themselves: the slow twin.
double ExactArea(Sample a, Sample b, double low, double high) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  Sample xs = {low, high};
  for (const Sample* sample : {&a, &b}) {
    for (const double x : *sample) {
      if (x > low && x < high) xs.push_back(x);
    }
  }
  std::sort(xs.begin(), xs.end());
  double area = 0;
  for (size_t i = 1; i < xs.size(); ++i) {
    const double middle = (xs[i - 1] + xs[i]) / 2;
    area += (xs[i] - xs[i - 1]) * std::fabs(ShareBelow(a, middle) - ShareBelow(b, middle));
  }
  return area;
}

/// PSI over the deciles of `a`.
double DecilePsi(Sample a, Sample b) {
  std::sort(a.begin(), a.end());
  std::sort(b.begin(), b.end());
  double sum = 0, last_p = 0, last_q = 0;
  for (int decile = 1; decile <= 10; ++decile) {
    const double cut = decile == 10 ? INFINITY : a[a.size() * static_cast<size_t>(decile) / 10];
    const double p = std::max(ShareBelow(a, cut) - last_p, 1e-4), q = std::max(ShareBelow(b, cut) - last_q, 1e-4);
    last_p = ShareBelow(a, cut);
    last_q = ShareBelow(b, cut);
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

CategoryColumn Of(std::vector<std::pair<std::string, int64_t>> top, int64_t others = 0) {
  CategoryColumn column{.top = std::move(top), .complete = others == 0};
  column.values = others;
  for (const auto& [value, rows] : column.top) column.values += rows;
  return column;
}

TEST(Distribution, OfCategoriesTheDistancesAreThoseComputedByHand) {
  const auto before = Of({{"a", 50}, {"b", 50}}), now = Of({{"a", 750}, {"b", 250}});
  // (0.75 - 0.5)·ln 1.5 + (0.25 - 0.5)·ln 0.5
  EXPECT_NEAR(Psi(before, now).value, 0.274653, 1e-6);
  // √(½·(0.5·log2 0.8 + 0.5·log2 4/3) + ½·(0.75·log2 1.2 + 0.25·log2 2/3))
  EXPECT_NEAR(JensenShannon(before, now).value, 0.220895, 1e-6);
  EXPECT_EQ(JensenShannon(before, now).error, 0);
  EXPECT_NEAR(JensenShannon(before, Of({{"c", 10}})).value, 1, 1e-12) << "nothing in common is as far as it goes";
  EXPECT_EQ(JensenShannon(before, before).value, 0);
  EXPECT_EQ(Psi(now, now).value, 0);
}

TEST(Distribution, AValueThatAListIsTooShortForIsGivenTheBenefitOfTheDoubt) {
  // "c" may have up to 10 of the 1000 rows before: 10 now is no change.
  const auto before = Of({{"a", 500}, {"b", 10}}, 490);
  EXPECT_NEAR(JensenShannon(before, Of({{"a", 500}, {"b", 10}, {"c", 10}}, 480)).value, 0, 1e-9);
  const auto grown = JensenShannon(before, Of({{"a", 300}, {"b", 10}, {"c", 300}}, 390));
  EXPECT_GT(grown.value, 0.3) << "30 % cannot have been there";
  EXPECT_NEAR(grown.error, std::sqrt(0.01), 1e-12);
}

TEST(Distribution, WassersteinOfAShiftIsTheShiftInStandardDeviations) {
  const Sample before = Draw(1, 20'000, Normal);
  Sample now = before;
  for (double& value : now) value += 0.5;
  const auto distance = Wasserstein(ProfileOf(before), ProfileOf(now));
  EXPECT_NEAR(distance.value, 0.5, 0.02);
  EXPECT_LT(distance.noise, 0.1);
  for (double& value : now) value *= 1000;
  EXPECT_GT(Wasserstein(ProfileOf(before), ProfileOf(now)).value, 100);
}

TEST(Distribution, WassersteinIsWithinItsErrorOfTheSamplesOwn) {
  const std::vector<std::function<double(Random&)>> shapes = {
      Normal, Exponential, [](Random& r) { return 3 + 0.5 * Normal(r); }, [](Random& r) { return std::floor(12 * r.Uniform()); },
      [](Random& r) { return r.Uniform() < 0.7 ? 1.0 : 0.0; }, [](Random& r) { return std::exp(3 * Normal(r)); }};
  for (size_t a = 0; a < shapes.size(); ++a) {
    for (size_t b = 0; b < shapes.size(); ++b) {
      const Sample before = Draw(10 + a, 4000, shapes[a]), now = Draw(20 + b, 3000, shapes[b]);
      const NumberColumn column = ProfileOf(before), other = ProfileOf(now);
      const DistributionFunction f(column), g(other);
      const double exact = ExactArea(before, now, std::min(f.low(), g.low()), std::max(f.high(), g.high())) / f.Spread();
      const Distance found = Wasserstein(column, other);
      EXPECT_LE(std::fabs(found.value - exact), found.error + 1e-9) << a << " to " << b << ": " << found.value << " for " << exact;
    }
  }
}

TEST(Distribution, ADistributionFunctionGoesThroughWhatTheProfileKnows) {
  const Sample values = Draw(3, 5000, Exponential);
  const NumberColumn column = ProfileOf(values);
  const DistributionFunction f(column);
  int64_t below = 0;
  for (size_t i = 0; i + 1 < column.counts.size(); ++i) {
    below += column.counts[i];
    const double edge = column.low + column.width * static_cast<double>(i + 1);
    EXPECT_NEAR(f.Below(edge), static_cast<double>(below) / 5000, 1e-12);
  }
  for (const auto& [share, value] : column.quantiles) EXPECT_NEAR(f.Below(value), share, 1e-12);
  EXPECT_EQ(f.Below(column.min), 0);
  EXPECT_EQ(f.UpTo(column.max), 1);
  Sample clipped = values;
  for (double& value : clipped) value = std::clamp(value, f.low(), f.high());
  double mean = 0, variance = 0;
  for (const double value : clipped) mean += value / 5000;
  for (const double value : clipped) variance += (value - mean) * (value - mean) / 5000;
  EXPECT_NEAR(f.Spread(), std::sqrt(variance), 0.03);
}

TEST(Distribution, PsiIsAboutThatOfDecilesAlsoWhereTheBinsHaveOtherEdges) {
  const Sample before = Draw(4, 20'000, Normal);
  for (const double shift : {0.2, 0.5, 1.0}) {
    Sample now = Draw(5, 20'000, Normal);
    for (double& value : now) value += shift;
    now.push_back(40);  // another maximum: all edges are others
    const double exact = DecilePsi(before, now);
    EXPECT_NEAR(Psi(ProfileOf(before), ProfileOf(now)).value, exact, 0.15 * exact + 0.01) << shift;
  }
}

TEST(Distribution, ManyZerosAndATailOverManyPowersOfTenAreNoDriftByThemselves) {
  // As instrumentalness is: between two quantiles lies a quarter of the rows, and three powers of ten.
  const auto shape = [](Random& r) { return r.Uniform() < 0.35 ? 0 : std::exp(-14 * r.Uniform()); };
  for (uint64_t seed = 0; seed < 40; ++seed) {
    const Distance psi = Psi(ProfileOf(Draw(100 + seed, 3000, shape)), ProfileOf(Draw(200 + seed, 3000, shape)));
    EXPECT_FALSE(psi.sure) << psi.value << " of which " << psi.error << " is not known";
  }
  EXPECT_TRUE(Psi(ProfileOf(Draw(1, 3000, shape)), ProfileOf(Draw(2, 3000, [](Random& r) { return r.Uniform() < 0.35 ? 0 : std::exp(-4 * r.Uniform()); }))).sure);
}

TEST(Distribution, TheBoundsHoldTheTruth) {
  Random random(9);
  for (const auto& values : {Draw(3, 5000, Normal), Draw(4, 5000, [](Random& r) { return std::floor(6 * r.Uniform()); }),
                             Draw(5, 5000, [](Random& r) { return r.Uniform() < 0.35 ? 0 : Exponential(r); })}) {
    Sample sorted = values;
    std::sort(sorted.begin(), sorted.end());
    const DistributionFunction f(ProfileOf(values));
    for (int i = 0; i < 2000; ++i) {
      const double x = i % 2 == 0 ? 8 * random.Uniform() - 1 : values[random.Below(values.size())];
      const auto [least, most] = f.Bounds(x);
      EXPECT_LE(least, ShareBelow(sorted, x) + 2.1e-4) << x;
      EXPECT_GE(most, ShareBelow(sorted, x) - 2.1e-4) << x;
      EXPECT_GE(f.Below(x), least - 1e-9);
      EXPECT_LE(f.Below(x), most + 1e-9);
    }
  }
}

TEST(Distribution, SameDataAreNoDriftAtAllWhateverTheirShape) {
  for (const auto& values : {Draw(6, 999, Normal), Sample(300, 4.0), Draw(7, 999, [](Random& r) { return std::floor(5 * r.Uniform()); })}) {
    const NumberColumn column = ProfileOf(values);
    EXPECT_EQ(Psi(column, column).value, 0);
    EXPECT_EQ(Wasserstein(column, column).value, 0);
  }
}

TEST(Distribution, OneAbsurdValueIsNoDrift) {
  const Sample before = Draw(8, 5000, Normal);
  Sample now = Draw(9, 5000, Normal);
  now.push_back(1e9);
  EXPECT_LT(Psi(ProfileOf(before), ProfileOf(now)).value, 0.1);
  EXPECT_LT(Wasserstein(ProfileOf(before), ProfileOf(now)).value, 0.1);
  // Nor does one in the baseline hide a drift.
  Sample shifted = Draw(9, 5000, [](Random& r) { return 1 + Normal(r); });
  EXPECT_GT(Psi(ProfileOf(now), ProfileOf(shifted)).value, 0.25);
  EXPECT_GT(Wasserstein(ProfileOf(now), ProfileOf(shifted)).value, 0.5);
}

TEST(Distribution, AConstantThatBecomesAnotherAndOneThatStopsAreDrift) {
  const NumberColumn before = ProfileOf(Sample(500, 3.0));
  EXPECT_GT(Psi(before, ProfileOf(Sample(500, 4.0))).value, 1);
  EXPECT_GT(Wasserstein(before, ProfileOf(Sample(500, 4.0))).value, 1);
  const NumberColumn ratings = ProfileOf(Draw(11, 2000, [](Random& r) { return 1 + std::floor(5 * r.Uniform()); }));
  const Distance equal = Psi(ratings, ProfileOf(Sample(2000, 5.0)));
  EXPECT_GT(equal.value, 1);
  EXPECT_GT(equal.value, equal.noise);
}

TEST(Distribution, ChanceStaysWithinTheNoise) {
  int psi = 0, wasserstein = 0, jensen_shannon = 0;
  double sum = 0;
  constexpr int kTries = 300;
  for (uint64_t i = 0; i < kTries; ++i) {
    const NumberColumn a = ProfileOf(Draw(1000 + i, 250, Normal)), b = ProfileOf(Draw(5000 + i, 250, Normal));
    psi += Psi(a, b).value > Psi(a, b).noise ? 1 : 0;
    wasserstein += Wasserstein(a, b).value > Wasserstein(a, b).noise ? 1 : 0;
    sum += Psi(a, b).value;
    std::map<std::string, int64_t> x, y;
    for (const double value : Draw(9000 + i, 250, [](Random& r) { return std::floor(6 * r.Uniform()); })) ++x[std::to_string(value)];
    for (const double value : Draw(9900 + i, 250, [](Random& r) { return std::floor(6 * r.Uniform()); })) ++y[std::to_string(value)];
    const auto p = Of({x.begin(), x.end()}), q = Of({y.begin(), y.end()});
    jensen_shannon += JensenShannon(p, q).value > JensenShannon(p, q).noise ? 1 : 0;
  }
  // One in 1000 is expected; four of 300 have a chance of about one in 3000.
  EXPECT_LE(psi, 3);
  EXPECT_LE(wasserstein, 3);
  EXPECT_LE(jensen_shannon, 3);
  // Of 8 to 10 bins the mean is (bins − 1)·(1/250 + 1/250).
  EXPECT_GT(sum / kTries, 5 * 0.008);
  EXPECT_LT(sum / kTries, 11 * 0.008);
}

}  // namespace
}  // namespace segue::monitor
