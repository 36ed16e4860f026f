#pragma once

namespace segue::math {

// Tail probabilities as logarithms, so that one far below the smallest double
// (a t of 90 on 41,104 degrees of freedom: 1e-1640 or so) keeps its digits.
// Natural logarithms; NaN for arguments outside the domain. Relative error of
// the probability: about 1e-13 where the logarithm is above -1000.

/// ln B(a, b) = ln Γ(a)Γ(b)/Γ(a+b), a and b > 0. Stirling's formula with its
/// remainders, so that nothing large cancels. Didonato, Morris, "Algorithm 708",
/// ACM TOMS 18, 1992, section 4.
double LogBeta(double a, double b);

/// ln I_x(a, b), the regularized incomplete beta function; a and b > 0. The
/// caller gives x and y = 1 − x, of which one may be too small for the other's digits.
/// Continued fraction of Didonato, Morris (as above, section 2, BFRAC), also for
/// a or b below 1; O(√max(a, b)) terms.
double LogIncompleteBeta(double a, double b, double x, double y);

/// ln Q(a, x) = ln Γ(a, x)/Γ(a), a > 0, x ≥ 0. Series 8.7.1 below x = a + 1,
/// continued fraction 8.9.2 above (NIST Handbook).
double LogUpperGamma(double a, double x);

/// A probability that may underflow: p is 0 then, log10 stays.
struct PValue {
  double p;
  double log10;
};
PValue FromLog(double natural_log);

/// P(|T| ≥ |t|), Student's distribution, df > 0.
PValue StudentTwoSided(double t, double df);
/// P(F ≥ f), Fisher's distribution.
PValue FisherUpper(double f, double df1, double df2);
/// P(χ² ≥ x).
PValue ChiSquaredUpper(double x, double df);
/// P(|Z| ≥ |z|), standard normal.
PValue NormalTwoSided(double z);

}  // namespace segue::math
