#include "deploy/testing.h"

namespace segue::deploy {
namespace {

TEST_F(Deploy, PromoteMakesTheApprovedModelLiveAndKeepsWhoWhenWhyAndFigures) {
  ASSERT_TRUE(Promote("a").ok());
  const auto done = Promote("b");
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(Live(), "b");
  const store::DeploymentRecord kept = (*catalog_->Deployments(10)).at(0);
  EXPECT_EQ(kept.from_model, "a");
  EXPECT_EQ(kept.to_model, "b");
  EXPECT_EQ(kept.action, "promote");
  EXPECT_EQ(kept.actor, "pipeline");
  EXPECT_EQ(kept.reason, "better");
  EXPECT_EQ(kept.at, 1'700'000'002);
  EXPECT_EQ(nlohmann::json::parse(kept.figures)["min_mrr"], 0.25);
  EXPECT_EQ(done->seq, kept.seq);
  EXPECT_EQ(done->from_model, "a");
}

TEST_F(Deploy, PromoteOfTheLiveModelChangesNothingAndSucceeds) {
  const auto first = Promote("a");
  const auto again = Promote("a");
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->seq, first->seq);
  EXPECT_EQ(Deployments(), 1u);
}

TEST_F(Deploy, PromoteOfAModelThatIsNotRegisteredIsNotFound) {
  const auto done = Promote("nobody");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kNotFound);
  EXPECT_NE(done.error().message.find("nobody"), std::string::npos);
  EXPECT_EQ(Live(), "");
}

TEST_F(Deploy, RollbackGoesToTheModelBefore) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Promote("b").ok());
  const auto done = Rollback();
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(Live(), "a");
  EXPECT_EQ(done->from_model, "b");
  EXPECT_EQ(done->action, "rollback");
  EXPECT_EQ(done->reason, "complaints");
  EXPECT_GT(done->seq, 0);
  EXPECT_EQ(Deployments(), 3u);
}

TEST_F(Deploy, ASecondRollbackGoesFurtherBackNotForthAgain) {
  for (const char* id : {"a", "b", "c"}) ASSERT_TRUE(Promote(id).ok());
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "b");
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a");
  const auto third = Rollback();
  ASSERT_FALSE(third.ok());
  EXPECT_EQ(third.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Live(), "a");
}

TEST_F(Deploy, RollbackAfterANewPromotionLeavesOutWhatWasRolledBack) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Promote("b").ok());
  ASSERT_TRUE(Rollback().ok());
  ASSERT_TRUE(Promote("c").ok());
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a");
}

TEST_F(Deploy, RollbackGoesToAModelThatWasLiveTwice) {
  for (const char* id : {"a", "b", "a"}) ASSERT_TRUE(Promote(id).ok());
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "b");
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a");
  EXPECT_FALSE(Rollback().ok());
}

TEST_F(Deploy, RollbackWithNothingLiveOrNothingBeforeIsAConflict) {
  EXPECT_EQ(Rollback().error().code, ErrorCode::kConflict);
  ASSERT_TRUE(Promote("a").ok());
  const auto done = Rollback();
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_NE(done.error().message.find("before a"), std::string::npos) << done.error().message;
}

TEST_F(Deploy, EachKindOfModelHasAChainOfItsOwn) {
  for (const char* id : {"h1", "h2"}) Register(id, ModelKind::kHits);
  const auto promote_hits = [&](const std::string& id) {
    return deploy::Promote(std::get<Approval>(gate::Decide(gate::HitQuestion{id})), *catalog_, clock_, "pipeline", "better");
  };
  const auto live_hits = [&] { return (*catalog_->Live(ModelKind::kHits))->to_model; };
  ASSERT_TRUE(Promote("a").ok());
  const auto none = deploy::Rollback(*catalog_, clock_, "cli", "", ModelKind::kHits);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().message.find("hits"), std::string::npos) << none.error().message;
  ASSERT_TRUE(promote_hits("h1").ok());
  ASSERT_TRUE(Promote("b").ok());
  ASSERT_TRUE(promote_hits("h2").ok());
  EXPECT_EQ(Live(), "b");
  const auto back = deploy::Rollback(*catalog_, clock_, "cli", "complaints", ModelKind::kHits);
  ASSERT_TRUE(back.ok()) << back.error().message;
  EXPECT_EQ(back->kind, ModelKind::kHits);
  EXPECT_EQ(live_hits(), "h1");
  EXPECT_EQ(Live(), "b") << "the recommender stays";
  ASSERT_TRUE(Rollback().ok());
  EXPECT_EQ(Live(), "a");
  EXPECT_EQ(live_hits(), "h1");
}

TEST_F(Deploy, AModelThatWasApprovedAsAnotherKindThanItIsRegisteredDoesNotGoLive) {
  const auto done = deploy::Promote(std::get<Approval>(gate::Decide(gate::HitQuestion{"a"})), *catalog_, clock_, "pipeline", "");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_FALSE(catalog_->Live(ModelKind::kHits)->has_value());
}

/// Lets somebody else deploy through a second connection whenever the time is asked
/// for: between the look at what is live and the move.
class Rival final : public store::Clock {
 public:
  Rival(store::Catalog& catalog, std::vector<std::string> models) : catalog_(catalog), models_(std::move(models)) {}
  int64_t NowMs() const override {
    if (next_ < models_.size()) {
      const auto live = catalog_.Live();
      EXPECT_TRUE(catalog_.Deploy({.at = 1, .actor = "rival", .action = "promote",
                                   .from_model = *live ? (*live)->to_model : "", .to_model = models_[next_++]}).ok());
    }
    return 5000;
  }

 private:
  store::Catalog& catalog_;
  std::vector<std::string> models_;
  mutable size_t next_ = 0;
};

TEST_F(Deploy, PromoteMeetsARivalOnceAndGoesOn) {
  ASSERT_TRUE(Promote("a").ok());
  const Rival rival(*catalog_, {"c"});
  const auto done = deploy::Promote(Approved("b"), *catalog_, rival, "pipeline", "better");
  ASSERT_TRUE(done.ok()) << done.error().message;
  EXPECT_EQ(done->from_model, "c");
  EXPECT_EQ(Live(), "b");
}

TEST_F(Deploy, PromoteGivesUpWhenARivalIsFasterTwice) {
  ASSERT_TRUE(Promote("a").ok());
  const Rival rival(*catalog_, {"c", "a"});
  const auto done = deploy::Promote(Approved("b"), *catalog_, rival, "pipeline", "better");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Live(), "a");
}

TEST_F(Deploy, RollbackLeavesARivalsModelLive) {
  ASSERT_TRUE(Promote("a").ok());
  ASSERT_TRUE(Promote("b").ok());
  const Rival rival(*catalog_, {"c"});
  const auto done = deploy::Rollback(*catalog_, rival, "cli", "b is bad");
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kConflict);
  EXPECT_EQ(Live(), "c");
}

}  // namespace
}  // namespace segue::deploy
