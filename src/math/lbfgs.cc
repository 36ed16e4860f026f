#include "math/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <deque>

namespace segue::math {
namespace {

double Dot(std::span<const double> a, std::span<const double> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

double Largest(std::span<const double> a) {
  double most = 0;
  for (const double v : a) most = std::max(most, std::abs(v));
  return most;
}

struct Pair {
  std::vector<double> s, y;
  double rho;
};

/// -H·g by the two loops of algorithm 7.4.
std::vector<double> Direction(const std::deque<Pair>& pairs, std::span<const double> gradient) {
  std::vector<double> d(gradient.begin(), gradient.end()), alpha(pairs.size());
  for (size_t k = pairs.size(); k-- > 0;) {
    alpha[k] = pairs[k].rho * Dot(pairs[k].s, d);
    for (size_t i = 0; i < d.size(); ++i) d[i] -= alpha[k] * pairs[k].y[i];
  }
  if (!pairs.empty()) {
    const double gamma = 1 / (pairs.back().rho * Dot(pairs.back().y, pairs.back().y));
    for (double& v : d) v *= gamma;
  }
  for (size_t k = 0; k < pairs.size(); ++k) {
    const double beta = pairs[k].rho * Dot(pairs[k].y, d);
    for (size_t i = 0; i < d.size(); ++i) d[i] += (alpha[k] - beta) * pairs[k].s[i];
  }
  for (double& v : d) v = -v;
  return d;
}

}  // namespace

LbfgsResult MinimiseLbfgs(const std::function<double(std::span<const double>, std::span<double>)>& function,
                          std::vector<double>& x, const LbfgsSettings& settings) {
  const size_t n = x.size();
  std::vector<double> gradient(n), next(n), next_gradient(n);
  std::deque<Pair> pairs;
  LbfgsResult result;
  result.value = function(x, gradient);
  for (; result.steps < settings.most_steps; ++result.steps) {
    result.largest_gradient = Largest(gradient);
    if (result.largest_gradient <= settings.tolerance) break;
    std::vector<double> d = Direction(pairs, gradient);
    double slope = Dot(d, gradient);
    if (!(slope < 0)) {
      // The memory misleads: start again from the gradient.
      pairs.clear();
      d = Direction(pairs, gradient);
      slope = Dot(d, gradient);
    }
    double step = pairs.empty() ? std::min(1.0, 1 / std::sqrt(-slope)) : 1;
    double value = 0;
    bool down = false;
    for (int halvings = 0; halvings < 40 && !down; ++halvings, step /= 2) {
      for (size_t i = 0; i < n; ++i) next[i] = x[i] + step * d[i];
      value = function(next, next_gradient);
      down = value <= result.value + 1e-4 * step * slope;
    }
    if (!down) {
      if (pairs.empty()) break;
      pairs.clear();
      continue;
    }
    Pair pair{std::vector<double>(n), std::vector<double>(n), 0};
    for (size_t i = 0; i < n; ++i) {
      pair.s[i] = next[i] - x[i];
      pair.y[i] = next_gradient[i] - gradient[i];
    }
    const double curvature = Dot(pair.s, pair.y);
    if (curvature > 1e-10 * Dot(pair.y, pair.y)) {
      pair.rho = 1 / curvature;
      pairs.push_back(std::move(pair));
      if (pairs.size() > settings.memory) pairs.pop_front();
    }
    x.swap(next);
    gradient.swap(next_gradient);
    result.value = value;
  }
  result.largest_gradient = Largest(gradient);
  result.converged = result.largest_gradient <= settings.tolerance;
  return result;
}

}  // namespace segue::math
