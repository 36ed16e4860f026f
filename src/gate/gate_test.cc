#include "gate/gate.h"

#include <cmath>

#include <gtest/gtest.h>

namespace segue::gate {
namespace {

Report ReportWith(double mrr, std::vector<double> ndcg) {
  Report report;
  report.model_id = "m1";
  report.figures["mrr"] = {mrr, mrr, mrr};
  report.figures["hit_rate@10"] = {0.5, 0.5, 0.5};
  report.figures["coverage@10"] = {0.1, 0.1, 0.1};
  report.figures["diversity@10"] = {0.8, 0.8, 0.8};
  report.per_listener["ndcg@100"] = std::move(ndcg);
  return report;
}

const std::vector<double> kFlat(40, 0.5);

const Check& Find(const Verdict& verdict, const std::string& name) {
  const auto& checks = std::holds_alternative<Approval>(verdict) ? std::get<Approval>(verdict).checks()
                                                                 : std::get<Refusal>(verdict).checks;
  for (const Check& check : checks) {
    if (check.name == name) return check;
  }
  throw std::out_of_range(name);
}

class Gate : public testing::Test {
 protected:
  Verdict Ask(const Report& challenger, const Report* live) const {
    return Decide({.challenger = challenger, .live = live, .artifact_bytes = artifact_bytes_, .rejected_share = rejected_share_,
                   .smoke_test_passed = smoke_, .p99_ms = p99_ms_, .settings = settings_, .seed = 1});
  }
  Settings settings_;
  double rejected_share_ = 0;
  bool smoke_ = true;
  double p99_ms_ = 3;
  uint64_t artifact_bytes_ = 1000;
};

TEST_F(Gate, ApprovesAGoodFirstModelAndSaysThatNothingIsLive) {
  const auto verdict = Ask(ReportWith(0.4, kFlat), nullptr);
  ASSERT_TRUE(std::holds_alternative<Approval>(verdict));
  EXPECT_EQ(std::get<Approval>(verdict).model_id(), "m1");
  EXPECT_NE(Find(verdict, "no_worse_than_live").why.find("nothing else is live"), std::string::npos);
}

TEST_F(Gate, RefusesBelowAFloorAndGivesTheFigure) {
  settings_.min_mrr = 0.3;
  const auto verdict = Ask(ReportWith(0.2, kFlat), nullptr);
  ASSERT_TRUE(std::holds_alternative<Refusal>(verdict));
  EXPECT_EQ(Find(verdict, "min_mrr").value, 0.2);
  EXPECT_EQ(Find(verdict, "min_mrr").limit, 0.3);
  EXPECT_NE(std::get<Refusal>(verdict).reason.find("min_mrr"), std::string::npos);
  EXPECT_EQ(std::get<Refusal>(verdict).reason.find("min_hit_rate"), std::string::npos) << "only what failed";
}

TEST_F(Gate, RefusesAModelThatIsWorseForOneSegmentThoughBetterForAll) {
  Report live = ReportWith(0.4, kFlat), ours = ReportWith(0.4, kFlat);
  for (size_t i = 0; i < 40; ++i) {
    ours.segment.push_back(i < 20 ? Segment::kNew : Segment::kHeavy);
    ours.per_listener["ndcg@100"][i] += i < 20 ? -0.1 - 0.001 * static_cast<double>(i) : 0.2;
  }
  ours.per_listener["mrr"] = std::vector<double>(40, 0.3);
  const auto verdict = Ask(ours, &live);
  EXPECT_TRUE(Find(verdict, "no_worse_than_live").passed);
  EXPECT_TRUE(Find(verdict, "no_worse_heavy").passed);
  EXPECT_FALSE(Find(verdict, "no_worse_new").passed);
  EXPECT_NE(std::get<Refusal>(verdict).reason.find("no_worse_new"), std::string::npos);
  EXPECT_THROW(Find(verdict, "no_worse_light"), std::out_of_range) << "nobody is light";
  ours.segment[0] = Segment::kLight;
  EXPECT_NE(Find(Ask(ours, &live), "no_worse_light").why.find("too few"), std::string::npos);
}

TEST_F(Gate, FloorsOfSegmentsOfDiversityAndOfLatency) {
  Report ours = ReportWith(0.4, kFlat);
  ours.segment.assign(40, Segment::kLight);
  ours.per_listener["mrr"] = std::vector<double>(40, 0.3);
  EXPECT_TRUE(std::holds_alternative<Approval>(Ask(ours, nullptr)));
  settings_.min_mrr_light = 0.31;
  EXPECT_FALSE(Find(Ask(ours, nullptr), "min_mrr_light").passed);
  EXPECT_DOUBLE_EQ(Find(Ask(ours, nullptr), "min_mrr_light").value, 0.3);
  settings_.min_diversity = 0.9;
  EXPECT_FALSE(Find(Ask(ours, nullptr), "min_diversity").passed);
  settings_.max_p99_ms = 2;
  EXPECT_FALSE(Find(Ask(ours, nullptr), "latency_p99").passed);
}

TEST_F(Gate, RefusesASignificantLossHoweverSmall) {
  std::vector<double> slightly_worse = kFlat;
  for (double& value : slightly_worse) value -= 0.001;
  const Report live = ReportWith(0.4, kFlat);
  EXPECT_FALSE(Find(Ask(ReportWith(0.4, slightly_worse), &live), "no_worse_than_live").passed);
}

TEST_F(Gate, LetsASmallLossPassThatMayBeChance) {
  std::vector<double> noisy = kFlat;
  for (size_t i = 0; i < noisy.size(); ++i) noisy[i] += i % 2 == 0 ? 0.3 : -0.32;
  const Report live = ReportWith(0.4, kFlat);
  EXPECT_TRUE(std::holds_alternative<Approval>(Ask(ReportWith(0.4, noisy), &live)));
}

TEST_F(Gate, RefusesALargeLossEvenIfItMayBeChance) {
  std::vector<double> noisy = kFlat;
  for (size_t i = 0; i < noisy.size(); ++i) noisy[i] += i % 2 == 0 ? 0.4 : -0.52;
  const Report live = ReportWith(0.4, kFlat);
  const auto verdict = Ask(ReportWith(0.4, noisy), &live);
  ASSERT_TRUE(std::holds_alternative<Refusal>(verdict));
  EXPECT_NEAR(Find(verdict, "no_worse_than_live").value, -0.06, 1e-9);
  EXPECT_NE(Find(verdict, "no_worse_than_live").why.find("max_drop"), std::string::npos);
}

TEST_F(Gate, RefusesWhereTheReportsAreNotOfTheSameListeners) {
  const Report live = ReportWith(0.4, std::vector<double>(39, 0.5));
  EXPECT_FALSE(Find(Ask(ReportWith(0.4, kFlat), &live), "no_worse_than_live").passed);
}

TEST_F(Gate, RefusesAFigureThatIsNotANumberOrMissing) {
  EXPECT_FALSE(Find(Ask(ReportWith(std::nan(""), kFlat), nullptr), "min_mrr").passed);
  Report missing = ReportWith(0.4, kFlat);
  missing.figures.erase("hit_rate@10");
  EXPECT_FALSE(Find(Ask(missing, nullptr), "min_hit_rate").passed);
}

TEST_F(Gate, RefusesAComparisonOfAnythingThatIsNotANumber) {
  const Report live = ReportWith(0.4, kFlat);
  std::vector<double> broken = kFlat;
  broken[7] = std::nan("");
  EXPECT_FALSE(Find(Ask(ReportWith(0.4, broken), &live), "no_worse_than_live").passed);
  const Report broken_live = ReportWith(0.4, broken);
  EXPECT_FALSE(Find(Ask(ReportWith(0.4, kFlat), &broken_live), "no_worse_than_live").passed);
}

TEST_F(Gate, RefusesBadDataABrokenFileAndAHugeOne) {
  rejected_share_ = 0.9;
  smoke_ = false;
  settings_.max_artifact_mb = 0;
  const auto verdict = Ask(ReportWith(0.4, kFlat), nullptr);
  for (const char* name : {"data_quality", "smoke_test", "artifact_size"}) EXPECT_FALSE(Find(verdict, name).passed) << name;
}

TEST_F(Gate, RefusesAnEmptyModelFile) {
  artifact_bytes_ = 0;
  EXPECT_FALSE(Find(Ask(ReportWith(0.4, kFlat), nullptr), "artifact_size").passed);
}

TEST_F(Gate, LetsFloorsBeMetExactly) {
  settings_.min_mrr = 0.4;
  settings_.min_coverage = 0.1;
  EXPECT_TRUE(std::holds_alternative<Approval>(Ask(ReportWith(0.4, kFlat), nullptr)));
  settings_.min_coverage = 0.11;
  EXPECT_TRUE(std::holds_alternative<Refusal>(Ask(ReportWith(0.4, kFlat), nullptr)));
}

TEST_F(Gate, ApprovesTheLiveModelsEqualWhateverTheDropAllowed) {
  settings_.max_drop = 0;
  const Report live = ReportWith(0.4, kFlat);
  EXPECT_TRUE(std::holds_alternative<Approval>(Ask(ReportWith(0.4, kFlat), &live)));
}

TEST_F(Gate, IsAPureFunction) {
  const Report live = ReportWith(0.4, std::vector<double>(40, 0.49));
  const Report challenger = ReportWith(0.4, kFlat);
  EXPECT_EQ(Find(Ask(challenger, &live), "no_worse_than_live").why, Find(Ask(challenger, &live), "no_worse_than_live").why);
}

}  // namespace
}  // namespace segue::gate
