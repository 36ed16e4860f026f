#include "math/eigen.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

TEST(Eigen, OfATwoByTwoByHand) {
  const std::vector<float> a = {2, 1, 0, 2};  // the lower triangle is not looked at
  const Eigen eigen = SymmetricEigen(a, 2, 2);
  EXPECT_NEAR(eigen.values[0], 3, 1e-12);
  EXPECT_NEAR(eigen.values[1], 1, 1e-12);
}

TEST(Eigen, VectorsAreOrthogonalAndGiveTheMatrixBack) {
  for (const size_t d : {1u, 2u, 3u, 17u, 64u}) {
    const size_t stride = d + 3;
    Random random(d);
    std::vector<float> rows(2 * d * d), a(stride * stride, 0.0f);
    for (float& x : rows) x = static_cast<float>(random.Normal());
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = i; j < d; ++j) {
        for (size_t k = 0; k < 2 * d; ++k) a[i * stride + j] += rows[k * d + i] * rows[k * d + j];
      }
    }
    const Eigen eigen = SymmetricEigen(a, stride, d);
    for (size_t i = 0; i < d; ++i) {
      for (size_t j = 0; j < d; ++j) {
        double product = 0;
        double back = 0;
        for (size_t k = 0; k < d; ++k) {
          product += eigen.vectors[k * d + i] * eigen.vectors[k * d + j];
          back += eigen.vectors[i * d + k] * eigen.values[k] * eigen.vectors[j * d + k];
        }
        EXPECT_NEAR(product, i == j ? 1 : 0, 1e-10);
        EXPECT_NEAR(back, a[std::min(i, j) * stride + std::max(i, j)], 1e-9 * static_cast<double>(d * d));
      }
      EXPECT_LE(eigen.values[i], eigen.values[i > 0 ? i - 1 : 0]);
    }
  }
}

TEST(Eigen, ZeroAndSingularMatricesHaveZeroValues) {
  const Eigen zero = SymmetricEigen(std::vector<float>(16, 0.0f), 4, 4);
  for (const double value : zero.values) EXPECT_EQ(value, 0);
  const Eigen one = SymmetricEigen(std::vector<float>(16, 1.0f), 4, 4);
  EXPECT_NEAR(one.values[0], 4, 1e-9);
  EXPECT_NEAR(one.values[3], 0, 1e-9);
}

}  // namespace
}  // namespace segue::math
