#pragma once

#include <functional>
#include <span>
#include <vector>

namespace segue::math {

struct LbfgsSettings {
  int most_steps = 200;
  double tolerance = 1e-5;  ///< ends where the gradient's largest entry is no larger
  size_t memory = 10;       ///< pairs kept (m in the paper)
};

struct LbfgsResult {
  double value = 0;
  double largest_gradient = 0;
  int steps = 0;
  bool converged = false;  ///< else the steps ran out or none went down any more
};

/// Minimises a smooth function from x, in place, by limited-memory BFGS with
/// backtracking (Armijo, halving); pairs of too little curvature are left out.
/// Nocedal, Wright, "Numerical Optimization", 2006, algorithms 7.4, 7.5 and 3.1.
/// Sums run in index order.
///   function(x, gradient) -> value, writes gradient [x.size()]
LbfgsResult MinimiseLbfgs(const std::function<double(std::span<const double>, std::span<double>)>& function,
                          std::vector<double>& x, const LbfgsSettings& settings = {});

}  // namespace segue::math
