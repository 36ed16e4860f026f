#include "math/special.h"

#include <array>
#include <cmath>
#include <limits>
#include <utility>

namespace segue::math {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kTiny = 1e-300;  // Lentz: in place of a zero denominator
constexpr double kConverged = 1e-16;
constexpr int kMostTerms = 1'000'000;
constexpr double kStirling = 12;  // from here on the series has the digits of a double

/// ln Γ(x) − [(x − ½)·ln x − x + ½·ln 2π], x ≥ kStirling. NIST Handbook 5.11.1.
double StirlingRemainder(double x) {
  constexpr std::array<double, 8> kTerms = {1.0 / 12,      -1.0 / 360,        1.0 / 1260, -1.0 / 1680,
                                            1.0 / 1188,    -691.0 / 360360,   1.0 / 156,  -3617.0 / 122400};
  const double square = 1 / (x * x);
  double sum = 0;
  for (size_t k = kTerms.size(); k-- > 0;) sum = sum * square + kTerms[k];
  return sum / x;
}

/// std::lgamma writes a global, `signgam`, from every thread.
double LogGamma(double x) {
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  double shift = 0;
  double product = 1;
  for (; x < kStirling; x += 1) product *= x;
  shift = std::log(product);
  return (x - 0.5) * std::log(x) - x + kHalfLogTwoPi + StirlingRemainder(x) - shift;
}

/// ln of 1 − exp(log), log ≤ 0.
double LogComplement(double log) {
  return log > -0.7 ? std::log(-std::expm1(log)) : std::log1p(-std::exp(log));
}

/// The continued fraction of I_x(a, b)·B(a, b)/(x^a·y^b), quick where x < (a+1)/(a+b+2).
/// In the letters of the paper's eq. 12; λ = (a+b)·y − b = a − (a+b)·x keeps the digits that
/// 1 − (a+b)·x/(a+1), where the textbooks' form begins, loses for a large a.
double BetaFraction(double a, double b, double x, double y) {
  const double c = 1 + (a > b ? (a + b) * y - b : a - (a + b) * x);
  const double c0 = b / a, c1 = 1 + 1 / a;
  double p = 1, s = a + 1;
  double numerator_before = 0, denominator_before = 1, numerator = 1, denominator = c / c1;
  double r = c1 / c;
  for (int n = 1; n < kMostTerms; ++n) {
    const double t = n / a;
    const double w = n * (b - n) * x;
    const double shrink = a / s;
    const double alpha = p * (p + c0) * shrink * shrink * (w * x);
    const double beta = n + w / s + (t + 1) / (c1 + t + t) * (c + n * (y + 1));
    p = t + 1;
    s += 2;
    const double next_numerator = alpha * numerator_before + beta * numerator;
    const double next_denominator = alpha * denominator_before + beta * denominator;
    const double last = r;
    r = next_numerator / next_denominator;
    if (std::fabs(r - last) <= kConverged * r) break;
    numerator_before = numerator / next_denominator;
    denominator_before = denominator / next_denominator;
    numerator = r;
    denominator = 1;
  }
  return r;
}

double Log(double x, double y) { return x < 0.5 ? std::log(x) : std::log1p(-y); }

/// ln Q by the continued fraction, x > a + 1.
double GammaFraction(double a, double x) {
  double b = x + 1 - a;
  double c = 1 / kTiny;
  double d = 1 / b;
  double h = d;
  for (int n = 1; n < kMostTerms; ++n) {
    const double term = -n * (n - a);
    b += 2;
    d = term * d + b;
    d = 1 / (std::fabs(d) < kTiny ? kTiny : d);
    c = b + term / c;
    if (std::fabs(c) < kTiny) c = kTiny;
    h *= d * c;
    if (std::fabs(d * c - 1) < kConverged) break;
  }
  return a * std::log(x) - x - LogGamma(a) + std::log(h);
}

/// ln P by the series, x < a + 1.
double GammaSeries(double a, double x) {
  double term = 1 / a;
  double sum = term;
  for (int n = 1; n < kMostTerms && term > sum * kConverged; ++n) sum += term *= x / (a + n);
  return a * std::log(x) - x - LogGamma(a) + std::log(sum);
}

}  // namespace

double LogBeta(double a, double b) {
  if (!(a > 0 && b > 0) || std::isinf(a) || std::isinf(b)) return kNan;
  if (a < b) std::swap(a, b);
  if (a < kStirling) return LogGamma(a) + LogGamma(b) - LogGamma(a + b);
  // ln Γ(a) − ln Γ(a+b), whose large parts cancel on paper instead of in the sum.
  const double ratio = -(a - 0.5) * std::log1p(b / a) - b * std::log(a + b) + b + StirlingRemainder(a) - StirlingRemainder(a + b);
  if (b < kStirling) return LogGamma(b) + ratio;
  constexpr double kHalfLogTwoPi = 0.91893853320467274178;
  return -(a - 0.5) * std::log1p(b / a) + b * std::log(b / (a + b)) - 0.5 * std::log(b) + kHalfLogTwoPi + StirlingRemainder(a) +
         StirlingRemainder(b) - StirlingRemainder(a + b);
}

double LogIncompleteBeta(double a, double b, double x, double y) {
  if (!(a > 0 && b > 0 && x >= 0 && y >= 0)) return kNan;
  if (x == 0) return -std::numeric_limits<double>::infinity();
  if (y == 0) return 0;
  if (x > (a + 1) / (a + b + 2)) return LogComplement(LogIncompleteBeta(b, a, y, x));
  return a * Log(x, y) + b * Log(y, x) - LogBeta(a, b) + std::log(BetaFraction(a, b, x, y));
}

double LogUpperGamma(double a, double x) {
  if (!(a > 0 && x >= 0)) return kNan;
  if (x == 0) return 0;
  return x < a + 1 ? LogComplement(GammaSeries(a, x)) : GammaFraction(a, x);
}

PValue FromLog(double natural_log) {
  // A sum of logarithms may come out a rounding above ln 1.
  const double log = natural_log > 0 ? 0 : natural_log;
  return {std::exp(log), log / 2.302585092994045684};
}

PValue StudentTwoSided(double t, double df) {
  if (!(df > 0) || std::isnan(t)) return {kNan, kNan};
  const double sum = df + t * t;
  return FromLog(std::isinf(sum) ? -std::numeric_limits<double>::infinity() : LogIncompleteBeta(df / 2, 0.5, df / sum, t * t / sum));
}

PValue FisherUpper(double f, double df1, double df2) {
  if (!(f >= 0 && df1 > 0 && df2 > 0)) return {kNan, kNan};
  const double sum = df2 + df1 * f;
  return FromLog(std::isinf(sum) ? -std::numeric_limits<double>::infinity()
                                 : LogIncompleteBeta(df2 / 2, df1 / 2, df2 / sum, df1 * f / sum));
}

PValue ChiSquaredUpper(double x, double df) {
  return FromLog(LogUpperGamma(df / 2, x / 2));
}

PValue NormalTwoSided(double z) {
  return FromLog(LogUpperGamma(0.5, z * z / 2));
}

}  // namespace segue::math
