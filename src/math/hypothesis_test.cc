#include "math/hypothesis.h"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

/// Digits count relative to the value; of a logarithm, absolute to it.
void ExpectNear(double got, double expected, double relative) {
  EXPECT_LE(std::fabs(got - expected), std::fabs(expected) * relative) << got << " instead of " << expected;
}
void ExpectP(const PValue& got, double p, double log10) {
  ExpectNear(got.p, p, 1e-12);
  EXPECT_LE(std::fabs(got.log10 - log10), 5e-13 * std::max(1.0, std::fabs(log10) / 100)) << got.log10 << " instead of " << log10;
}

// Expected figures: mpmath 40 digits where nothing else is said.

TEST(Special, TheTailOfStudentsDistributionHasItsDigitsHoweverSmall) {
  ExpectP(StudentTwoSided(36.49114636517893, 41104), 5.9871115640946204728e-287, -286.22278264911684328);
  ExpectP(StudentTwoSided(-2, 10), 0.073388034770740365618, -1.1343747419454271255);
  ExpectP(StudentTwoSided(0.001, 5), 0.99924078677219765062, -0.00032984734350550383845);
  ExpectP(StudentTwoSided(1.96, 1e6), 0.049996067585269786533, -1.3010641535275853984);
  ExpectP(StudentTwoSided(12.5, 2.5), 0.0025643845419078631602, -2.5910168497045238999);
  ExpectP(StudentTwoSided(200, 3), 2.7563963990409166124e-7, -6.5596583261197351814);
  // Small t on many degrees of freedom, where the textbooks' continued fraction loses five digits.
  ExpectP(StudentTwoSided(0.5, 1e6), 0.61707518747237138777, -0.20966191616943797646);
  const PValue below = StudentTwoSided(74.7901595835779, 41104);
  EXPECT_EQ(below.p, 0);
  EXPECT_NEAR(below.log10, -1140.7342164819247145, 1e-11);
}

TEST(Special, WithOneDegreeOfFreedomStudentsDistributionIsCauchys) {
  for (const double t : {0.5, 1.0, 3.0, 1e5}) {
    ExpectNear(StudentTwoSided(t, 1).p, std::atan2(1, t) * 2 / std::numbers::pi, 1e-13);
  }
}

TEST(Special, TheTailsOfFishersChiSquaredAndTheNormalDistribution) {
  ExpectP(FisherUpper(3, 2, 10), 0.095367431640625, -1.0205999132796239043);
  ExpectP(FisherUpper(0.9, 81, 19917), 0.72745824216237501634, -0.13819193116535214533);
  ExpectP(FisherUpper(120.5, 5, 200), 2.2822108457247762112e-58, -57.641644235069078517);
  EXPECT_NEAR(FisherUpper(50, 81, 19917).log10, -720.19882877231245857, 1e-11);
  ExpectP(ChiSquaredUpper(3.84, 1), 0.050043521248705098948, -1.3006521393247688602);
  ExpectP(ChiSquaredUpper(60, 81), 0.96124164645521916908, -0.017167421353494589364);
  ExpectP(ChiSquaredUpper(1000, 3), 1.7994208765314476631e-216, -215.74486724522738911);
  EXPECT_NEAR(ChiSquaredUpper(5000, 81).log10, -998.61991854508262139, 1e-11);
  ExpectP(NormalTwoSided(0.1), 0.92034432544594203707, -0.036049661062642284048);
  ExpectP(NormalTwoSided(-1.96), 0.049995790296440868273, -1.3010665622238701576);
  EXPECT_NEAR(NormalTwoSided(90).log10, -1760.9450077561887431, 1e-11);
}

TEST(Special, TheLogarithmOfTheBetaFunctionLosesNoDigitsToLargeArguments) {
  ExpectNear(LogBeta(20552, 0.5), -4.3929857443370345355, 1e-15);
  ExpectNear(LogBeta(0.5, 0.5), 1.1447298858494001741, 1e-14);
  ExpectNear(LogBeta(13, 40), -29.741861546773439918, 1e-14);
  ExpectNear(LogBeta(3, 4), std::log(1.0 / 60), 1e-14);
  ExpectNear(LogBeta(1e6, 1e5), -335104.49695243038364, 1e-15);
}

TEST(Special, TheBetaFunctionsTwoSidesMakeOne) {
  for (const double a : {0.5, 2.0, 30.0, 500.0}) {
    for (const double b : {0.5, 3.0, 100.0}) {
      for (const double x : {0.01, 0.3, 0.5, 0.99}) {
        EXPECT_NEAR(std::exp(LogIncompleteBeta(a, b, x, 1 - x)) + std::exp(LogIncompleteBeta(b, a, 1 - x, x)), 1, 1e-13);
      }
    }
  }
}

TEST(Special, OutsideTheDomainThereIsNoValue) {
  EXPECT_TRUE(std::isnan(LogBeta(0, 1)));
  EXPECT_TRUE(std::isnan(LogUpperGamma(-1, 1)));
  EXPECT_TRUE(std::isnan(StudentTwoSided(1, 0).p));
  EXPECT_EQ(NormalTwoSided(0).p, 1);
}

const std::vector<double> kA = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1, 21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
const std::vector<double> kB = {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0, 24.8, 20.2, 21.9, 22.1, 22.9, 30.0, 23.9};

TEST(Hypothesis, StudentsAndWelchsTestsGiveSciPysFigures) {
  const TTest student = StudentT(Describe(kA), Describe(kB));
  ExpectNear(student.t, -2.835263800664482, 1e-14);
  ExpectNear(student.p.p, 0.008407707619744423, 1e-12);
  EXPECT_EQ(student.df, 28);
  const TTest welch = WelchT(Describe(kA), Describe(kB));
  ExpectNear(welch.t, -2.835263800664482, 1e-14);
  ExpectNear(welch.p.p, 0.008452732437443437, 1e-12);
}

TEST(Hypothesis, AVarianceFarFromZeroKeepsItsDigits) {
  // NIST StRD "NumAcc4": mean 10000000.2, standard deviation 0.1.
  std::vector<double> values = {10000000.2};
  for (int i = 0; i < 500; ++i) values.insert(values.end(), {10000000.1, 10000000.3});
  const Moments moments = Describe(values);
  ExpectNear(moments.mean, 10000000.2, 1e-15);
  ExpectNear(moments.StandardDeviation(), 0.1, 1e-7);  // that is what the doubles nearest to the data have
  EXPECT_EQ(Describe(std::vector<double>(1000, 0.1)).variance, 0);
  EXPECT_EQ(Sum(std::vector<double>{1e100, 1, -1e100}), 1);
}

TEST(Hypothesis, WhatHasNoSpreadHasNoT) {
  const Moments constant = Describe(std::vector<double>{2, 2, 2});
  const Moments other = Describe(std::vector<double>{3, 3});
  const Moments empty = Describe({});
  EXPECT_TRUE(std::isnan(StudentT(constant, other).t));
  EXPECT_TRUE(std::isnan(WelchT(constant, other).t));
  EXPECT_TRUE(std::isnan(CohenD(constant, other).value));
  EXPECT_TRUE(std::isnan(StudentT(empty, other).t));
  EXPECT_TRUE(std::isnan(StudentT(Describe(kA), empty).p.p));
  const RankTest ranks = MannWhitney(std::vector<double>{2, 2}, std::vector<double>{2});
  EXPECT_EQ(ranks.u, 1);
  EXPECT_TRUE(std::isnan(ranks.p.p));
  EXPECT_TRUE(std::isnan(Correlation(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  EXPECT_TRUE(std::isnan(OneWayAnova(std::vector<double>{1, 1, 1}, std::vector<int32_t>{0, 0, 1}, 2).f));
  EXPECT_TRUE(std::isnan(KruskalWallis({}, {}, 2).h));
}

TEST(Hypothesis, CohensDIsTheDifferenceInStandardDeviations) {
  const Effect effect = CohenD({50, 12, 4}, {50, 11, 4});
  EXPECT_EQ(effect.value, 0.5);
  EXPECT_NEAR(effect.high - effect.value, 1.959963984540054 * std::sqrt(0.04 + 0.25 / 200), 1e-15);
  EXPECT_NEAR(effect.high + effect.low, 1, 1e-15);
}

TEST(Hypothesis, MannWhitneyCountsPairs) {
  const RankTest scipy = MannWhitney(kA, kB);
  EXPECT_EQ(scipy.u, 45.5);
  ExpectNear(scipy.p.p, 0.005788641486744119, 1e-12);
  Random random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<double> a(1 + random.Below(40)), b(1 + random.Below(40));
    for (double& x : a) x = static_cast<double>(random.Below(12));
    for (double& x : b) x = static_cast<double>(random.Below(9));
    double pairs = 0;  // the definition
    for (const double x : a) {
      for (const double y : b) pairs += x > y ? 1 : x == y ? 0.5 : 0;
    }
    EXPECT_EQ(MannWhitney(a, b).u, pairs);
    EXPECT_NEAR(MannWhitney(b, a).rank_biserial, -MannWhitney(a, b).rank_biserial, 1e-15);
  }
}

TEST(Hypothesis, GroupsAreComparedAsSciPyDoes) {
  const std::vector<double> values = {6, 8, 4, 5, 3, 4, 8, 12, 9, 11, 6, 8, 13, 9, 11, 8, 7, 12, 99};
  std::vector<int32_t> group;
  for (int g = 0; g < 3; ++g) group.insert(group.end(), 6, g);
  group.push_back(-1);
  const VarianceTest anova = OneWayAnova(values, group, 4);  // the fourth is empty
  ExpectNear(anova.f, 9.264705882352942, 1e-14);
  ExpectNear(anova.p.p, 0.0023987773293929083, 1e-12);
  ExpectNear(anova.eta_squared, 84.0 / 152, 1e-14);
  const RankVarianceTest kruskal = KruskalWallis(values, group, 4);
  ExpectNear(kruskal.h, 9.420684835779168, 1e-13);
  ExpectNear(kruskal.p.p, 0.009001694713345491, 1e-12);
}

TEST(Hypothesis, OfTwoGroupsFIsTheSquareOfT) {
  std::vector<double> values = kA;
  values.insert(values.end(), kB.begin(), kB.end());
  std::vector<int32_t> group(15, 0);
  group.resize(30, 1);
  const TTest student = StudentT(Describe(kA), Describe(kB));
  const VarianceTest anova = OneWayAnova(values, group, 2);
  ExpectNear(anova.f, student.t * student.t, 1e-13);
  ExpectNear(anova.p.p, student.p.p, 1e-12);
}

TEST(Hypothesis, IndependenceOfPartyAndGenderIsRefusedAsInTheTextbook) {
  // Agresti, "An Introduction to Categorical Data Analysis", 2007, table 2.5.
  const ContingencyTest test = ChiSquared(std::vector<double>{762, 327, 468, 484, 239, 477}, 2, 3);
  ExpectNear(test.chi_squared, 30.070149095754672, 1e-13);
  ExpectNear(test.p.p, 2.9535891832117595e-07, 1e-12);
  EXPECT_EQ(test.df, 2);
  EXPECT_TRUE(std::isnan(ChiSquared(std::vector<double>{1, 2, 0, 0}, 2, 2).chi_squared));
}

TEST(Hypothesis, CorrelationsAreThoseOfTheDefinition) {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6, 7}, y = {2, 1, 4, 3, 7, 8, 6.5};
  ExpectNear(Correlation(x, y), 0.8739290889684106, 1e-14);
  const auto ranks = Ranks(std::vector<double>{1, 2, 2, 4, 5, 6, 7});
  EXPECT_EQ(ranks[1], 2.5);
  ExpectNear(Correlation(ranks, Ranks(y)), 0.7748062179181807, 1e-14);
  EXPECT_NEAR(Correlation(x, x), 1, 1e-15);
}

TEST(Hypothesis, FalseDiscoveriesAreBoundedAlsoBelowTheSmallestDouble) {
  const double nan = std::nan("");
  const std::vector<PValue> p = {{0.01, -2}, {0.04, std::log10(0.04)}, {nan, nan}, {0.03, std::log10(0.03)}, {0, -400}};
  const auto q = BenjaminiHochberg(p);
  EXPECT_NEAR(q[0].p, 0.02, 1e-15);
  EXPECT_NEAR(q[1].p, 0.04, 1e-15);
  EXPECT_TRUE(std::isnan(q[2].p));
  EXPECT_NEAR(q[3].p, 0.04, 1e-15);
  EXPECT_EQ(q[4].p, 0);
  EXPECT_NEAR(q[4].log10, -400 + std::log10(4), 1e-12);
}

TEST(Hypothesis, QuantilesAreInterpolated) {
  const std::vector<double> values = {1, 2, 4, 8};
  EXPECT_EQ(Quantile(values, 0), 1);
  EXPECT_EQ(Quantile(values, 0.5), 3);
  EXPECT_EQ(Quantile(values, 0.25), 1.75);
  EXPECT_EQ(Quantile(values, 1), 8);
  EXPECT_TRUE(std::isnan(Quantile({}, 0.5)));
}

}  // namespace
}  // namespace segue::math
