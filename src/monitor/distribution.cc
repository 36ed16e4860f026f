#include "monitor/distribution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numbers>
#include <optional>

namespace segue::monitor {
namespace {

constexpr double kLeastShare = 1e-4;   ///< as Evidently has it for empty bins
constexpr double kBinShare = 0.1;
constexpr double kLeastRest = 0.05;
constexpr double kOneInAThousand = 3.0902;   ///< one-sided, standard normal
constexpr double kOneInAThousandTwo = 3.2905;  ///< two-sided
constexpr double kRounding = 1e-9;
constexpr int64_t kFew = 100;  ///< different values

double ShareOf(int64_t part, int64_t whole) { return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0; }

/// 1/n + 1/m.
double Sampling(int64_t n, int64_t m) {
  return 1 / static_cast<double>(std::max<int64_t>(n, 1)) + 1 / static_cast<double>(std::max<int64_t>(m, 1));
}

/// The 0.999 quantile of χ². Wilson, Hilferty, PNAS 17, 1931: off by less than
/// 1 % from two degrees of freedom on.
double ChiSquaredLimit(double degrees) {
  if (degrees < 1) return 0;
  const double a = 2 / (9 * degrees);
  return degrees * std::pow(1 - a + kOneInAThousand * std::sqrt(a), 3);
}

double PsiOf(const std::vector<double>& before, const std::vector<double>& now) {
  double sum = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    const double p = std::max(before[i], kLeastShare), q = std::max(now[i], kLeastShare);
    sum += (q - p) * std::log(q / p);
  }
  return sum;
}

/// Where the bins of PSI part.
std::vector<double> Cuts(const DistributionFunction& before, const NumberColumn& column) {
  if (column.min == column.max) return {column.min, std::nextafter(column.max, std::numeric_limits<double>::infinity())};
  std::vector<double> cuts;
  double last = 0;
  for (const auto& point : before.points()) {
    if (!point.exact || point.x <= column.min || point.x >= column.max) continue;
    if (point.share - last < kBinShare - kRounding || 1 - point.share < kLeastRest) continue;
    cuts.push_back(point.x);
    last = point.share;
  }
  // One value has nearly all: what is beside it can still grow.
  if (cuts.empty()) cuts.push_back(column.low + column.width);
  return cuts;
}

/// Shares of the bins from those below each cut.
std::vector<double> Shares(std::vector<double> below) {
  below.push_back(1);
  for (size_t i = below.size(); --i > 0;) below[i] -= below[i - 1];
  return below;
}

/// ∫|d| over a stretch on which d goes straight from `a` to `b`.
double AreaBetween(double a, double b, double length) {
  if ((a >= 0) == (b >= 0)) return length * (std::fabs(a) + std::fabs(b)) / 2;
  return length * (a * a + b * b) / (2 * (std::fabs(a) + std::fabs(b)));
}

/// Calls `stretch(x0, x1)` between all known points of the functions within [low, high].
template <typename Stretch>
void EachStretch(std::initializer_list<const DistributionFunction*> functions, double low, double high, const Stretch& stretch) {
  std::vector<double> xs = {low, high};
  for (const auto* f : functions) {
    for (const auto& point : f->points()) {
      if (point.x > low && point.x < high) xs.push_back(point.x);
    }
  }
  std::sort(xs.begin(), xs.end());
  xs.erase(std::unique(xs.begin(), xs.end()), xs.end());
  for (size_t i = 1; i < xs.size(); ++i) stretch(xs[i - 1], xs[i]);
}

struct Categories {
  std::vector<double> before, now;
  double hidden_before = 0, hidden_now = 0;  ///< most that may be in other shares than it is given
};

/// Shares of the values that either list names, and of all others.
Categories Compare(const CategoryColumn& before, const CategoryColumn& now) {
  std::map<std::string, std::pair<std::optional<double>, std::optional<double>>> shares;
  for (const auto& [value, rows] : before.top) shares[value].first = ShareOf(rows, before.values);
  for (const auto& [value, rows] : now.top) shares[value].second = ShareOf(rows, now.values);
  const auto most_unseen = [](const CategoryColumn& column) {
    return column.complete || column.top.empty() ? 0 : ShareOf(column.top.back().second, column.values);
  };
  const double unseen_before = most_unseen(before), unseen_now = most_unseen(now);
  Categories both;
  double rest_before = 1, rest_now = 1;
  for (const auto& [value, share] : shares) {
    const double p = share.first ? *share.first : std::clamp(share.second.value_or(0), 0.0, std::min(unseen_before, std::max(rest_before, 0.0)));
    const double q = share.second ? *share.second : std::clamp(p, 0.0, std::min(unseen_now, std::max(rest_now, 0.0)));
    if (!share.first) both.hidden_before += unseen_before;
    if (!share.second) both.hidden_now += unseen_now;
    both.before.push_back(p);
    both.now.push_back(q);
    rest_before -= p;
    rest_now -= q;
  }
  if (!before.complete || !now.complete) {
    both.before.push_back(std::max(rest_before, 0.0));
    both.now.push_back(std::max(rest_now, 0.0));
  }
  return both;
}

}  // namespace

DistributionFunction::DistributionFunction(const NumberColumn& column) {
  const int64_t total = std::max<int64_t>(column.values, 1);
  points_.push_back({column.min, 0});
  if (column.width > 0) {
    int64_t below = 0;
    for (size_t i = 0; i + 1 < column.counts.size(); ++i) {
      below += column.counts[i];
      const double edge = column.low + column.width * static_cast<double>(i + 1);
      if (edge > column.min && edge < column.max) points_.push_back({edge, ShareOf(below, total)});
    }
  }
  const auto& quantiles = column.quantiles;
  const bool few = column.distinct > 0 && column.distinct < kFew;
  for (size_t i = 0; i < quantiles.size(); ++i) {
    const auto& [share, value] = quantiles[i];
    const bool repeated = (i > 0 && quantiles[i - 1].second == value) || (i + 1 < quantiles.size() && quantiles[i + 1].second == value);
    points_.push_back({value, share, !repeated && !few && value > column.min && value < column.max});
  }
  points_.push_back({column.max, 1});
  std::sort(points_.begin(), points_.end(), [](const Point& a, const Point& b) { return a.x < b.x || (a.x == b.x && a.share < b.share); });
  // Quantiles of a sample may lie a little beside the whole's histogram.
  for (size_t i = 1; i < points_.size(); ++i) points_[i].share = std::max(points_[i].share, points_[i - 1].share);

  const auto quantile = [&](double wanted, double otherwise) {
    const auto it = std::find_if(quantiles.begin(), quantiles.end(), [&](const auto& q) { return std::fabs(q.first - wanted) < kRounding; });
    return it == quantiles.end() ? otherwise : it->second;
  };
  low_ = quantile(0.01, column.min);
  high_ = quantile(0.99, column.max);
  middle_ = quantile(0.5, (column.min + column.max) / 2);
}

double DistributionFunction::Below(double x) const {
  const auto after = std::lower_bound(points_.begin(), points_.end(), x, [](const Point& p, double v) { return p.x < v; });
  if (after == points_.begin()) return 0;
  if (after == points_.end()) return 1;
  const auto before = std::prev(after);
  return before->share + (after->share - before->share) * (x - before->x) / (after->x - before->x);
}

double DistributionFunction::UpTo(double x) const {
  const auto after = std::upper_bound(points_.begin(), points_.end(), x, [](double v, const Point& p) { return v < p.x; });
  if (after == points_.begin()) return 0;
  if (after == points_.end()) return 1;
  const auto before = std::prev(after);
  return before->share + (after->share - before->share) * (x - before->x) / (after->x - before->x);
}

std::pair<double, double> DistributionFunction::Bounds(double x) const {
  const auto after = std::lower_bound(points_.begin(), points_.end(), x, [](const Point& p, double v) { return p.x < v; });
  if (after == points_.end()) return {1, 1};
  if (after == points_.begin() || (after->x == x && after->exact)) return {after->share, after->share};
  return {std::prev(after)->share, after->share};
}

double DistributionFunction::AreaError(double low, double high) const {
  double area = 0;
  for (size_t i = 1; i < points_.size(); ++i) {
    const double from = std::max(points_[i - 1].x, low), to = std::min(points_[i].x, high);
    if (to > from) area += (to - from) * (points_[i].share - points_[i - 1].share);
  }
  return area / 2;
}

double DistributionFunction::Spread() const {
  const double start = low_ - middle_;
  double first = UpTo(low_) * start, second = UpTo(low_) * start * start;
  EachStretch({this}, low_, high_, [&](double x0, double x1) {
    const double mass = Below(x1) - UpTo(x0), a = x0 - middle_, b = x1 - middle_;
    first += mass * (a + b) / 2;
    second += mass * (a * a + a * b + b * b) / 3;
    const double jump = UpTo(x1) - Below(x1);
    if (x1 < high_) {
      first += jump * b;
      second += jump * b * b;
    }
  });
  const double above = 1 - Below(high_), end = high_ - middle_;
  first += above * end;
  second += above * end * end;
  const double variance = std::max(0.0, second - first * first);
  const double least = middle_ == 0 ? 1e-3 : 1e-3 * std::fabs(middle_);
  return std::max(std::sqrt(variance), least);
}

Distance Psi(const NumberColumn& before, const NumberColumn& now) {
  const DistributionFunction f(before), g(now);
  std::vector<double> below_before, below_now, nearest;
  for (const double cut : Cuts(f, before)) {
    const auto [least, most] = g.Bounds(cut);
    below_before.push_back(f.Below(cut));
    below_now.push_back(g.Below(cut));
    nearest.push_back(std::clamp(below_before.back(), least, most));
  }
  Distance distance{.value = PsiOf(Shares(below_before), Shares(below_now)),
                    .noise = ChiSquaredLimit(static_cast<double>(below_before.size())) * Sampling(before.values, now.values)};
  const double least = std::min(distance.value, PsiOf(Shares(below_before), Shares(nearest)));
  distance.error = distance.value - least;
  distance.sure = least >= distance.noise;
  return distance;
}

Distance Psi(const CategoryColumn& before, const CategoryColumn& now) {
  const Categories both = Compare(before, now);
  return {.value = PsiOf(both.before, both.now),
          .noise = ChiSquaredLimit(static_cast<double>(both.before.size()) - 1) * Sampling(before.values, now.values)};
}

Distance Wasserstein(const NumberColumn& before, const NumberColumn& now) {
  const DistributionFunction f(before), g(now);
  const double low = std::min(f.low(), g.low()), high = std::max(f.high(), g.high());
  const double spread = f.Spread();
  double area = 0, deviation = 0;
  EachStretch({&f, &g}, low, high, [&](double x0, double x1) {
    area += AreaBetween(f.UpTo(x0) - g.UpTo(x0), f.Below(x1) - g.Below(x1), x1 - x0);
    const double middle = f.Below((x0 + x1) / 2);
    deviation += (x1 - x0) * std::sqrt(middle * (1 - middle));
  });
  const double error = f.AreaError(low, high) + g.AreaError(low, high);
  return {.value = area / spread,
          .noise = kOneInAThousandTwo * std::sqrt(Sampling(before.values, now.values)) * deviation / spread,
          .error = error / spread};
}

Distance JensenShannon(const CategoryColumn& before, const CategoryColumn& now) {
  const Categories both = Compare(before, now);
  double divergence = 0;
  const auto part = [](double p, double m) { return p > 0 ? p * std::log2(p / m) / 2 : 0; };
  for (size_t i = 0; i < both.before.size(); ++i) {
    const double middle = (both.before[i] + both.now[i]) / 2;
    divergence += part(both.before[i], middle) + part(both.now[i], middle);
  }
  const double by_chance = ChiSquaredLimit(static_cast<double>(both.before.size()) - 1) * Sampling(before.values, now.values) / 8 / std::numbers::ln2;
  return {.value = std::sqrt(std::max(0.0, divergence)), .noise = std::sqrt(by_chance),
          .error = std::sqrt(std::min(1.0, both.hidden_before)) + std::sqrt(std::min(1.0, both.hidden_now))};
}

}  // namespace segue::monitor
