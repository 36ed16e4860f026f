#include "math/nearest.h"

#include <algorithm>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

/// The slow twin: every distance, then a sort.
std::vector<NearRow> ByHand(const std::vector<float>& y, size_t n, const float* x, size_t stride, size_t k) {
  std::vector<NearRow> all;
  for (size_t i = 0; i < n; ++i) {
    float square = 0;
    for (size_t c = 0; c < stride; ++c) square += (y[i * stride + c] - x[c]) * (y[i * stride + c] - x[c]);
    all.push_back({static_cast<uint32_t>(i), square});
  }
  std::stable_sort(all.begin(), all.end(), [](const NearRow& a, const NearRow& b) { return a.square < b.square; });
  all.resize(k);
  return all;
}

TEST(Nearest, FindsWhatSortingAllDistancesFinds) {
  // Small integers: every distance is exact, and there are many equals.
  constexpr size_t n = 1000, m = 77, stride = 16, k = 11;
  Random random(1);
  std::vector<float> y(n * stride, 0.0f), x(m * stride, 0.0f);
  for (size_t i = 0; i < n; ++i) for (size_t c = 0; c < 5; ++c) y[i * stride + c] = static_cast<float>(random.Below(60));
  for (size_t i = 0; i < m; ++i) for (size_t c = 0; c < 5; ++c) x[i * stride + c] = static_cast<float>(random.Below(60));
  std::vector<NearRow> out(m * k);
  NearestRows(y.data(), n, x.data(), m, stride, k, out);
  for (size_t q = 0; q < m; ++q) {
    const auto expected = ByHand(y, n, x.data() + q * stride, stride, k);
    for (size_t j = 0; j < k; ++j) EXPECT_EQ(out[q * k + j].square, expected[j].square) << q << " " << j;
  }
}

TEST(Nearest, ARowThatIsThereHasDistanceZeroFarFromTheOriginToo) {
  constexpr size_t n = 300, stride = 16;
  Random random(2);
  std::vector<float> y(n * stride, 0.0f);
  for (size_t i = 0; i < n; ++i) for (size_t c = 0; c < 7; ++c) y[i * stride + c] = 100 + static_cast<float>(random.Normal());
  std::vector<NearRow> out(n);
  NearestRows(y.data(), n, y.data(), n, stride, 1, out);
  for (size_t q = 0; q < n; ++q) {
    EXPECT_EQ(out[q].row, q);
    EXPECT_EQ(out[q].square, 0);
  }
}

TEST(Nearest, AllRowsCanBeAskedFor) {
  constexpr size_t n = 5, stride = 16;
  std::vector<float> y(n * stride, 0.0f);
  for (size_t i = 0; i < n; ++i) y[i * stride] = static_cast<float>(i);
  const std::vector<float> x(stride, 0.0f);
  std::vector<NearRow> out(n);
  NearestRows(y.data(), n, x.data(), 1, stride, n, out);
  for (size_t j = 0; j < n; ++j) EXPECT_EQ(out[j].row, j);
}

}  // namespace
}  // namespace segue::math
