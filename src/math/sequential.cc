#include "math/sequential.h"

#include <cmath>
#include <limits>

namespace segue::math {
namespace {

/// Variance of a mean, the made-up pair counted in: it adds 2·(1/2)² to the sum
/// of squares, and with its two observations one degree of freedom more than n.
double VarianceOfMean(const Moments& moments) {
  const auto n = static_cast<double>(moments.n);
  const double squares = (moments.n < 2 ? 0 : moments.variance * (n - 1)) + 0.5;
  return squares / (n + 1) / n;
}

}  // namespace

SequentialDifference CompareAtAnyTime(const Moments& a, const Moments& b, double alpha, double expected) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (a.n == 0 || b.n == 0) return {0, -kInfinite, kInfinite};
  const double difference = a.mean - b.mean;
  const double v = VarianceOfMean(a) + VarianceOfMean(b);
  const double mixed = v + expected * expected;
  const double reach = std::sqrt(v * mixed / (expected * expected) * (-2 * std::log(alpha) + std::log(mixed / v)));
  return {difference, difference - reach, difference + reach};
}

}  // namespace segue::math
