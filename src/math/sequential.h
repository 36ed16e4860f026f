#pragma once

#include "math/hypothesis.h"

namespace segue::math {

/// A difference of two means that may be looked at after each new observation.
struct SequentialDifference {
  double difference = 0;  ///< mean(a) − mean(b)
  double low = 0, high = 0;  ///< holds the true difference at all times at once, with probability 1 − alpha
};

/// The always-valid interval of θ = E a − E b that the mixture sequential
/// probability ratio test inverts to. With v the variance of the estimate d,
///
///   Λ(θ₀) = √(v/(v + τ²)) · exp(τ²·(d − θ₀)² / (2v(v + τ²)))
///   the interval is {θ₀: Λ(θ₀) < 1/α}, that is
///   d ± √(v(v + τ²)/τ² · (2·ln(1/α) + ln((v + τ²)/v)))
///
/// Λ(θ₀) is a likelihood ratio averaged over θ ~ N(θ₀, τ²), thus a martingale
/// of mean 1 where θ₀ is true, and by Ville's inequality exceeds 1/α at any time
/// with a probability of at most α: who looks after each observation and stops
/// when he likes is wrong no more often.
///
/// Source: Johari, Koomen, Pekelis, Walsh, "Always Valid Inference: Continuous
/// Monitoring of A/B Tests", Operations Research 70(3), 2022 (KDD 2017), the
/// mSPRT with a normal mixture for two streams (there v = V/n and θ₀ = 0). The
/// same boundary: Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform,
/// nonparametric, nonasymptotic confidence sequences", Annals of Statistics
/// 49(2), 2021, eq. 14, in intrinsic time 1/v with ρ = 1/τ².
/// Departure: the two streams grow at different rates. The estimates at two
/// times then still have Cov(d_s, d_t) = v_t for s < t (Jennison and Turnbull,
/// "Group Sequential Methods", 1999, sect. 11.3), which is all the argument needs.
/// It needs observations that are independent and nearly normal in their means:
/// v is estimated, with one made-up pair of observations, 0 and 1, added to each
/// stream's sum of squares, so that a stream in which nothing has happened yet is
/// not taken for certain: v = Σ over streams of (Σ(x − mean)² + ½)/((n + 1)·n).
/// How often this is wrong with rates near 0, few observations and unequal
/// streams: sequential_test.cc.
///
///   a, b      n ≥ 1; values in [0, 1]
///   alpha     in (0, 1)
///   expected  τ > 0: a difference worth finding; the interval is narrowest where
///             the true one is about as large
///
/// Infinite where a stream has no observation.
SequentialDifference CompareAtAnyTime(const Moments& a, const Moments& b, double alpha, double expected);

}  // namespace segue::math
