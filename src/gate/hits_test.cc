#include <cmath>

#include <gtest/gtest.h>

#include "gate/gate.h"

namespace segue::gate {
namespace {

constexpr size_t kSongs = 200;

/// Every other song is a hit; `wrong` of the hits score as flops do.
HitReport ReportWith(double auc, size_t wrong = 0) {
  HitReport report;
  report.model_id = "h1";
  report.auc = auc;
  report.accuracy = 0.7;
  for (size_t i = 0; i < kSongs; ++i) {
    const bool hit = i % 2 == 0;
    report.hit.push_back(hit ? 1 : 0);
    report.probability.push_back((hit && i / 2 >= wrong ? 0.6f : 0.2f) + 0.001f * static_cast<float>(i % 7));
  }
  return report;
}

const Check& Find(const Verdict& verdict, const std::string& name) {
  const auto& checks = std::holds_alternative<Approval>(verdict) ? std::get<Approval>(verdict).checks() : std::get<Refusal>(verdict).checks;
  for (const Check& check : checks) {
    if (check.name == name) return check;
  }
  throw std::out_of_range(name);
}

class HitGate : public testing::Test {
 protected:
  Verdict Ask(const HitReport& challenger, const HitReport* live) const {
    return Decide(HitQuestion{.challenger = challenger, .live = live, .artifact_bytes = bytes_, .smoke_test_passed = smoke_,
                              .settings = settings_, .seed = 1});
  }
  Settings settings_;
  bool smoke_ = true;
  uint64_t bytes_ = 1000;
};

TEST_F(HitGate, ApprovesAGoodFirstModelAsAModelOfHits) {
  const auto verdict = Ask(ReportWith(0.8), nullptr);
  ASSERT_TRUE(std::holds_alternative<Approval>(verdict));
  EXPECT_EQ(std::get<Approval>(verdict).kind(), ModelKind::kHits);
  EXPECT_EQ(std::get<Approval>(verdict).model_id(), "h1");
  EXPECT_NE(Find(verdict, "no_worse_than_live").why.find("no other hit model is live"), std::string::npos);
}

TEST_F(HitGate, RefusesBelowAFloorAndGivesTheFigure) {
  const auto verdict = Ask(ReportWith(0.55), nullptr);
  ASSERT_TRUE(std::holds_alternative<Refusal>(verdict));
  EXPECT_EQ(Find(verdict, "hits.min_auc").value, 0.55);
  EXPECT_EQ(Find(verdict, "hits.min_auc").limit, settings_.hits.min_auc);
  settings_.hits.min_accuracy = 0.71;
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), nullptr), "hits.min_accuracy").passed);
}

TEST_F(HitGate, RefusesAFigureThatIsNotANumber) {
  EXPECT_FALSE(Find(Ask(ReportWith(std::nan("")), nullptr), "hits.min_auc").passed);
}

TEST_F(HitGate, RefusesASignificantLossHoweverLargeADropIsAllowed) {
  settings_.hits.max_drop = 1;
  const HitReport live = ReportWith(0.8);
  const auto verdict = Ask(ReportWith(0.8, 30), &live);
  ASSERT_TRUE(std::holds_alternative<Refusal>(verdict));
  EXPECT_LT(Find(verdict, "no_worse_than_live").value, 0);
  EXPECT_NE(Find(verdict, "no_worse_than_live").why.find("significantly worse"), std::string::npos);
}

TEST_F(HitGate, LetsASmallLossPassThatMayBeChanceAndRefusesALargerOne) {
  const HitReport live = ReportWith(0.8, 10);
  HitReport challenger = ReportWith(0.8);
  // Other hits are missed, and two more: a loss that resampling may turn around.
  for (size_t hit = 0; hit < 12; ++hit) challenger.probability[kSongs - 2 - 2 * hit] = 0.203f;
  EXPECT_TRUE(Find(Ask(challenger, &live), "no_worse_than_live").passed) << Find(Ask(challenger, &live), "no_worse_than_live").why;
  settings_.hits.max_drop = 0.001;
  EXPECT_NE(Find(Ask(challenger, &live), "no_worse_than_live").why.find("hits.max_drop"), std::string::npos);
}

TEST_F(HitGate, ApprovesTheLiveModelsEqualWhateverTheDropAllowed) {
  settings_.hits.max_drop = 0;
  const HitReport live = ReportWith(0.8, 10);
  EXPECT_TRUE(std::holds_alternative<Approval>(Ask(ReportWith(0.8, 10), &live)));
}

TEST_F(HitGate, RefusesWhereTheReportsAreNotOfTheSameSongsOrNotNumbers) {
  HitReport live = ReportWith(0.8);
  live.hit[3] = 1;
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), &live), "no_worse_than_live").passed);
  live = ReportWith(0.8);
  live.hit.pop_back();
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), &live), "no_worse_than_live").passed);
  live = ReportWith(0.8);
  live.probability[7] = std::nanf("");
  EXPECT_NE(Find(Ask(ReportWith(0.8), &live), "no_worse_than_live").why.find("song 8 of 200"), std::string::npos);
}

TEST_F(HitGate, RefusesABrokenFileAnEmptyAndAHugeOne) {
  smoke_ = false;
  bytes_ = 0;
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), nullptr), "smoke_test").passed);
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), nullptr), "artifact_size").passed);
  bytes_ = 2'000'000;
  settings_.max_artifact_mb = 1;
  EXPECT_FALSE(Find(Ask(ReportWith(0.8), nullptr), "artifact_size").passed);
}

TEST_F(HitGate, IsAPureFunction) {
  const HitReport live = ReportWith(0.8, 10);
  EXPECT_EQ(Find(Ask(ReportWith(0.8, 11), &live), "no_worse_than_live").why, Find(Ask(ReportWith(0.8, 11), &live), "no_worse_than_live").why);
}

}  // namespace
}  // namespace segue::gate
