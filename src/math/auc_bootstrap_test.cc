#include "math/auc_bootstrap.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/auc.h"

namespace segue::math {
namespace {

struct Rows {
  std::vector<float> first, second;
  std::vector<uint8_t> positive;
};

/// Scores on a coarse scale, so that many are tied.
Rows MakeRows(size_t n) {
  Rows rows;
  Random random(3);
  for (size_t i = 0; i < n; ++i) {
    rows.positive.push_back(static_cast<uint8_t>(i % 3 == 0));
    for (auto* score : {&rows.first, &rows.second}) {
      score->push_back(std::round(4 * static_cast<float>(random.Normal() + (score == &rows.first ? 1.0 : 0.5) * rows.positive.back())) / 4);
    }
  }
  return rows;
}

/// AUC of one resample, by drawing its rows out and ranking them anew.
double DrawnAuc(const std::vector<float>& score, const std::vector<uint8_t>& positive, uint64_t seed, uint64_t k) {
  Random random(seed, k);
  std::vector<float> s;
  std::vector<uint8_t> p;
  for (size_t i = 0; i < score.size(); ++i) {
    const auto row = random.Below(static_cast<uint32_t>(score.size()));
    s.push_back(score[row]);
    p.push_back(positive[row]);
  }
  return Auc(s, p);
}

TEST(AucBootstrap, IsWhatDrawingRowsAndRankingThemAnewGives) {
  const Rows rows = MakeRows(60);
  constexpr int64_t kSamples = 201;
  std::vector<double> one, difference;
  for (uint64_t k = 0; k < kSamples; ++k) {
    const double a = DrawnAuc(rows.first, rows.positive, 9, k), b = DrawnAuc(rows.second, rows.positive, 9, k);
    one.push_back(a);
    difference.push_back(a - b);
  }
  std::sort(one.begin(), one.end());
  std::sort(difference.begin(), difference.end());
  const Interval of_one = BootstrapAuc(rows.first, rows.positive, kSamples, 0.9, 9);
  const Interval of_both = BootstrapAucDifference(rows.first, rows.second, rows.positive, kSamples, 0.9, 9);
  EXPECT_NEAR(of_one.low, one[10], 1e-12);
  EXPECT_NEAR(of_one.high, one[190], 1e-12);
  EXPECT_NEAR(of_both.low, difference[10], 1e-12);
  EXPECT_NEAR(of_both.high, difference[190], 1e-12);
  EXPECT_DOUBLE_EQ(of_both.mean, Auc(rows.first, rows.positive) - Auc(rows.second, rows.positive));
}

TEST(AucBootstrap, EqualScoresDifferByNothing) {
  const Rows rows = MakeRows(60);
  const Interval none = BootstrapAucDifference(rows.first, rows.first, rows.positive, 100, 0.95, 1);
  EXPECT_EQ(none.mean, 0);
  EXPECT_EQ(none.low, 0);
  EXPECT_EQ(none.high, 0);
}

TEST(AucBootstrap, OneClassAloneIsNotANumber) {
  const std::vector<float> score(10, 0.5f);
  const std::vector<uint8_t> positive(10, 1);
  EXPECT_TRUE(std::isnan(BootstrapAuc(score, positive, 50, 0.95, 1).mean));
  EXPECT_TRUE(std::isnan(BootstrapAucDifference(score, score, positive, 50, 0.95, 1).low));
}

}  // namespace
}  // namespace segue::math
