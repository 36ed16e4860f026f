#include "math/hypothesis.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace segue::math {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kZ95 = 1.959963984540054;

/// A running compensated sum.
class Summer {
 public:
  void Add(double value) {
    const double sum = sum_ + value;
    lost_ += std::fabs(sum_) >= std::fabs(value) ? (sum_ - sum) + value : (value - sum) + sum_;
    sum_ = sum;
  }
  double Total() const { return sum_ + lost_; }

 private:
  double sum_ = 0;
  double lost_ = 0;
};

double Square(double x) { return x * x; }

double PooledVariance(const Moments& a, const Moments& b) {
  const double df = static_cast<double>(a.n) + static_cast<double>(b.n) - 2;
  if (a.n < 1 || b.n < 1 || df < 1) return kNan;
  const auto squares = [](const Moments& m) { return m.n < 2 ? 0 : m.variance * static_cast<double>(m.n - 1); };
  return (squares(a) + squares(b)) / df;
}

TTest Tested(double difference, double variance_of_difference, double df) {
  if (!(variance_of_difference > 0)) return {kNan, df, {kNan, kNan}};
  const double t = difference / std::sqrt(variance_of_difference);
  return {t, df, StudentTwoSided(t, df)};
}

}  // namespace

double Sum(std::span<const double> values) {
  Summer sum;
  for (const double value : values) sum.Add(value);
  return sum.Total();
}

double Moments::StandardDeviation() const { return std::sqrt(variance); }

Moments Describe(std::span<const double> values) {
  Moments moments{values.size(), kNan, kNan};
  if (values.empty()) return moments;
  const auto n = static_cast<double>(values.size());
  moments.mean = Sum(values) / n;
  if (values.size() < 2) return moments;
  Summer squares, rest;
  for (const double value : values) {
    squares.Add(Square(value - moments.mean));
    rest.Add(value - moments.mean);
  }
  // A constant's mean may be a rounding off; that must not look like a spread.
  const bool constant = std::all_of(values.begin(), values.end(), [&](double value) { return value == values.front(); });
  moments.variance = constant ? 0 : (squares.Total() - Square(rest.Total()) / n) / (n - 1);
  if (constant) moments.mean = values.front();
  return moments;
}

TTest StudentT(const Moments& a, const Moments& b) {
  const double pooled = PooledVariance(a, b);
  const double weight = 1 / static_cast<double>(a.n) + 1 / static_cast<double>(b.n);
  return Tested(a.mean - b.mean, pooled * weight, static_cast<double>(a.n) + static_cast<double>(b.n) - 2);
}

TTest WelchT(const Moments& a, const Moments& b) {
  if (a.n < 2 || b.n < 2) return {kNan, kNan, {kNan, kNan}};
  const double of_a = a.variance / static_cast<double>(a.n);
  const double of_b = b.variance / static_cast<double>(b.n);
  const double df = Square(of_a + of_b) / (Square(of_a) / static_cast<double>(a.n - 1) + Square(of_b) / static_cast<double>(b.n - 1));
  return Tested(a.mean - b.mean, of_a + of_b, df);
}

Effect CohenD(const Moments& a, const Moments& b) {
  const double pooled = PooledVariance(a, b);
  if (!(pooled > 0)) return {kNan, kNan, kNan};
  const double d = (a.mean - b.mean) / std::sqrt(pooled);
  const auto n_a = static_cast<double>(a.n), n_b = static_cast<double>(b.n);
  const double error = std::sqrt((n_a + n_b) / (n_a * n_b) + d * d / (2 * (n_a + n_b)));
  return {d, d - kZ95 * error, d + kZ95 * error};
}

std::vector<double> Ranks(std::span<const double> values, double* ties) {
  // Values beside their places: a sort of places alone misses the cache at every comparison.
  struct Item {
    double value;
    size_t at;
  };
  std::vector<Item> order(values.size());
  for (size_t i = 0; i < values.size(); ++i) order[i] = {values[i], i};
  std::sort(order.begin(), order.end(), [](const Item& a, const Item& b) { return a.value < b.value; });
  std::vector<double> ranks(values.size());
  if (ties != nullptr) *ties = 0;
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last < order.size() && order[last].value == order[first].value) ++last;
    const double rank = (static_cast<double>(first) + static_cast<double>(last) + 1) / 2;
    for (size_t i = first; i < last; ++i) ranks[order[i].at] = rank;
    const auto equal = static_cast<double>(last - first);
    if (ties != nullptr) *ties += equal * (equal * equal - 1);
    first = last;
  }
  return ranks;
}

RankTest MannWhitney(std::span<const double> a, std::span<const double> b) {
  RankTest test{kNan, kNan, {kNan, kNan}, kNan};
  if (a.empty() || b.empty()) return test;
  std::vector<double> all(a.begin(), a.end());
  all.insert(all.end(), b.begin(), b.end());
  double ties = 0;
  const std::vector<double> ranks = Ranks(all, &ties);
  const auto n_a = static_cast<double>(a.size()), n_b = static_cast<double>(b.size()), n = n_a + n_b;
  test.u = Sum(std::span(ranks).first(a.size())) - n_a * (n_a + 1) / 2;
  test.rank_biserial = 2 * test.u / (n_a * n_b) - 1;
  const double variance = n_a * n_b / 12 * (n + 1 - ties / (n * (n - 1)));
  if (!(variance > 0)) return test;  // all values are equal
  const double off = test.u - n_a * n_b / 2;
  test.z = std::copysign(std::max(0.0, std::fabs(off) - 0.5) / std::sqrt(variance), off);
  test.p = NormalTwoSided(test.z);
  return test;
}

VarianceTest OneWayAnova(std::span<const double> values, std::span<const int32_t> group, size_t groups) {
  SEGUE_CHECK(values.size() == group.size());
  std::vector<std::vector<double>> parts(groups);
  for (size_t i = 0; i < values.size(); ++i) {
    if (group[i] >= 0 && static_cast<size_t>(group[i]) < groups) parts[static_cast<size_t>(group[i])].push_back(values[i]);
  }
  Summer total;
  double n = 0, used = 0;
  for (const auto& part : parts) {
    for (const double value : part) total.Add(value);
    n += static_cast<double>(part.size());
    used += part.empty() ? 0 : 1;
  }
  VarianceTest test{kNan, used - 1, n - used, {kNan, kNan}, kNan};
  if (used < 2 || n <= used) return test;
  Summer between, within;
  for (const auto& part : parts) {
    if (part.empty()) continue;
    const Moments moments = Describe(part);
    between.Add(static_cast<double>(part.size()) * Square(moments.mean - total.Total() / n));
    if (part.size() > 1) within.Add(moments.variance * static_cast<double>(part.size() - 1));
  }
  if (!(between.Total() + within.Total() > 0)) return test;
  test.eta_squared = between.Total() / (between.Total() + within.Total());
  if (!(within.Total() > 0)) return test;
  test.f = (between.Total() / test.df_between) / (within.Total() / test.df_within);
  test.p = FisherUpper(test.f, test.df_between, test.df_within);
  return test;
}

RankVarianceTest KruskalWallis(std::span<const double> values, std::span<const int32_t> group, size_t groups) {
  SEGUE_CHECK(values.size() == group.size());
  std::vector<double> kept;
  std::vector<size_t> of;
  for (size_t i = 0; i < values.size(); ++i) {
    if (group[i] < 0 || static_cast<size_t>(group[i]) >= groups) continue;
    kept.push_back(values[i]);
    of.push_back(static_cast<size_t>(group[i]));
  }
  double ties = 0;
  const std::vector<double> ranks = Ranks(kept, &ties);
  std::vector<double> sum(groups, 0), count(groups, 0);
  for (size_t i = 0; i < kept.size(); ++i) {
    sum[of[i]] += ranks[i];
    ++count[of[i]];
  }
  const auto n = static_cast<double>(kept.size());
  const auto used = static_cast<double>(std::count_if(count.begin(), count.end(), [](double c) { return c > 0; }));
  RankVarianceTest test{kNan, used - 1, {kNan, kNan}, kNan};
  const double correction = 1 - ties / (n * (n * n - 1));
  if (used < 2 || !(correction > 0)) return test;
  Summer squares;
  for (size_t g = 0; g < groups; ++g) {
    // Around the mean rank, which loses fewer digits than Σ R²/n − 3(n+1).
    if (count[g] > 0) squares.Add(count[g] * Square(sum[g] / count[g] - (n + 1) / 2));
  }
  test.h = 12 / (n * (n + 1)) * squares.Total() / correction;
  test.p = ChiSquaredUpper(test.h, test.df);
  test.epsilon_squared = test.h / (n - 1);
  return test;
}

ContingencyTest ChiSquared(std::span<const double> counts, size_t rows, size_t columns) {
  SEGUE_CHECK(counts.size() == rows * columns);
  std::vector<double> of_row(rows, 0), of_column(columns, 0);
  double n = 0;
  for (size_t i = 0; i < counts.size(); ++i) {
    of_row[i / columns] += counts[i];
    of_column[i % columns] += counts[i];
    n += counts[i];
  }
  const auto used = [](const std::vector<double>& sums) {
    return static_cast<double>(std::count_if(sums.begin(), sums.end(), [](double sum) { return sum > 0; }));
  };
  ContingencyTest test{kNan, (used(of_row) - 1) * (used(of_column) - 1), {kNan, kNan}, kNan};
  if (used(of_row) < 2 || used(of_column) < 2) return test;
  Summer sum;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double expected = of_row[i / columns] * of_column[i % columns] / n;
    if (expected > 0) sum.Add(Square(counts[i] - expected) / expected);
  }
  test.chi_squared = sum.Total();
  test.p = ChiSquaredUpper(test.chi_squared, test.df);
  test.cramers_v = std::sqrt(test.chi_squared / (n * (std::min(used(of_row), used(of_column)) - 1)));
  return test;
}

double Correlation(std::span<const double> a, std::span<const double> b) { return Correlation(a, Describe(a), b, Describe(b)); }

double Correlation(std::span<const double> a, const Moments& of_a, std::span<const double> b, const Moments& of_b) {
  SEGUE_CHECK(a.size() == b.size() && of_a.n == a.size() && of_b.n == b.size());
  if (!(of_a.variance > 0 && of_b.variance > 0)) return kNan;
  Summer products;
  for (size_t i = 0; i < a.size(); ++i) products.Add((a[i] - of_a.mean) * (b[i] - of_b.mean));
  const double r = products.Total() / (static_cast<double>(a.size() - 1) * std::sqrt(of_a.variance) * std::sqrt(of_b.variance));
  return std::clamp(r, -1.0, 1.0);
}

std::vector<PValue> BenjaminiHochberg(std::span<const PValue> p) {
  std::vector<size_t> order;
  for (size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i].log10)) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a].log10 < p[b].log10; });
  std::vector<PValue> adjusted(p.size(), {kNan, kNan});
  PValue least{1, 0};
  const auto m = static_cast<double>(order.size());
  for (size_t j = order.size(); j-- > 0;) {
    const double factor = m / static_cast<double>(j + 1);
    const double log10 = p[order[j]].log10 + std::log10(factor);
    if (log10 < least.log10) least = {p[order[j]].p * factor, log10};
    adjusted[order[j]] = least;
  }
  return adjusted;
}

double Quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) return kNan;
  const double at = std::clamp(q, 0.0, 1.0) * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<size_t>(at);
  if (below + 1 >= sorted.size()) return sorted.back();
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[below + 1] - sorted[below]);
}

}  // namespace segue::math
