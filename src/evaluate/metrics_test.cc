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

std::vector<TrackIx> Rows(std::initializer_list<uint32_t> rows) {
  std::vector<TrackIx> result;
  for (const uint32_t row : rows) result.push_back(TrackIx{row});
  return result;
}

TEST(Metrics, HitsAreMarkedInTheOrderOfTheList) {
  EXPECT_EQ(MarkHits(Rows({9, 4, 7, 1, 0, 2}), Rows({2, 4, 7, 8})), (std::vector<uint8_t>{0, 1, 1, 0, 0, 1}));
  EXPECT_EQ(MarkHits(Rows({1, 2}), {}), (std::vector<uint8_t>{0, 0}));
}

TEST(Metrics, TruncatedRecallDividesByWhatFits) {
  EXPECT_DOUBLE_EQ(RecallTruncated(kList, 2, 3), 1.0 / 2);
  EXPECT_DOUBLE_EQ(RecallTruncated(kList, 5, 3), 2.0 / 3);
  EXPECT_DOUBLE_EQ(RecallTruncated(kList, 5, 0), 0);
}

TEST(Metrics, RmseIsTheRootOfTheMeanSquareAndMaeTheMeanDistance) {
  const std::vector<double> predicted = {3, 4, 5, 1};
  const std::vector<double> actual = {3, 2, 5.5, 2};
  EXPECT_DOUBLE_EQ(Rmse(predicted, actual), std::sqrt((4 + 0.25 + 1) / 4));
  EXPECT_DOUBLE_EQ(Mae(predicted, actual), 3.5 / 4);
  EXPECT_DOUBLE_EQ(Rmse(actual, actual), 0);
  EXPECT_TRUE(std::isnan(Rmse({}, {})));
  EXPECT_TRUE(std::isnan(Mae({}, {})));
}

TEST(Metrics, NoveltyIsTheMeanSelfInformationInBits) {
  // Of 8 listeners 8, 4, 1 and 0 have them: 0, 1, 3 and (as for one) 3 bits.
  const std::vector<uint32_t> heard_by = {8, 4, 1, 0};
  EXPECT_DOUBLE_EQ(Novelty(Rows({0, 1, 2, 3}), 10, heard_by, 8), 7.0 / 4);
  EXPECT_DOUBLE_EQ(Novelty(Rows({0, 1, 2, 3}), 2, heard_by, 8), 1.0 / 2);
  EXPECT_TRUE(std::isnan(Novelty({}, 10, heard_by, 8)));
}

TEST(Metrics, PopularityRankIsTheShareThatIsMoreHeard) {
  const auto ranks = PopularityRanks(std::vector<uint32_t>{5, 9, 0, 5, 1});
  EXPECT_EQ(ranks, (std::vector<float>{0.25f, 0, 1, 0.25f, 0.75f}));
  EXPECT_DOUBLE_EQ(MeanPopularityRank(Rows({1, 4, 2}), 2, ranks), 0.375);
  EXPECT_TRUE(std::isnan(MeanPopularityRank({}, 10, ranks)));
}

}  // namespace
}  // namespace segue::evaluate
