#include "train/mlp_gradient.h"

#include <cmath>

#include <gtest/gtest.h>

namespace segue::train {
namespace {

TEST(MlpGradient, IsTheSlopeOfTheLossAlongAnyDirection) {
  const models::MlpShape shape{16, {32, 16}, 3};
  Random random(1);
  constexpr size_t n = 24;
  std::vector<float> z(n * shape.inputs), w(shape.size(), 0.0f), gradient(shape.size());
  std::vector<int32_t> y(n);
  for (float& v : z) v = static_cast<float>(random.Normal());
  for (int32_t& v : y) v = static_cast<int32_t>(random.Below(3));
  for (size_t i = 0; i < w.size(); ++i) w[i] = static_cast<float>(0.3 * random.Normal());
  MlpWorkspace workspace;
  MlpGradient(shape, w.data(), z.data(), y.data(), n, 0, nullptr, workspace, gradient);
  std::vector<float> ignored(shape.size());
  for (int direction = 0; direction < 5; ++direction) {
    std::vector<float> d(shape.size());
    double slope = 0;
    for (size_t i = 0; i < d.size(); ++i) {
      d[i] = static_cast<float>(random.Normal());
      slope += static_cast<double>(d[i]) * static_cast<double>(gradient[i]);
    }
    constexpr float step = 1e-3f;
    std::vector<float> up = w, down = w;
    for (size_t i = 0; i < d.size(); ++i) {
      up[i] += step * d[i];
      down[i] -= step * d[i];
    }
    const double difference = MlpGradient(shape, up.data(), z.data(), y.data(), n, 0, nullptr, workspace, ignored) -
                              MlpGradient(shape, down.data(), z.data(), y.data(), n, 0, nullptr, workspace, ignored);
    EXPECT_NEAR(difference / (2 * static_cast<double>(step)), slope, 0.02 * std::abs(slope) + 0.01);
  }
}

TEST(MlpGradient, PadsGetNoGradient) {
  const models::MlpShape shape{16, {16, 16}, 2};
  std::vector<float> z(4 * 16, 0.0f), w(shape.size(), 0.1f), gradient(shape.size(), 1.0f);
  for (size_t r = 0; r < 4; ++r) z[r * 16] = static_cast<float>(r) - 1;
  const std::vector<int32_t> y = {0, 1, 1, 0};
  MlpWorkspace workspace;
  MlpGradient(shape, w.data(), z.data(), y.data(), 4, 0, nullptr, workspace, gradient);
  for (size_t input = 1; input < 16; ++input) EXPECT_EQ(gradient[shape.w1() + input * 16], 0);  // inputs that are 0
  for (size_t c = 2; c < 16; ++c) EXPECT_EQ(gradient[shape.b3() + c], 0);                       // classes that are none
}

TEST(Adam, WalksToTheBottomOfABowl) {
  std::vector<float> w = {3, -2};
  Adam adam(2);
  for (int step = 0; step < 2000; ++step) adam.Step(std::vector<float>{2 * w[0], 20 * w[1]}, 0.01, 0, w);
  EXPECT_NEAR(w[0], 0, 1e-2);
  EXPECT_NEAR(w[1], 0, 1e-2);
}

}  // namespace
}  // namespace segue::train
