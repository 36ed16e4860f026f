#include "math/kernels/kernels.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

/// Small integers: float sums of them are exact, in any order.
std::vector<float> SmallIntegers(size_t n, size_t stride, size_t d, uint64_t seed) {
  Random random(seed);
  std::vector<float> y(n * stride, 0.0f);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < d; ++j) y[i * stride + j] = static_cast<float>(random.Below(7)) - 3.0f;
  }
  return y;
}

class EveryKernelSet : public testing::TestWithParam<const Kernels*> {};

TEST_P(EveryKernelSet, DotsAreTheSumsOfProducts) {
  for (const size_t d : {1, 7, 16, 64, 100}) {
    const size_t stride = PaddedTo(d);
    const auto y = SmallIntegers(13, stride, d, 1);
    const auto x = SmallIntegers(1, stride, d, 2);
    std::vector<float> out(13);
    GetParam()->dots(y.data(), 13, stride, x.data(), out.data());
    for (size_t i = 0; i < 13; ++i) {
      float expected = 0;
      for (size_t j = 0; j < d; ++j) expected += y[i * stride + j] * x[j];
      EXPECT_EQ(out[i], expected) << "d " << d << " row " << i;
    }
  }
}

TEST_P(EveryKernelSet, AddOuterAddsWeightedOuterProducts) {
  for (const size_t d : {3, 16, 40, 520}) {
    const size_t stride = PaddedTo(d);
    const auto y = SmallIntegers(70, stride, d, 3);
    std::vector<uint32_t> rows;
    std::vector<float> weight;
    for (uint32_t k = 0; k < 70; k += 2) {
      rows.push_back(k);
      weight.push_back(static_cast<float>(k % 5));
    }
    std::vector<float> a(stride * stride, 1.0f);
    GetParam()->add_outer(a.data(), stride, y.data(), rows.data(), weight.data(), rows.size());
    for (size_t r = 0; r < d; r += 3) {
      for (size_t c = r; c < d; ++c) {
        float expected = 1;
        for (size_t k = 0; k < rows.size(); ++k) expected += weight[k] * y[rows[k] * stride + r] * y[rows[k] * stride + c];
        ASSERT_EQ(a[r * stride + c], expected) << "d " << d << " at " << r << "," << c;
      }
    }
  }
}

TEST_P(EveryKernelSet, AddOuterTakesAllRowsAndUnitWeightsByDefault) {
  const auto y = SmallIntegers(9, 16, 16, 4);
  std::vector<float> a(256, 0.0f);
  GetParam()->add_outer(a.data(), 16, y.data(), nullptr, nullptr, 9);
  float expected = 0;
  for (size_t k = 0; k < 9; ++k) expected += y[k * 16 + 2] * y[k * 16 + 11];
  EXPECT_EQ(a[2 * 16 + 11], expected);
}

TEST_P(EveryKernelSet, SolutionsSatisfyTheNormalEquations) {
  for (const size_t d : {1, 5, 16, 33, 64, 128}) {
    const size_t stride = PaddedTo(d);
    const auto y = SmallIntegers(3 * d, stride, d, 5);
    std::vector<float> a(stride * stride, 0.0f);
    for (size_t j = 0; j < d; ++j) a[j * stride + j] = 10;
    GetParam()->add_outer(a.data(), stride, y.data(), nullptr, nullptr, 3 * d);
    const std::vector<float> original = a;
    std::vector<float> x(stride, 0.0f);
    for (size_t j = 0; j < d; ++j) x[j] = static_cast<float>(j % 4) - 1.5f;
    const std::vector<float> b = x;
    ASSERT_TRUE(GetParam()->cholesky(a.data(), stride, d));
    GetParam()->solve(a.data(), stride, d, x.data());
    for (size_t r = 0; r < d; ++r) {
      double residual = -b[r];
      for (size_t c = 0; c < d; ++c) {
        residual += static_cast<double>(original[std::min(r, c) * stride + std::max(r, c)]) * x[c];
      }
      EXPECT_NEAR(residual, 0, 2e-3) << "d " << d << " equation " << r;
    }
    for (size_t j = d; j < stride; ++j) EXPECT_EQ(x[j], 0.0f) << "pads stay zero";
  }
}

TEST_P(EveryKernelSet, CholeskyRefusesAMatrixThatIsNotPositiveDefinite) {
  std::vector<float> a(256, 0.0f);
  a[0] = 1;
  a[1] = 2;
  a[17] = 1;  // the second pivot is 1 - 4
  EXPECT_FALSE(GetParam()->cholesky(a.data(), 16, 2));
  std::vector<float> zero(256, 0.0f);
  EXPECT_FALSE(GetParam()->cholesky(zero.data(), 16, 1));
}

TEST_P(EveryKernelSet, AddRowsAddsWeightedRows) {
  const auto y = SmallIntegers(5, 16, 16, 6);
  std::vector<float> x(16, 1.0f);
  const std::vector<uint32_t> rows = {4, 0};
  const std::vector<float> weight = {2, -3};
  GetParam()->add_rows(x.data(), 16, y.data(), rows.data(), weight.data(), 2);
  for (size_t j = 0; j < 16; ++j) EXPECT_EQ(x[j], 1 + 2 * y[4 * 16 + j] - 3 * y[j]);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernelSet, testing::ValuesIn(UsableKernels().begin(), UsableKernels().end()),
                         [](const auto& set) { return std::string(set.param->name); });

}  // namespace
}  // namespace segue::math
