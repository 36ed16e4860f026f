#include "math/auc.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue::math {
namespace {

TEST(Auc, CountsTheFourPairsOfATextbookCase) {
  const std::vector<float> scores = {0.1f, 0.4f, 0.35f, 0.8f};
  const std::vector<uint8_t> positive = {0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(Auc(scores, positive), 0.75);
}

TEST(Auc, TiesCountHalf) {
  EXPECT_DOUBLE_EQ(Auc(std::vector<float>{1, 1}, std::vector<uint8_t>{0, 1}), 0.5);
  EXPECT_DOUBLE_EQ(Auc(std::vector<float>{0, 1, 1, 2}, std::vector<uint8_t>{0, 0, 1, 1}), 0.875);
}

TEST(Auc, IsNotANumberWhereOneSideIsEmpty) {
  EXPECT_TRUE(std::isnan(Auc(std::vector<float>{1, 2}, std::vector<uint8_t>{1, 1})));
  EXPECT_TRUE(std::isnan(Auc({}, {})));
}

TEST(Auc, IsTheShareOfPairsInOrderByCountingThemAll) {
  Random random(3);
  std::vector<float> scores;
  std::vector<uint8_t> positive;
  for (int i = 0; i < 400; ++i) {
    positive.push_back(static_cast<uint8_t>(random.Below(3) == 0));
    scores.push_back(static_cast<float>(random.Below(40) + 5u * positive.back()));
  }
  double pairs = 0, right = 0;
  for (size_t i = 0; i < scores.size(); ++i) {
    for (size_t j = 0; j < scores.size(); ++j) {
      if (positive[i] == 0 || positive[j] != 0) continue;
      pairs += 1;
      right += scores[i] > scores[j] ? 1 : scores[i] == scores[j] ? 0.5 : 0;
    }
  }
  EXPECT_DOUBLE_EQ(Auc(scores, positive), right / pairs);
}

}  // namespace
}  // namespace segue::math
