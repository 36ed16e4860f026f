#include "deploy/trial.h"

#include "deploy/testing.h"
#include "store/trial.h"

namespace segue::deploy {
namespace {

using nlohmann::json;

class DeployTrial : public Deploy {
 protected:
  Result<store::DeploymentRecord> Try(const std::string& id, bool shown = true) {
    clock_.Advance(1000);
    return StartTrial(Approved(id), {shown, 0.2}, *catalog_, clock_, "pipeline", "approved");
  }
  std::string Tried() {
    const auto trial = catalog_->Trial();
    return *trial ? (*trial)->action + " " + (*trial)->to_model : "";
  }
};

TEST_F(DeployTrial, LeavesTheLiveModelAndKeepsItsShare) {
  ASSERT_TRUE(Promote("a").ok());
  const auto trial = Try("b");
  ASSERT_TRUE(trial.ok()) << trial.error().message;
  EXPECT_EQ(Live(), "a");
  EXPECT_EQ(Tried(), "canary b");
  EXPECT_EQ(store::TrialShare(*trial), 0.2);
  EXPECT_EQ(json::parse(trial->figures)["min_mrr"], 0.25);
  EXPECT_GT(trial->seq, 0);
  EXPECT_EQ(Try("b")->seq, trial->seq) << "a run that is resumed starts it once";
  EXPECT_EQ(Deployments(), 2u);
}

TEST_F(DeployTrial, AShadowGoesOnToACanary) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Try("b", false).ok());
  EXPECT_EQ(Tried(), "shadow b");
  ASSERT_TRUE(Try("b").ok());
  EXPECT_EQ(Tried(), "canary b");
}

TEST_F(DeployTrial, NeedsALiveModelThatIsAnother) {
  EXPECT_EQ(Try("a").error().code, ErrorCode::kConflict);
  ASSERT_TRUE(Promote("a").ok());
  EXPECT_EQ(Try("a")->action, "promote") << "it is live already";
  EXPECT_EQ(Tried(), "");
  Register("h1", ModelKind::kHits);
  const auto hits = StartTrial(std::get<Approval>(gate::Decide(gate::HitQuestion{"h1"})), {}, *catalog_, clock_, "pipeline", "");
  EXPECT_EQ(hits.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Try("nobody").error().code, ErrorCode::kNotFound);
}

TEST_F(DeployTrial, ANewerChallengerSupersedesTheOneBefore) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Try("b").ok());
  ASSERT_TRUE(Try("c").ok());
  EXPECT_EQ(Tried(), "canary c");
  const auto withdrawn = (*catalog_->Deployments(10)).at(1);
  EXPECT_EQ(withdrawn.action, "withdraw");
  EXPECT_EQ(withdrawn.from_model, "b");
  EXPECT_EQ(json::parse(withdrawn.figures)["ended"], "superseded");
  EXPECT_EQ(Live(), "a");
}

TEST_F(DeployTrial, RollbackEndsItAndTheNextOneGoesBack) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Promote("b").ok());
  ASSERT_TRUE(Try("c").ok());
  const auto ended = Rollback();
  ASSERT_TRUE(ended.ok()) << ended.error().message;
  EXPECT_EQ(ended->action, "withdraw");
  EXPECT_EQ(ended->from_model, "c");
  EXPECT_EQ(ended->reason, "complaints");
  EXPECT_EQ(json::parse(ended->figures)["ended"], "by_hand");
  EXPECT_EQ(Live(), "b");
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a") << "what was only tried is no step back";
}

TEST_F(DeployTrial, AChallengerThatPassedIsPromotedAndRollbackLeavesIt) {
  ASSERT_TRUE(Promote("a").ok());
  const auto trial = Try("b");
  const auto done = PromoteTried(Approved("b"), *trial, *catalog_, clock_, "pipeline", "no worse", R"({"hit_rate":1})");
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(Live(), "b");
  EXPECT_EQ(done->from_model, "a");
  EXPECT_EQ((*catalog_->Live())->figures, R"({"hit_rate":1})");
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a");
}

TEST_F(DeployTrial, WhoWasWithdrawnInTheSameMomentDoesNotGoLive) {
  ASSERT_TRUE(Promote("a").ok());
  const auto trial = Try("b");
  ASSERT_TRUE(Withdraw(*trial, *catalog_, clock_, "api", Withdrawal::kByHand, "no").ok());
  EXPECT_EQ(PromoteTried(Approved("b"), *trial, *catalog_, clock_, "pipeline", "", "{}").error().code, ErrorCode::kConflict);
  EXPECT_EQ(PromoteTried(Approved("c"), *trial, *catalog_, clock_, "pipeline", "", "{}").error().code, ErrorCode::kConflict);
  EXPECT_EQ(Withdraw(*trial, *catalog_, clock_, "pipeline", Withdrawal::kRolledBack, "").error().code, ErrorCode::kConflict);
  EXPECT_EQ(Live(), "a");
}

TEST_F(DeployTrial, APromotionByHandEndsIt) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Try("b").ok());
  ASSERT_TRUE(Promote("c").ok());
  EXPECT_EQ(Tried(), "");
  EXPECT_EQ(Live(), "c");
}

}  // namespace
}  // namespace segue::deploy
