#include "math/kernels/kernels.h"

#include <algorithm>
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

/// Confidences whose roots are whole: 1 + 0, 1, 4, 9, some of them dislikes.
std::vector<float> WholeRoots(size_t s) {
  std::vector<float> c;
  for (size_t k = 0; k < s; ++k) c.push_back(static_cast<float>(1 + (k % 4) * (k % 4)) * (k % 3 == 2 ? -1.0f : 1.0f));
  return c;
}

TEST_P(EveryKernelSet, AddConfidentIsAddOuterAndAddRowsOfTheConfidences) {
  for (const size_t d : {3, 16, 40, 64, 100, 520}) {
    for (const size_t s : {1, 31, 70}) {
      const size_t stride = PaddedTo(d);
      const auto y = SmallIntegers(90, stride, d, 8);
      const auto c = WholeRoots(s);
      std::vector<uint32_t> rows;
      std::vector<float> extra, target;
      for (uint32_t k = 0; k < s; ++k) {
        rows.push_back(k * 37 % 90);
        extra.push_back(std::fabs(c[k]) - 1);
        target.push_back(std::max(0.0f, c[k]));
      }
      std::vector<float> a(stride * stride, 2.0f), b(stride, 1.0f);
      GetParam()->add_confident(a.data(), b.data(), stride, y.data(), rows.data(), c.data(), s);
      std::vector<float> slow_a(stride * stride, 2.0f), slow_b(stride, 1.0f);
      for (size_t k = 0; k < s; ++k) {
        const float* row = y.data() + rows[k] * stride;
        for (size_t i = 0; i < d; ++i) {
          slow_b[i] += target[k] * row[i];
          for (size_t j = i; j < d; ++j) slow_a[i * stride + j] += extra[k] * row[i] * row[j];
        }
      }
      for (size_t i = 0; i < d; ++i) {
        ASSERT_EQ(b[i], slow_b[i]) << "d " << d << " s " << s << " factor " << i;
        for (size_t j = i; j < d; ++j) ASSERT_EQ(a[i * stride + j], slow_a[i * stride + j]) << "d " << d << " s " << s << " at " << i << "," << j;
      }
    }
  }
}

TEST_P(EveryKernelSet, GatherColumnsTurnsScaledRowsOnTheirSide) {
  for (const size_t d : {5, 16, 40, 128}) {
    for (const size_t s : {1, 7, 16, 33}) {
      const size_t stride = PaddedTo(d);
      const size_t width = PaddedTo(s);
      const auto y = SmallIntegers(60, stride, d, 9);
      const auto c = WholeRoots(s);
      std::vector<uint32_t> rows;
      for (uint32_t k = 0; k < s; ++k) rows.push_back(k * 23 % 60);
      std::vector<float> scale(stride, 0.0f);
      for (size_t j = 0; j < d; ++j) scale[j] = static_cast<float>(1 + j % 3);
      std::vector<float> z(stride * width, 7.0f), b(stride, 1.0f);
      GetParam()->gather_columns(z.data(), width, b.data(), y.data(), stride, rows.data(), c.data(), s, scale.data());
      for (size_t j = 0; j < stride; ++j) {
        float sum = 1;
        for (size_t k = 0; k < width; ++k) {
          const float value = k < s ? scale[j] * y[rows[k] * stride + j] : 0.0f;
          if (k < s) sum += std::max(0.0f, c[k]) * value;
          ASSERT_EQ(z[j * width + k], k < s ? std::sqrt(std::fabs(c[k]) - 1) * value : 0.0f) << "d " << d << " s " << s << " at " << j << "," << k;
        }
        ASSERT_EQ(b[j], sum) << "d " << d << " s " << s << " factor " << j;
      }
    }
  }
}

TEST_P(EveryKernelSet, ProductsAreTheDotsOfRowsWithColumns) {
  for (const size_t d : {1, 16, 40}) {
    for (const size_t n : {1, 8, 21}) {
      const size_t stride = PaddedTo(d);
      const size_t columns = 32;
      const auto y = SmallIntegers(n, stride, d, 10);
      auto x = SmallIntegers(stride, columns, columns, 11);
      std::vector<float> out(n * columns, 9.0f);
      GetParam()->products(y.data(), n, stride, x.data(), columns, out.data());
      for (size_t i = 0; i < n; ++i) {
        for (size_t c = 0; c < columns; ++c) {
          float sum = 0;
          for (size_t k = 0; k < stride; ++k) sum += y[i * stride + k] * x[k * columns + c];
          ASSERT_EQ(out[i * columns + c], sum) << "d " << d << " n " << n << " at " << i << "," << c;
        }
      }
    }
  }
}

TEST_P(EveryKernelSet, InverseRootsAreOneByTheRoot) {
  std::vector<float> values(37, 0.0f), out(37);
  for (size_t j = 0; j < values.size(); ++j) values[j] = static_cast<float>(j);
  GetParam()->inverse_roots(values.data(), 0.5f, values.size(), out.data());
  for (size_t j = 0; j < values.size(); ++j) EXPECT_NEAR(out[j], 1 / std::sqrt(static_cast<double>(j) + 0.5), 1e-6);
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernelSet, testing::ValuesIn(UsableKernels().begin(), UsableKernels().end()),
                         [](const auto& set) { return std::string(set.param->name); });

}  // namespace
}  // namespace segue::math
