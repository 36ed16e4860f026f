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

/// Gain of a cut by its definition, from all rows.
double GainOf(const std::vector<float>& rows, size_t features, const std::vector<float>& g, const std::vector<float>& h, size_t f, float cut,
              bool missing_left, const TreeSettings& settings) {
  double gl = 0, hl = 0, gr = 0, hr = 0;
  size_t left = 0, right = 0;
  for (size_t r = 0; r < g.size(); ++r) {
    const float x = rows[r * features + f];
    const bool goes_left = std::isnan(x) ? missing_left : x <= cut;
    (goes_left ? gl : gr) += g[r];
    (goes_left ? hl : hr) += h[r];
    ++(goes_left ? left : right);
  }
  if (left < settings.min_child_rows || right < settings.min_child_rows) return -1;
  if (hl < settings.min_child_hessian || hr < settings.min_child_hessian) return -1;
  return gl * gl / (hl + settings.l2) + gr * gr / (hr + settings.l2) - (gl + gr) * (gl + gr) / (hl + hr + settings.l2);
}

TEST(Trees, TheFirstSplitIsTheBestThatBruteForceFinds) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    constexpr size_t n = 120, features = 3;
    std::vector<float> rows(n * features), g(n), h(n), predictions(n, 0.0f);
    for (float& x : rows) x = random.Uniform() < 0.2 ? kNaN : static_cast<float>(random.Below(30));
    for (float& x : g) x = static_cast<float>(random.Normal());
    for (float& x : h) x = static_cast<float>(random.Uniform());
    const TreeSettings settings{.depth = 1, .l2 = 0.5, .min_child_hessian = 2, .min_child_rows = 7};
    TreeGrower grower(rows, features, settings);
    Trees trees;
    grower.Grow(g, h, trees, predictions);
    double best = 0;
    for (size_t f = 0; f < features; ++f) {
      for (int cut = 0; cut < 30; ++cut) {
        for (const bool left : {false, true}) best = std::max(best, GainOf(rows, features, g, h, f, static_cast<float>(cut), left, settings));
      }
    }
    ASSERT_GE(trees.feature[0], 0);
    const double is = GainOf(rows, features, g, h, static_cast<size_t>(trees.feature[0]), trees.threshold[0], trees.missing_left[0] != 0, settings);
    EXPECT_NEAR(is, best, 1e-4 * best) << "seed " << seed;
    EXPECT_NEAR(grower.gain()[static_cast<size_t>(trees.feature[0])], best, 1e-4 * best);
  }
}

TEST(Trees, RowsOutsideTheSampleTeachNothingAndArePredicted) {
  Random random(12);
  constexpr size_t n = 600, features = 3;
  std::vector<float> rows(n * features), g(n), h(n, 1.0f);
  for (float& x : rows) x = random.Uniform() < 0.1 ? kNaN : static_cast<float>(random.Normal());
  for (float& x : g) x = static_cast<float>(random.Normal());
  std::vector<uint32_t> sample;
  for (uint32_t r = 0; r < n; r += 2) sample.push_back(r);
  const auto table = BinnedColumns::Of(rows, features);
  const TreeSettings settings{.depth = 4, .min_child_rows = 3};
  Trees trees, again;
  std::vector<float> predictions(n, 0.0f), ignored(n, 0.0f);
  TreeGrower(table, settings).Grow(g, h, trees, predictions, {sample, {}});
  for (size_t r = 0; r < n; ++r) EXPECT_EQ(predictions[r], TreesView(trees).Predict(rows.data() + r * features));
  for (size_t r = 1; r < n; r += 2) g[r] = 1000;
  TreeGrower(table, settings).Grow(g, h, again, ignored, {sample, {}});
  EXPECT_EQ(again.threshold, trees.threshold);
  EXPECT_EQ(again.value, trees.value);
}

TEST(Trees, OnlyFeaturesOfTheSampleAreSplitOn) {
  Random random(13);
  std::vector<float> rows(500 * 4), g(500), h(500, 1.0f), predictions(500, 0.0f);
  for (float& x : rows) x = static_cast<float>(random.Normal());
  for (size_t r = 0; r < 500; ++r) g[r] = rows[r * 4];
  const std::vector<uint32_t> features = {1, 3};
  Trees trees;
  TreeGrower(rows, 4, {.depth = 5, .min_child_rows = 2}).Grow(g, h, trees, predictions, {{}, features});
  EXPECT_GT(trees.feature.size(), 5u);
  for (const int32_t f : trees.feature) EXPECT_TRUE(f == -1 || f == 1 || f == 3) << f;
}

TEST(Trees, ALimitOfLeavesKeepsTheBestSplits) {
  Random random(14);
  std::vector<float> rows(1000 * 3), y(1000);
  for (float& x : rows) x = static_cast<float>(random.Normal());
  for (size_t r = 0; r < 1000; ++r) y[r] = rows[r * 3] > 1 ? 5 * rows[r * 3 + 1] : 0.1f * rows[r * 3 + 2];
  TreeSettings settings{.depth = 6, .learning_rate = 1, .l2 = 0, .min_child_rows = 5};
  const auto loss = [&](const Trees& trees) {
    double sum = 0;
    for (size_t r = 0; r < 1000; ++r) sum += std::pow(TreesView(trees).Predict(rows.data() + r * 3) - y[r], 2);
    return sum;
  };
  const Trees full = Fit(rows, 3, y, settings, 1);
  settings.leaves = 64;
  EXPECT_NEAR(loss(Fit(rows, 3, y, settings, 1)), loss(full), 1e-3) << "as many as the depth allows: the same splits";
  settings.leaves = 8;
  const Trees best = Fit(rows, 3, y, settings, 1);
  EXPECT_EQ(best.feature.size(), 15u);
  settings.leaves = 0;
  settings.depth = 3;
  const Trees level = Fit(rows, 3, y, settings, 1);
  EXPECT_LE(level.feature.size(), 15u);
  EXPECT_LT(loss(best), loss(level)) << "the tail of one side is worth more than a full third level";
}

TEST(Trees, GradientsThatAreNoNumbersChangeNothing) {
  for (const float bad : {kNaN, std::numeric_limits<float>::infinity()}) {
    std::vector<float> rows = {1, 2, 3, 4}, g = {1, bad, -1, 1}, h(4, 1.0f), predictions(4, 0.5f);
    Trees trees;
    TreeGrower(rows, 1, kExact).Grow(g, h, trees, predictions);
    EXPECT_EQ(predictions, std::vector<float>(4, 0.5f));
    EXPECT_EQ(TreesView(trees).Predict(rows.data()), 0.0f);
  }
}

TEST(Trees, TinyAndHugeGradientsAreScaledAlike) {
  for (const float scale : {1e-30f, 1e-6f, 1.0f, 1e6f, 1e30f}) {
    std::vector<float> rows = {1, 2, 3, 4, 5}, g = {-1, -1, -1, -7, -7}, h(5, 1.0f), predictions(5, 0.0f);
    for (float& x : g) x *= scale;
    Trees trees;
    TreeGrower(rows, 1, {.depth = 1, .learning_rate = 1, .l2 = 0, .min_child_rows = 1}).Grow(g, h, trees, predictions);
    if (scale < 1e-6f) continue;  // gains below 1e-12 are no splits
    ASSERT_EQ(trees.feature.size(), 3u);
    EXPECT_EQ(trees.threshold[0], 3.5f);
    EXPECT_FLOAT_EQ(predictions[4], 7 * scale);
  }
}

}  // namespace
}  // namespace segue::math
