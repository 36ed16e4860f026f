#include "pipeline/delivery.h"

#include "deploy/trial.h"
#include "pipeline/testing.h"
#include "pipeline/testing_watched.h"
#include "store/trial.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

/// A trial of "new" beside "live", with made-up impressions and feedback. What
/// approvals lead to is tried with a real run (TheRun) and end to end.
class Deliveries : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    settings_.delivery.mode = "canary";
    settings_.delivery.min_listeners = 30;
    settings_.impressions.window_s = 60;
    settings_.delivery.lists_per_listener = 1;
    for (const char* id : {"live", "new"}) ASSERT_TRUE(catalog_->PutModel({.model_id = id, .algorithm = "popularity", .approved = true}).ok());
    ASSERT_TRUE(catalog_->Deploy({.at = time_.NowSeconds(), .actor = "pipeline", .action = "promote", .to_model = "live"}).ok());
  }

  void Try(const std::string& action) {
    ASSERT_TRUE(catalog_->Deploy({.at = time_.NowSeconds(), .actor = "pipeline", .action = action, .from_model = "live", .to_model = "new",
                                  .figures = R"({"share":0.5})"}).ok());
  }

  /// A list each to so many listeners of the arm, who like that share of them and dislike that share.
  void Show(const std::string& arm, int listeners, double liked, double disliked = 0, const std::string& error = "") {
    std::vector<store::Impression> lists;
    std::vector<store::FeedbackEvent> events;
    for (int i = 0; i < listeners; ++i) {
      const std::string name = arm + std::to_string(shown_++);
      lists.push_back({.list_id = "list-" + name, .listener = name, .model_id = arm == "live" ? "live" : "new", .arm = arm, .mode = "discovery",
                       .at_ms = time_.NowMs(), .made_us = 900, .error = error, .tracks = {"t1", "t2"}});
      const auto answer = [&](double share, const char* kind, const char* track) {
        if (static_cast<int>((i + 1) * share) == static_cast<int>(i * share)) return;
        events.push_back({.listener = name, .track_id = track, .kind = kind, .at = time_.NowSeconds() + 1, .list_id = "list-" + name, .received_at = time_.NowSeconds() + 1});
      };
      answer(liked, "like", "t1");
      answer(disliked, "dislike", "t2");
    }
    ASSERT_TRUE(catalog_->AppendImpressions(lists).ok());
    ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  }
  void Look() {
    const Status looked = FollowDelivery(On(time_));
    ASSERT_TRUE(looked.ok()) << looked.error().message;
  }
  void AfterTheWindow() { time_.Advance((settings_.impressions.window_s + 1) * 1000); }

  std::vector<store::AlarmRecord> RollbackAlarms() {
    auto alarms = *catalog_->Alarms(100);
    std::erase_if(alarms, [](const store::AlarmRecord& alarm) { return alarm.name != kRollbackAlarm; });
    return alarms;
  }
  store::DeploymentRecord Newest() { return catalog_->Deployments(1)->front(); }
  std::string Ended() { return json::parse(Newest().figures).value("ended", ""); }
  json TrialLook() { return json::parse(*catalog_->Meta(store::kTrialLook), nullptr, false); }

  store::FakeClock time_{1'800'000'000'000};
  int shown_ = 0;
};

TEST_F(Deliveries, WithoutATrialThereIsNothingToDo) {
  Look();
  EXPECT_EQ(catalog_->Deployments(10)->size(), 1U);
  EXPECT_TRUE(catalog_->Alarms(10)->empty());
}

TEST_F(Deliveries, ACanaryThatIsDislikedIsRolledBackWithAlarmAndFigures) {
  Try("canary");
  Show("live", 100, 0.3, 0.02);
  Show("canary", 100, 0.3, 0.6);
  Look();
  EXPECT_TRUE(catalog_->Trial()->has_value()) << "no window is over yet";
  EXPECT_FALSE(TrialLook()["waits_for"].get<std::string>().empty());
  AfterTheWindow();
  Look();
  EXPECT_FALSE(catalog_->Trial()->has_value());
  EXPECT_EQ(Live(), "live");
  EXPECT_EQ(Newest().action, "withdraw");
  EXPECT_EQ(Ended(), "rolled_back");
  EXPECT_NE(Newest().reason.find("dislike_rate: 0.6000 on 100 listeners"), std::string::npos) << Newest().reason;
  EXPECT_EQ(json::parse(Newest().figures)["arms"].size(), 2U);
  ASSERT_EQ(RollbackAlarms().size(), 1U);
  EXPECT_EQ(RollbackAlarms()[0].severity, "critical");
  EXPECT_NE(RollbackAlarms()[0].message.find("dislike_rate"), std::string::npos);
  Look();
  EXPECT_EQ(RollbackAlarms().size(), 1U) << "said once";
}

TEST_F(Deliveries, ACanaryThatIsLikedMoreGoesLive) {
  Try("canary");
  Show("live", 300, 0.2, 0.4);
  Show("canary", 300, 0.6, 0.1);
  AfterTheWindow();
  Look();
  EXPECT_EQ(Live(), "new");
  EXPECT_EQ(Newest().action, "promote");
  EXPECT_EQ(json::parse(Newest().figures)["arms"].size(), 2U) << "with the figures that decided it";
  EXPECT_TRUE(RollbackAlarms().empty());
}

TEST_F(Deliveries, WhatWasShownBeforeTheTrialDoesNotCount) {
  Show("live", 300, 0.2, 0.4);
  Show("canary", 300, 0.6, 0.1);
  AfterTheWindow();
  Try("canary");
  AfterTheWindow();
  Look();
  EXPECT_TRUE(catalog_->Trial()->has_value());
}

TEST_F(Deliveries, AnAlarmThatIsListedOrCriticalAndNamesItEndsIt) {
  ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds() - 5, .severity = "critical", .name = "slow_answers", .message = "before its time"}).ok());
  Try("canary");
  ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds(), .severity = "critical", .name = "data_quality", .message = "a run's trouble"}).ok());
  ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds(), .severity = "warning", .name = "other", .message = "new is a little slow"}).ok());
  Look();
  EXPECT_TRUE(catalog_->Trial()->has_value());
  ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds(), .severity = "warning", .name = "slow_answers", .message = "answers are lost"}).ok());
  Look();
  EXPECT_EQ(Ended(), "rolled_back");
  EXPECT_NE(Newest().reason.find("answers are lost"), std::string::npos) << Newest().reason;
  time_.Advance(1000);
  Try("canary");
  Look();
  EXPECT_TRUE(catalog_->Trial()->has_value()) << "the alarms of the one before are not of this one";
  ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds(), .severity = "critical", .name = "other", .message = "challenger new cannot be served"}).ok());
  Look();
  EXPECT_FALSE(catalog_->Trial()->has_value());
}

TEST_F(Deliveries, ACanaryThatFailsToMakeListsIsRolledBack) {
  Try("canary");
  Show("canary", 20, 0, 0, "a bug");
  Look();
  EXPECT_EQ(Ended(), "rolled_back");
  EXPECT_NE(Newest().reason.find("20 of 20 lists could not be made"), std::string::npos) << Newest().reason;
}

TEST_F(Deliveries, AShadowGoesOnToACanaryOrLive) {
  settings_.delivery.shadow_lists = 20;
  settings_.delivery.shadow_minutes = 10;
  Try("shadow");
  Show("live", 20, 0.5);
  Show("shadow", 20, 0);
  Look();
  EXPECT_EQ((*catalog_->Trial())->action, "shadow") << "its time is not over";
  time_.Advance(600'000);
  Look();
  EXPECT_EQ((*catalog_->Trial())->action, "canary");
  EXPECT_EQ(store::TrialShare(**catalog_->Trial()), settings_.delivery.canary_share);
  ASSERT_TRUE(catalog_->Deploy({.action = "withdraw", .from_model = "new", .to_model = "live"}).ok());
  settings_.delivery.after_shadow = "live";
  Try("shadow");
  Show("shadow", 20, 0);
  time_.Advance(600'000);
  Look();
  EXPECT_EQ(Live(), "new");
}

TEST_F(Deliveries, WhatIsNotDecidedInTimeIsWithdrawnWithAWarning) {
  settings_.delivery.max_hours = 2;
  Try("canary");
  time_.Advance(2 * 3'600'000);
  Look();
  EXPECT_EQ(Ended(), "timed_out");
  ASSERT_EQ(RollbackAlarms().size(), 1U);
  EXPECT_EQ(RollbackAlarms()[0].severity, "warning");
}

TEST_F(Deliveries, WhatAPersonEndsIsNoAlarm) {
  Try("canary");
  ASSERT_TRUE(catalog_->AddCommand({.kind = "rollback", .arguments = R"({"reason":"sounds wrong"})", .actor = "api", .state = "pending"}).ok());
  ASSERT_TRUE(FollowCommands(On(time_)).ok());
  const json outcome = json::parse((*catalog_->FindCommand(1))->outcome);
  EXPECT_EQ(outcome["ended"], "canary");
  EXPECT_EQ(outcome["live"], "live");
  Look();
  EXPECT_TRUE(RollbackAlarms().empty());
}

TEST_F(Deliveries, AtEachWriteWhoIsKilledComesToTheSameEnd) {
  const fs::path copies = folder_.root.string() + "-copies";
  for (const bool worse : {true, false}) {
    Try("canary");
    const int64_t trial = (*catalog_->Trial())->seq;
    Show("live", 300, 0.3, worse ? 0.02 : 0.5);
    Show("canary", 300, 0.6, worse ? 0.6 : 0.02);
    AfterTheWindow();
    const size_t alarms_before = RollbackAlarms().size();
    std::vector<std::string> moments;
    const BeforeWrite before = [&](const std::string& what) {
      const fs::path copy = copies / (std::to_string(worse) + std::to_string(moments.size()));
      moments.push_back(what);
      fs::create_directories(copies);
      fs::copy(folder_.root, copy, fs::copy_options::recursive);
    };
    {
      WatchedCatalog watched(*catalog_, before);
      ASSERT_TRUE(FollowDelivery({*bucket_, watched, time_, settings_, instruments_, folder_, cancelled_}).ok());
    }
    EXPECT_EQ(moments.size(), worse ? 3U : 2U) << "the look, the step, and the alarm where it is one";
    const fs::path root = folder_.root;
    for (size_t m = 0; m < moments.size(); ++m) {
      SCOPED_TRACE("killed before " + moments[m]);
      catalog_ = *store::OpenSqliteCatalog(copies / (std::to_string(worse) + std::to_string(m)) / "catalog.sqlite");
      EXPECT_EQ(Live(), "live");
      Look();
      Look();
      EXPECT_EQ(Live(), worse ? "live" : "new");
      EXPECT_EQ(RollbackAlarms().size(), alarms_before + (worse ? 1 : 0));
      EXPECT_EQ(Newest().seq, trial + 1) << "one step, whatever happened";
    }
    catalog_ = *store::OpenSqliteCatalog(root / "catalog.sqlite");
  }
  fs::remove_all(copies);
}

class ReleasedRuns : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    settings_.delivery.mode = "canary";
    settings_.max_drop = 1;
    settings_.confidence = 0.999999;
  }
};

TEST_F(ReleasedRuns, TheFirstModelGoesLiveTheNextIsACanaryAndOneThatWasRolledBackIsNotTriedAgain) {
  DropListeners(1);
  const auto first = Run("inbox");
  ASSERT_EQ(first.state, "approved") << first.error << first.verdict;
  EXPECT_EQ(Live(), first.model_id);
  DropListeners(2, folder_.inbox() / "more");
  const auto second = Run("inbox");
  ASSERT_EQ(second.state, "approved") << second.error << second.verdict;
  ASSERT_NE(second.model_id, first.model_id);
  EXPECT_EQ(Live(), first.model_id) << "its canary has only begun";
  const auto trial = *catalog_->Trial();
  ASSERT_TRUE(trial.has_value());
  EXPECT_EQ(trial->to_model, second.model_id);
  EXPECT_EQ(trial->action, "canary");
  ASSERT_TRUE(deploy::Withdraw(*trial, *catalog_, clock_, "pipeline", deploy::Withdrawal::kRolledBack, "disliked").ok());
  const auto again = Run("person");
  ASSERT_EQ(again.model_id, second.model_id);
  EXPECT_FALSE(catalog_->Trial()->has_value()) << "the same model on the same data";
  EXPECT_EQ(Live(), first.model_id);
}

}  // namespace
}  // namespace segue::pipeline
