#include "evaluate/classification.h"

#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"
#include "evaluate/classification_tests.h"
#include "math/auc_bootstrap.h"

namespace segue::evaluate {
namespace {

// Ten songs by hand: four hits, six flops.
const std::vector<int32_t> kLabel = {1, 1, 1, 1, 0, 0, 0, 0, 0, 0};
const std::vector<float> kHit = {0.9f, 0.8f, 0.6f, 0.3f, 0.7f, 0.4f, 0.3f, 0.2f, 0.1f, 0.1f};

std::vector<float> TwoColumns(const std::vector<float>& hit) {
  std::vector<float> p;
  for (const float h : hit) {
    p.push_back(1 - h);
    p.push_back(h);
  }
  return p;
}

TEST(Classification, TheReportIsThatOfTheTableByHand) {
  const auto p = TwoColumns(kHit);
  const ConfusionMatrix matrix = Confusion(kLabel, PredictedClasses(p, 2), 2);
  EXPECT_EQ(matrix.At(1, 1), 3u);
  EXPECT_EQ(matrix.At(1, 0), 1u);
  EXPECT_EQ(matrix.At(0, 1), 1u);
  EXPECT_EQ(matrix.At(0, 0), 5u);
  const ClassificationReport report = Report(matrix);
  EXPECT_DOUBLE_EQ(report.accuracy, 0.8);
  EXPECT_DOUBLE_EQ(report.of_class[1].precision, 0.75);
  EXPECT_DOUBLE_EQ(report.of_class[1].recall, 0.75);
  EXPECT_DOUBLE_EQ(report.of_class[1].f1, 0.75);
  EXPECT_DOUBLE_EQ(report.of_class[0].recall, 5.0 / 6);
  EXPECT_DOUBLE_EQ(report.balanced_accuracy, (0.75 + 5.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(report.macro.f1, (0.75 + 5.0 / 6) / 2);
  EXPECT_DOUBLE_EQ(report.weighted.f1, (4 * 0.75 + 6 * 5.0 / 6) / 10);
  EXPECT_EQ(report.weighted.support, 10u);
}

TEST(Classification, AClassThatNeverOccursDoesNotLowerTheMacroMean) {
  const ConfusionMatrix matrix = Confusion(std::vector<int32_t>{0, 1}, std::vector<int32_t>{0, 1}, 3);
  EXPECT_DOUBLE_EQ(Report(matrix).macro.f1, 1);
  EXPECT_DOUBLE_EQ(Report(matrix).balanced_accuracy, 1);
}

TEST(Classification, AucCountsPairsAndATieAsHalf) {
  // Of 24 pairs: 0.9, 0.8: 6 each; 0.6: 5; 0.3: 3 and a tie.
  EXPECT_DOUBLE_EQ(RocAuc(kLabel, TwoColumns(kHit), 2), (6 + 6 + 5 + 3.5) / 24);
}

TEST(Classification, AveragePrecisionStepsThroughTheThresholds) {
  // Hits at 0.9 (1/1), 0.8 (2/2), 0.6 (3/4, after the flop at 0.7), 0.3 (4/7, with the flops at 0.4 and 0.3).
  EXPECT_DOUBLE_EQ(AveragePrecisionOf(kLabel, TwoColumns(kHit), 2), (1 + 1 + 0.75 + 4.0 / 7) / 4);
}

TEST(Classification, LogLossAndBrierAreMeansOfEachRowsOwn) {
  const std::vector<int32_t> label = {1, 0};
  const std::vector<float> p = {0.25f, 0.75f, 0.5f, 0.5f};
  EXPECT_NEAR(LogLoss(label, p, 2), (-std::log(0.75) - std::log(0.5)) / 2, 1e-12);
  EXPECT_NEAR(BrierScore(label, p, 2), (0.0625 + 0.25) / 2, 1e-12);
}

TEST(Classification, TopKLooksForTheClassAmongTheMostProbable) {
  const std::vector<int32_t> label = {2, 0, 1};
  const std::vector<float> p = {0.5f, 0.3f, 0.2f, 0.4f, 0.4f, 0.2f, 0.4f, 0.4f, 0.2f};
  EXPECT_DOUBLE_EQ(TopAccuracy(label, p, 3, 1), 1.0 / 3);  // of equals the first is predicted
  EXPECT_DOUBLE_EQ(TopAccuracy(label, p, 3, 2), 2.0 / 3);
  EXPECT_DOUBLE_EQ(TopAccuracy(label, p, 3, 3), 1);
}

TEST(Classification, TheRocCurveEndsInItsCornersAndHoldsTheAuc) {
  const auto curve = RocCurve(kLabel, TwoColumns(kHit), 2, 1, 1000);
  EXPECT_EQ(curve.front().x, 0);
  EXPECT_EQ(curve.front().y, 0);
  EXPECT_EQ(curve.back().x, 1);
  EXPECT_EQ(curve.back().y, 1);
  double area = 0;
  for (size_t i = 1; i < curve.size(); ++i) area += (curve[i].x - curve[i - 1].x) * (curve[i].y + curve[i - 1].y) / 2;
  EXPECT_NEAR(area, RocAuc(kLabel, TwoColumns(kHit), 2), 1e-12);
}

TEST(Classification, ThinnedCurvesKeepTheirEnds) {
  const auto curve = RocCurve(kLabel, TwoColumns(kHit), 2, 1, 3);
  ASSERT_EQ(curve.size(), 3u);
  EXPECT_EQ(curve.front().x, 0);
  EXPECT_EQ(curve.back().x, 1);
}

TEST(Classification, ReliabilityBinsHoldWhatWasSaidAndWhatIsSo) {
  const auto bins = Reliability(kLabel, TwoColumns(kHit), 2, 2);
  EXPECT_EQ(bins[0].rows, 6u);
  EXPECT_NEAR(bins[0].predicted, (0.3 + 0.4 + 0.3 + 0.2 + 0.1 + 0.1) / 6, 1e-7);
  EXPECT_NEAR(bins[0].observed, 1.0 / 6, 1e-12);
  EXPECT_NEAR(bins[1].observed, 3.0 / 4, 1e-12);
  EXPECT_NEAR(CalibrationError(bins), (6 * std::abs(1.4 / 6 - 1.0 / 6) + 4 * std::abs(3.0 / 4 - 3.0 / 4)) / 10, 1e-7);
}

TEST(Classification, NothingToJudgeIsNotANumberAndNoCrash) {
  EXPECT_TRUE(std::isnan(RocAuc({}, {}, 2)));
  EXPECT_TRUE(std::isnan(LogLoss({}, {}, 2)));
  EXPECT_TRUE(std::isnan(AveragePrecisionOf({}, {}, 2)));
  EXPECT_TRUE(RocCurve({}, {}, 2, 1, 10).empty());
}

TEST(ClassificationTests, TheAucsIntervalHoldsItAndShrinksWithMoreRows) {
  const auto width = [](size_t n) {
    Random random(5);
    std::vector<float> score;
    std::vector<uint8_t> positive;
    for (size_t i = 0; i < n; ++i) {
      positive.push_back(static_cast<uint8_t>(i % 2));
      score.push_back(static_cast<float>(random.Normal() + positive.back()));
    }
    const auto interval = math::BootstrapAuc(score, positive, 400, 0.95, 1);
    EXPECT_LT(interval.low, interval.mean);
    EXPECT_GT(interval.high, interval.mean);
    EXPECT_NEAR(interval.mean, 0.76, 0.06);  // Φ(1/√2)
    return interval.high - interval.low;
  };
  EXPECT_NEAR(width(400) / width(6400), 4, 1.2);
}

TEST(ClassificationTests, McNemarIsTheExactBinomialForFewRows) {
  // The first alone is right in 9 rows, the second in 1: p = 2·(1 + 10)/2^10.
  std::vector<int32_t> label(10, 1);
  std::vector<float> right = TwoColumns(std::vector<float>(10, 0.9f)), first = right, second;
  std::vector<float> second_hit(10, 0.1f);
  second_hit[0] = 0.9f;
  second = TwoColumns(second_hit);
  first[0] = 0.9f;
  first[1] = 0.1f;
  const auto compared = ComparePaired(label, first, second, 2, 100, 0.95, 1);
  EXPECT_EQ(compared.only_first, 9u);
  EXPECT_EQ(compared.only_second, 1u);
  EXPECT_NEAR(compared.mcnemar_p, 22.0 / 1024, 1e-12);
  EXPECT_NEAR(compared.accuracy.mean, 0.8, 1e-12);
}

TEST(ClassificationTests, AModelIsNotBetterThanItself) {
  const auto p = TwoColumns(kHit);
  const auto compared = ComparePaired(kLabel, p, p, 2, 200, 0.95, 1);
  EXPECT_EQ(compared.mcnemar_p, 1);
  EXPECT_EQ(compared.auc.mean, 0);
  EXPECT_EQ(compared.auc.low, 0);
  EXPECT_EQ(compared.auc.high, 0);
}

}  // namespace
}  // namespace segue::evaluate
