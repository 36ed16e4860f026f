#include "math/sequential.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

/// Moments of a stream, observation by observation (Welford, Technometrics 4, 1962).
class Stream {
 public:
  void Add(double x) {
    ++n_;
    const double delta = x - mean_;
    mean_ += delta / static_cast<double>(n_);
    squares_ += delta * (x - mean_);
  }
  Moments Now() const { return {n_, mean_, n_ < 2 ? 0 : squares_ / static_cast<double>(n_ - 1)}; }

 private:
  uint64_t n_ = 0;
  double mean_ = 0, squares_ = 0;
};

/// A listener's share of lists that were hits: each has a rate of his own, so
/// that his lists are no more independent than real ones are. Beta(rate·s,
/// (1 − rate)·s) by the ratio of gammas would do; a two-point mixture of the same
/// mean is harder on the normal approximation: most never answer, a few always do.
double ShareOf(Random& random, double rate, int lists) {
  const double his = random.Uniform() < 0.5 ? rate * 0.2 : rate * 1.8;
  int hits = 0;
  for (int i = 0; i < lists; ++i) hits += random.Uniform() < his;
  return static_cast<double>(hits) / lists;
}

struct Trials {
  int64_t worse = 0;     ///< called worse at some look
  int64_t no_worse = 0;  ///< shown to be within the margin, before it was called worse
  double looks = 0;      ///< listeners until one of these, mean of those that came to it
};

constexpr double kMargin = 0.05;
constexpr int kTrials = 1000;

Trials Simulate(double live_rate, double challenger_rate, double share, uint64_t least, uint64_t listeners, double alpha) {
  Trials trials;
  int64_t ended = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(7, static_cast<uint64_t>(trial));
    Stream challenger, live;
    for (uint64_t i = 0; i < listeners; ++i) {
      const bool in_canary = random.Uniform() < share;
      (in_canary ? challenger : live).Add(ShareOf(random, in_canary ? challenger_rate : live_rate, 5));
      const Moments a = challenger.Now(), b = live.Now();
      if (a.n < least || b.n < least) continue;
      const auto now = CompareAtAnyTime(a, b, alpha, kMargin);
      const bool worse = now.high < 0, no_worse = now.low > -kMargin;
      if (!worse && !no_worse) continue;
      trials.worse += worse;
      trials.no_worse += !worse;
      trials.looks += static_cast<double>(i + 1);
      ++ended;
      // Who goes on looking sees whether it would ever have been called worse.
      if (worse) break;
      bool later = false;
      for (++i; i < listeners && !later; ++i) {
        const bool canary = random.Uniform() < share;
        (canary ? challenger : live).Add(ShareOf(random, canary ? challenger_rate : live_rate, 5));
        later = CompareAtAnyTime(challenger.Now(), live.Now(), alpha, kMargin).high < 0;
      }
      trials.worse += later;
      break;
    }
  }
  if (ended > 0) trials.looks /= static_cast<double>(ended);
  return trials;
}

TEST(Sequential, TheIntervalIsWhereTheMixtureLikelihoodRatioStaysBelowOneOverAlpha) {
  const Moments a{40, 0.3, 0.04}, b{90, 0.35, 0.05};
  const double alpha = 0.05, tau = 0.1;
  const auto interval = CompareAtAnyTime(a, b, alpha, tau);
  EXPECT_DOUBLE_EQ(interval.difference, 0.3 - 0.35);
  // The definition, by quadrature over the mixing prior instead of in closed form.
  const double v = (0.04 * 39 + 0.5) / 41 / 40 + (0.05 * 89 + 0.5) / 91 / 90;
  for (const double end : {interval.low, interval.high}) {
    double ratio = 0;
    constexpr int kSteps = 200'000;
    for (int i = 0; i < kSteps; ++i) {
      const double theta = end - 10 * tau + 20 * tau * (i + 0.5) / kSteps;
      const double prior = std::exp(-(theta - end) * (theta - end) / (2 * tau * tau)) / (tau * std::sqrt(2 * M_PI));
      const double d = interval.difference;
      ratio += prior * std::exp(((d - end) * (d - end) - (d - theta) * (d - theta)) / (2 * v)) * 20 * tau / kSteps;
    }
    EXPECT_NEAR(ratio, 1 / alpha, 1e-3);
  }
}

TEST(Sequential, WithoutObservationsNothingIsExcluded) {
  const auto interval = CompareAtAnyTime({}, {10, 0.5, 0.1}, 0.05, 0.05);
  EXPECT_TRUE(std::isinf(interval.low) && std::isinf(interval.high));
  const auto silent = CompareAtAnyTime({30, 0, 0}, {30, 0, 0}, 0.05, 0.05);
  EXPECT_LT(silent.low, -0.01) << "thirty listeners without a like are no proof that nobody likes anything";
}

TEST(Sequential, LookingAfterEachListenerCallsAnEqualChallengerWorseLessOftenThanAlpha) {
  constexpr double kAlpha = 0.05;
  for (const double rate : {0.02, 0.1, 0.4}) {
    for (const double share : {0.1, 0.5}) {
      const auto trials = Simulate(rate, rate, share, 30, 3000, kAlpha);
      const double error = static_cast<double>(trials.worse) / kTrials;
      // Looking at every step with a test for one look would be wrong several times as often.
      EXPECT_LE(error, kAlpha) << "rate " << rate << ", share " << share;
      std::printf("equal, rate %.2f, share %.1f: called worse in %.3f of %d canaries; passed in %.2f, after %.0f listeners\n", rate, share, error,
                  kTrials, static_cast<double>(trials.no_worse) / kTrials, trials.looks);
    }
  }
}

TEST(Sequential, LookingAfterEachListenerWithATestForOneLookWouldBeWrongFarMoreOften) {
  int64_t wrong = 0;
  for (int trial = 0; trial < kTrials; ++trial) {
    Random random(7, static_cast<uint64_t>(trial));
    Stream challenger, live;
    for (int i = 0; i < 3000; ++i) {
      (random.Uniform() < 0.5 ? challenger : live).Add(ShareOf(random, 0.4, 5));
      const Moments a = challenger.Now(), b = live.Now();
      if (a.n < 30 || b.n < 30) continue;
      const double error = std::sqrt(a.variance / static_cast<double>(a.n) + b.variance / static_cast<double>(b.n));
      if (a.mean - b.mean < -1.96 * error) {
        ++wrong;
        break;
      }
    }
  }
  EXPECT_GT(static_cast<double>(wrong) / kTrials, 0.1) << "the simulation can tell a test that does not hold";
}

TEST(Sequential, AWorseChallengerIsFoundAndTheFiguresOfThatArePrinted) {
  for (const double rate : {0.35, 0.3, 0.2}) {
    for (const double share : {0.1, 0.5}) {
      const auto trials = Simulate(0.4, rate, share, 30, 6000, 0.05);
      const double found = static_cast<double>(trials.worse) / kTrials, passed = static_cast<double>(trials.no_worse) / kTrials;
      std::printf("live 0.40, challenger %.2f, share %.1f: found in %.3f, let pass in %.3f of %d, decided after %.0f listeners\n", rate, share, found,
                  passed, kTrials, trials.looks);
      EXPECT_GT(found, rate > 0.3 ? 0.5 : 0.99) << rate << ' ' << share;
      EXPECT_LE(passed, 0.05) << "worse by the margin or more is seldom called no worse";
    }
  }
}

}  // namespace
}  // namespace segue::math
