#include "math/inverse.h"

#include <cmath>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

/// XᵀX + n·I of random X.
SymmetricMatrix Positive(size_t n) {
  Random random(n);
  std::vector<double> x(n * n);
  for (double& value : x) value = random.Normal();
  SymmetricMatrix a(n);
  for (size_t i = 0; i < n; ++i) {
    for (size_t j = 0; j < n; ++j) {
      double sum = i == j ? static_cast<double>(n) : 0;
      for (size_t k = 0; k < n; ++k) sum += x[k * n + i] * x[k * n + j];
      a.Row(i)[j] = static_cast<float>(sum);
    }
  }
  return a;
}

TEST(Inverse, TimesTheMatrixIsTheUnitMatrix) {
  for (const size_t n : {1u, 2u, 63u, 64u, 65u, 200u}) {
    const SymmetricMatrix a = Positive(n);
    SymmetricMatrix inverse = a;
    ASSERT_TRUE(inverse.Invert());
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) {
        double sum = 0;
        for (size_t k = 0; k < n; ++k) sum += static_cast<double>(a.Row(i)[k]) * inverse.Row(k)[j];
        EXPECT_NEAR(sum, i == j ? 1 : 0, 2e-5) << n << ": " << i << ", " << j;
      }
    }
  }
}

TEST(Inverse, WhatIsNotPositiveDefiniteIsRefused) {
  SymmetricMatrix a(3);
  a.Row(0)[0] = 1;
  a.Row(1)[1] = -1;
  a.Row(2)[2] = 1;
  EXPECT_FALSE(a.Invert());
}

TEST(Inverse, TheSameBytesForAnyNumberOfThreads) {
  SymmetricMatrix one = Positive(150);
  SymmetricMatrix three = one;
  WithThreads(1, [&] { one.Invert(); });
  WithThreads(3, [&] { three.Invert(); });
  for (size_t i = 0; i < 150; ++i) {
    for (size_t j = 0; j < 150; ++j) EXPECT_EQ(one.Row(i)[j], three.Row(i)[j]);
  }
}

}  // namespace
}  // namespace segue::math
