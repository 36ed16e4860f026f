#include "evaluate/metrics.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

namespace segue::evaluate {
namespace {

// The list of every case: misses at 1, 3, 5, hits at 2 and 4; three relevant.
const std::vector<uint8_t> kList = {0, 1, 0, 1, 0};
const std::vector<uint8_t> kMisses = {0, 0, 0};

TEST(Metrics, ReciprocalRankIsOneOverTheFirstHit) {
  EXPECT_DOUBLE_EQ(ReciprocalRank(kList), 0.5);
  EXPECT_DOUBLE_EQ(ReciprocalRank(kMisses), 0);
  EXPECT_DOUBLE_EQ(ReciprocalRank({}), 0);
}

TEST(Metrics, HitRateLooksAtTheFirstN) {
  EXPECT_EQ(HitRate(kList, 1), 0);
  EXPECT_EQ(HitRate(kList, 2), 1);
  EXPECT_EQ(HitRate(kList, 100), 1);
}

TEST(Metrics, PrecisionDividesByNEvenWhereTheListIsShorter) {
  EXPECT_DOUBLE_EQ(Precision(kList, 2), 0.5);
  EXPECT_DOUBLE_EQ(Precision(kList, 4), 0.5);
  EXPECT_DOUBLE_EQ(Precision(kList, 10), 0.2);
}

TEST(Metrics, RecallDividesByAllThatIsRelevant) {
  EXPECT_DOUBLE_EQ(Recall(kList, 2, 3), 1.0 / 3);
  EXPECT_DOUBLE_EQ(Recall(kList, 5, 3), 2.0 / 3);
  EXPECT_DOUBLE_EQ(Recall(kList, 5, 0), 0);
}

TEST(Metrics, NdcgComparesWithThePerfectList) {
  const double gain = 1 / std::log2(3.0) + 1 / std::log2(5.0);
  const double ideal = 1 + 1 / std::log2(3.0) + 1 / 2.0;
  EXPECT_DOUBLE_EQ(Ndcg(kList, 5, 3), gain / ideal);
  EXPECT_DOUBLE_EQ(Ndcg(kList, 2, 3), (1 / std::log2(3.0)) / (1 + 1 / std::log2(3.0)));
  EXPECT_DOUBLE_EQ(Ndcg(std::vector<uint8_t>{1, 1, 1}, 10, 3), 1);
  EXPECT_DOUBLE_EQ(Ndcg(kList, 5, 0), 0);
}

TEST(Metrics, AveragePrecisionAddsPrecisionAtEachHit) {
  EXPECT_DOUBLE_EQ(AveragePrecision(kList, 5, 3), (1.0 / 2 + 2.0 / 4) / 3);
  EXPECT_DOUBLE_EQ(AveragePrecision(kList, 2, 3), (1.0 / 2) / 2);
  EXPECT_DOUBLE_EQ(AveragePrecision(kMisses, 3, 2), 0);
}

}  // namespace
}  // namespace segue::evaluate
