#include "math/lbfgs.h"

#include <gtest/gtest.h>

namespace segue::math {
namespace {

TEST(Lbfgs, FindsTheBottomOfRosenbrocksValley) {
  std::vector<double> x = {-1.2, 1};
  const auto result = MinimiseLbfgs(
      [](std::span<const double> p, std::span<double> g) {
        const double a = 1 - p[0], b = p[1] - p[0] * p[0];
        g[0] = -2 * a - 400 * p[0] * b;
        g[1] = 200 * b;
        return a * a + 100 * b * b;
      },
      x);
  EXPECT_TRUE(result.converged);
  EXPECT_NEAR(x[0], 1, 1e-4);
  EXPECT_NEAR(x[1], 1, 1e-4);
}

TEST(Lbfgs, StaysWhereTheGradientIsZero) {
  std::vector<double> x = {0, 0, 0};
  const auto result = MinimiseLbfgs(
      [](std::span<const double> p, std::span<double> g) {
        double sum = 0;
        for (size_t i = 0; i < p.size(); ++i) {
          g[i] = 2 * p[i];
          sum += p[i] * p[i];
        }
        return sum;
      },
      x);
  EXPECT_TRUE(result.converged);
  EXPECT_EQ(result.steps, 0);
}

TEST(Lbfgs, SaysWhenTheStepsRanOut) {
  std::vector<double> x = {-1.2, 1};
  const auto result = MinimiseLbfgs(
      [](std::span<const double> p, std::span<double> g) {
        g[0] = 4 * p[0] * p[0] * p[0];
        g[1] = 1e-3 * p[1];
        return p[0] * p[0] * p[0] * p[0] + 5e-4 * p[1] * p[1];
      },
      x, {.most_steps = 2});
  EXPECT_FALSE(result.converged);
  EXPECT_EQ(result.steps, 2);
}

}  // namespace
}  // namespace segue::math
