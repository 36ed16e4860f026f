#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "math/special.h"

namespace segue::math {

// Tests of whether groups of numbers differ, and by how much. Values hold no
// NaN (callers leave missing ones out). A figure that is not defined (a group
// too small, no spread at all) is NaN. All pure; sums run in index order.

/// Neumaier's compensated sum ("Rundungsfehleranalyse einiger Verfahren zur
/// Summation endlicher Summen", ZAMM 54, 1974): as if in twice the digits.
double Sum(std::span<const double> values);

struct Moments {
  uint64_t n = 0;
  double mean = 0;      ///< NaN for n = 0
  double variance = 0;  ///< Σ(x − mean)²/(n − 1); NaN for n < 2
  double StandardDeviation() const;
};
/// Two passes, both compensated (Chan, Golub, LeVeque, "Algorithms for computing
/// the sample variance", The American Statistician 37, 1983, eq. 1.7).
Moments Describe(std::span<const double> values);

struct TTest {
  double t;  ///< positive where a's mean is the larger
  double df;
  PValue p;  ///< two-sided
};
/// t = (ā − b̄)/(s·√(1/n_a + 1/n_b)), s² the pooled variance, n_a + n_b − 2 degrees
/// of freedom. Student, "The probable error of a mean", Biometrika 6, 1908.
TTest StudentT(const Moments& a, const Moments& b);
/// t = (ā − b̄)/√(s_a²/n_a + s_b²/n_b), no equal variances asked for; degrees of
/// freedom after Satterthwaite. Welch, Biometrika 34, 1947.
TTest WelchT(const Moments& a, const Moments& b);

struct Effect {
  double value;
  double low, high;  ///< 95 %
};
/// Cohen's d = (ā − b̄)/s, s² the pooled variance. The interval is d ∓ 1.96·√v,
/// v = (n_a + n_b)/(n_a·n_b) + d²/(2(n_a + n_b)): Hedges, Olkin, "Statistical
/// Methods for Meta-Analysis", 1985, ch. 5 eq. 15, for large samples.
Effect CohenD(const Moments& a, const Moments& b);

struct RankTest {
  double u;             ///< pairs in which a's value is the larger, ties half
  double z;
  PValue p;             ///< two-sided
  double rank_biserial; ///< 2·u/(n_a·n_b) − 1, of [−1, 1]; also 2·AUC − 1
};
/// Mann, Whitney, Annals of Mathematical Statistics 18, 1947; the normal
/// approximation with corrections for ties and continuity (Hollander, Wolfe,
/// Chicken, 3rd ed. 2014, sec. 4.1). Rank-biserial correlation: Kerby 2014.
/// O(n log n).
RankTest MannWhitney(std::span<const double> a, std::span<const double> b);

/// Ranks from 1; equal values get the mean of theirs. `ties`, where given, is
/// Σ(t³ − t) over the groups of equal values.
std::vector<double> Ranks(std::span<const double> values, double* ties = nullptr);

struct VarianceTest {
  double f;
  double df_between, df_within;
  PValue p;
  double eta_squared;  ///< share of the variance that lies between the groups
};
/// One-way analysis of variance; groups without values do not count. Fisher,
/// "Statistical Methods for Research Workers", 1925.
///   values [n];  group [n] of `groups`, other numbers are left out
VarianceTest OneWayAnova(std::span<const double> values, std::span<const int32_t> group, size_t groups);

struct RankVarianceTest {
  double h;
  double df;
  PValue p;                ///< chi-squared approximation
  double epsilon_squared;  ///< H/(n − 1), of [0, 1]; Tomczak, Tomczak 2014
};
/// Kruskal, Wallis, JASA 47, 1952, corrected for ties.
RankVarianceTest KruskalWallis(std::span<const double> values, std::span<const int32_t> group, size_t groups);

struct ContingencyTest {
  double chi_squared;
  double df;
  PValue p;
  double cramers_v;
};
/// Pearson's test of independence; rows and columns of zeros do not count.
///   counts [rows × columns]
ContingencyTest ChiSquared(std::span<const double> counts, size_t rows, size_t columns);

/// Pearson's r of pairs; Spearman's is the same of their Ranks. NaN where one is constant.
double Correlation(std::span<const double> a, std::span<const double> b);
/// The same of values that are described already.
double Correlation(std::span<const double> a, const Moments& of_a, std::span<const double> b, const Moments& of_b);

/// Adjusted p values, which bound the share of false discoveries: q₍ᵢ₎ = min over
/// j ≥ i of p₍ⱼ₎·m/j, at most 1. NaN stays NaN and does not count into m.
/// Benjamini, Hochberg, JRSS B 57, 1995.
std::vector<PValue> BenjaminiHochberg(std::span<const PValue> p);

/// The value below which a share `q` of ascending `sorted` lies, interpolated
/// (type 7 of Hyndman, Fan 1996: what R and numpy give). NaN for none.
double Quantile(std::span<const double> sorted, double q);

}  // namespace segue::math
