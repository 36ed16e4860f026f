#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace segue::monitor {

/// What a profile keeps of a column of numbers (clean/profile.h).
struct NumberColumn {
  int64_t values = 0;       ///< that are not null
  int64_t distinct = 0;     ///< about so many different ones; 0 unknown
  double min = 0;
  double max = 0;
  std::vector<std::pair<double, double>> quantiles;  ///< (share, value), ascending
  double low = 0;           ///< histogram: equal bins from here; the last has the maximum too
  double width = 0;         ///< 0: all values are the same
  std::vector<int64_t> counts;
};

/// What it keeps of a column of texts.
struct CategoryColumn {
  int64_t values = 0;
  std::vector<std::pair<std::string, int64_t>> top;  ///< (value, rows), most first
  bool complete = false;    ///< there are no others
};

/// A column's distribution function, as far as its profile tells: straight lines
/// between what is known, which is the share of values below each edge of the
/// histogram, and the quantiles. A value that is two quantiles, or a quantile and
/// the minimum or maximum, or one of fewer than 100, has a share of its own; the
/// function jumps there, by at least what lies between those quantiles. (Another
/// value with a share of its own that but one quantile hits is not seen: an error
/// of up to its share.) Between two points the true function lies somewhere in their
/// box: the lines are off by at most the box's height.
class DistributionFunction {
 public:
  explicit DistributionFunction(const NumberColumn& column);

  /// The share of values below x.
  double Below(double x) const;
  /// Below, or at x.
  double UpTo(double x) const;
  /// Least and most that the share of values below x can be.
  std::pair<double, double> Bounds(double x) const;
  /// Area of the boxes within [low, high], halved: the most by which the area
  /// under the lines can differ from the true one.
  double AreaError(double low, double high) const;

  /// Where it is known, ascending in both.
  struct Point {
    double x = 0;
    double share = 0;
    bool exact = true;  ///< exactly this share is below x; else x is where the function jumps
  };
  const std::vector<Point>& points() const { return points_; }

  /// The values below which 1 % and up to which 99 % are.
  double low() const { return low_; }
  double high() const { return high_; }
  /// Standard deviation of the values, those outside [low, high] moved to its
  /// ends (winsorised), so that one absurd value does not set the unit; at
  /// least a thousandth of the median, or 0.001 where that is 0.
  double Spread() const;

 private:
  std::vector<Point> points_;
  double low_ = 0;
  double high_ = 0;
  double middle_ = 0;
};

/// A distance, and what it would be by chance.
struct Distance {
  double value = 0;
  double noise = 0;  ///< two samples of these sizes from one distribution exceed it about once in 1000 times
  double error = 0;  ///< most by which what the profiles do not tell can lessen it (of JensenShannon: add to it)
  bool sure = true;  ///< of Psi: it is more than chance also where all that the profiles do not tell speaks against it
};

/// Population stability index, Σ (q − p)·ln(q/p) over bins; p before, q now.
/// Numbers: up to ten bins of about equal share before, cut where the share before is
/// known. The share now of such a cut may not be: `value` takes it from the line,
/// `error` and `sure` from the end of the box that is nearest to no drift. Shares
/// of 0 count as 0.0001.
/// 0.1 is taken for a moderate, 0.25 for a major shift: Siddiqi, "Credit Risk
/// Scorecards", 2006, ch. 10. Under no drift PSI/(1/n + 1/m) has about a χ²
/// distribution with bins − 1 degrees of freedom: Yurdakul, Naranjo, "Statistical
/// properties of the population stability index", Journal of Risk Model
/// Validation 14, 2020; `noise` is its 0.999 quantile.
Distance Psi(const NumberColumn& before, const NumberColumn& now);
Distance Psi(const CategoryColumn& before, const CategoryColumn& now);

/// Wasserstein-1 distance ∫|F − G| dx over [low, high] of both, in standard
/// deviations of before (DistributionFunction::Spread). Evidently normalises by
/// the standard deviation too, and takes 0.1 for drift
/// (docs.evidentlyai.com, "Data drift algorithm"). Beyond the outer percentiles
/// nothing counts, else one value could be a drift. `error` is the areas of all boxes,
/// and much more than what smooth distributions come to. `noise`: the integral where F − G is
/// 3.29 of its standard errors everywhere, which is more than chance gives.
Distance Wasserstein(const NumberColumn& before, const NumberColumn& now);

/// Jensen-Shannon distance, √(½·KL(p‖m) + ½·KL(q‖m)), m = (p + q)/2, with
/// logarithms to base 2: from 0 to 1. Lin, "Divergence measures based on the
/// Shannon entropy", IEEE Transactions on Information Theory 37, 1991. Evidently
/// takes 0.1 for drift. Values that neither list of the most frequent has count as
/// one. A value that one list lacks has no more rows than the last of that list:
/// it is given what makes the distance least, and `error` is what that may hide:
/// the distance is a metric and moving a share δ moves it by √δ at most.
/// `noise` as that of PSI, of which the divergence is an eighth where both are small.
Distance JensenShannon(const CategoryColumn& before, const CategoryColumn& now);

}  // namespace segue::monitor
