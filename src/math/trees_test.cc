#include "math/trees.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Least squares: gradient = prediction - y, hessian 1.
Trees Fit(const std::vector<float>& rows, size_t features, const std::vector<float>& y, const TreeSettings& settings, int trees) {
  TreeGrower grower(rows, features, settings);
  Trees result;
  std::vector<float> predictions(y.size(), 0.0f), gradient(y.size()), hessian(y.size(), 1.0f);
  for (int t = 0; t < trees; ++t) {
    for (size_t i = 0; i < y.size(); ++i) gradient[i] = predictions[i] - y[i];
    grower.Grow(gradient, hessian, result, predictions);
  }
  return result;
}

const TreeSettings kExact{.depth = 3, .learning_rate = 1, .l2 = 0, .min_child_hessian = 1, .min_child_rows = 1};

TEST(Trees, OneSplitTakesTheCutThatLowersTheSquaresMost) {
  // By hand: cutting between 3 and 4 leaves no error.
  const Trees trees = Fit({1, 2, 3, 4, 5}, 1, {1, 1, 1, 7, 7}, {.depth = 1, .learning_rate = 1, .l2 = 0, .min_child_rows = 1}, 1);
  const TreesView view(trees);
  ASSERT_EQ(trees.feature.size(), 3u);
  EXPECT_EQ(trees.threshold[0], 3.5f);
  for (const float x : {-9.0f, 1.0f, 3.0f}) EXPECT_EQ(view.Predict(&x), 1.0f);
  for (const float x : {4.0f, 99.0f}) EXPECT_EQ(view.Predict(&x), 7.0f);
}

TEST(Trees, LeavesAreShrunkByTheirPenalty) {
  // Two rows of gradient -4 each: -(-8) / (2 + 2) = 2.
  const Trees trees = Fit({1, 1}, 1, {4, 4}, {.depth = 1, .learning_rate = 1, .l2 = 2, .min_child_rows = 1}, 1);
  const float x = 1;
  EXPECT_FLOAT_EQ(TreesView(trees).Predict(&x), 2.0f);
}

TEST(Trees, MissingValuesGoToTheSideThatFitsThem) {
  const std::vector<float> rows = {1, 2, 8, 9, kNaN, kNaN};
  for (const float missing : {0.0f, 5.0f}) {
    const Trees trees = Fit(rows, 1, {0, 0, 5, 5, missing, missing}, kExact, 1);
    const float none = kNaN;
    EXPECT_FLOAT_EQ(TreesView(trees).Predict(&none), missing);
  }
}

TEST(Trees, PredictionsWhileGrowingAreThoseOfTheTrees) {
  Random random(4);
  constexpr size_t n = 700, features = 4;
  std::vector<float> rows(n * features), y(n);
  for (float& x : rows) x = random.Uniform() < 0.1 ? kNaN : static_cast<float>(random.Normal());
  for (float& value : y) value = static_cast<float>(random.Normal());
  TreeGrower grower(rows, features, {.depth = 5, .min_child_rows = 5});
  Trees trees;
  std::vector<float> predictions(n, 0.0f), gradient(n), hessian(n, 1.0f);
  for (int t = 0; t < 7; ++t) {
    for (size_t i = 0; i < n; ++i) gradient[i] = predictions[i] - y[i];
    grower.Grow(gradient, hessian, trees, predictions);
  }
  const TreesView view(trees);
  EXPECT_TRUE(view.Sound(features));
  for (size_t i = 0; i < n; ++i) EXPECT_NEAR(view.Predict(rows.data() + i * features), predictions[i], 1e-5);
}

TEST(Trees, EveryTreeLowersTheLossAndTheRightFeatureGains) {
  Random random(6);
  constexpr size_t n = 2000;
  std::vector<float> rows(n * 3), y(n);
  for (float& x : rows) x = static_cast<float>(random.Normal());
  for (size_t i = 0; i < n; ++i) y[i] = std::sin(2 * rows[i * 3 + 1]);
  TreeGrower grower(rows, 3, {.depth = 4, .learning_rate = 0.3});
  Trees trees;
  std::vector<float> predictions(n, 0.0f), gradient(n), hessian(n, 1.0f);
  double last = INFINITY;
  for (int t = 0; t < 30; ++t) {
    double loss = 0;
    for (size_t i = 0; i < n; ++i) {
      gradient[i] = predictions[i] - y[i];
      loss += gradient[i] * gradient[i];
    }
    EXPECT_LT(loss, last);
    last = loss;
    grower.Grow(gradient, hessian, trees, predictions);
  }
  EXPECT_LT(last / n, 0.02);
  EXPECT_GT(grower.gain()[1], 20 * (grower.gain()[0] + grower.gain()[2]));
}

TEST(Trees, TheSameTreesForAnyNumberOfThreads) {
  Random random(8);
  std::vector<float> rows(5000 * 6), y(5000);
  for (float& x : rows) x = static_cast<float>(random.Normal());
  for (float& value : y) value = static_cast<float>(random.Normal());
  Trees one;
  WithThreads(1, [&] { one = Fit(rows, 6, y, {}, 5); });
  for (const int threads : {2, 3}) {
    Trees other;
    WithThreads(threads, [&] { other = Fit(rows, 6, y, {}, 5); });
    EXPECT_EQ(other.threshold, one.threshold);
    EXPECT_EQ(other.value, one.value);
  }
}

TEST(Trees, ConstantFeaturesAndNoRowsAreNoTrouble) {
  const Trees constant = Fit({1, 1, 1, 1}, 1, {2, 2, 2, 2}, kExact, 2);
  const float x = 1;
  EXPECT_FLOAT_EQ(TreesView(constant).Predict(&x), 2.0f);
  const Trees none = Fit({}, 2, {}, kExact, 1);
  const float row[2] = {0, kNaN};
  EXPECT_EQ(TreesView(none).Predict(row), 0.0f);
}

TEST(Trees, WildNodesAreNotSound) {
  Trees trees = Fit({1, 2, 3, 4, 5}, 1, {1, 1, 1, 7, 7}, kExact, 1);
  EXPECT_TRUE(TreesView(trees).Sound(1));
  Trees back = trees;
  back.left[0] = 0;
  EXPECT_FALSE(TreesView(back).Sound(1));
  Trees far = trees;
  far.left[0] = 1000;
  EXPECT_FALSE(TreesView(far).Sound(1));
  Trees feature = trees;
  feature.feature[0] = 1;
  EXPECT_FALSE(TreesView(feature).Sound(1));
}

}  // namespace
}  // namespace segue::math
