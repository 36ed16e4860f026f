#include "pipeline/judged.h"
#include "pipeline/testing.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class TheFollower : public SmallPipeline {
 protected:
  /// Starts it, and waits until it has answered what is there.
  void Follow() {
    auto followed = pipeline::Follow(Now());
    ASSERT_TRUE(followed.ok()) << followed.error().message;
    follower_ = *std::move(followed);
  }
  void TearDown() override {
    follower_.reset();
    SmallPipeline::TearDown();
  }
  bool HasRuns(size_t count) {
    return Eventually([&] { return Finished().size() >= count && Finished().size() == catalog_->Runs(0, 100)->size(); });
  }
  /// The same while its clock goes on, by so many milliseconds a look.
  bool HasRunsInTime(size_t count, int64_t step_ms = 50) {
    return Eventually([&] {
      time_.Advance(step_ms);
      return Finished().size() >= count && Finished().size() == catalog_->Runs(0, 100)->size();
    });
  }
  int64_t Ask(const json& arguments) {
    return *catalog_->AddCommand({.kind = "run", .arguments = arguments.dump(), .actor = "test", .state = "pending"});
  }
  store::FakeClock time_{store::SystemClock().NowMs() + 5'000};  ///< stands still; files that are dropped have come to rest by it
  std::unique_ptr<Follower> follower_;
};

TEST_F(TheFollower, ABurstOfFilesIsOneRunThatSaysWhatWasNew) {
  DropListeners(1);
  Follow();
  ASSERT_TRUE(HasRuns(1));
  const auto run = Finished().front();
  EXPECT_EQ(run.trigger, "inbox");
  EXPECT_EQ(run.state, "approved") << run.error << run.verdict;
  EXPECT_GT(NewsOf(run)["objects"], 4);
  EXPECT_GT(NewsOf(run)["rows"], 100);
  EXPECT_EQ(NewsOf(run)["events"], 0);
  EXPECT_FALSE(NewsOf(run).contains("config"));
}

TEST_F(TheFollower, ANotificationOfAnObjectStartsARunThatNamesIt) {
  settings_.inbox_burst_ms = 600'000;  // the inbox alone would wait
  Follow();
  DropListeners(1);
  const std::string name = fs::relative(*std::find_if(fs::recursive_directory_iterator(folder_.inbox()), fs::recursive_directory_iterator(),
                                                      [](const auto& entry) { return entry.is_regular_file(); }), folder_.inbox()).string();
  const json arguments = {{"key", "inbox/" + name}, {"at", clock_.NowSeconds()}};
  const int64_t told = *catalog_->AddCommand({.kind = "notification", .arguments = arguments.dump(), .actor = "api", .state = "pending"});
  ASSERT_TRUE(HasRuns(1));
  EXPECT_EQ(Finished().front().trigger, "notification");
  EXPECT_EQ(Finished().front().trigger_detail, "inbox/" + name);
  EXPECT_TRUE(Eventually([&] { return (*catalog_->FindCommand(told))->state == "done"; }));
}

TEST_F(TheFollower, FeedbackDuringARunStartsTheNextOne) {
  settings_.feedback_trigger = 30;
  DropListeners(1);
  Follow();
  // After it has read what there is: from then on all is for the next run.
  ASSERT_TRUE(Eventually([&] {
    const auto runs = catalog_->Runs(0, 1);
    return !runs->empty() && runs->front().stages.size() > 1 && runs->front().stages[1].state == "done";
  }));
  for (int i = 0; i < 6; ++i) Feedback(10 * i, 10);
  ASSERT_TRUE(HasRuns(2));
  EXPECT_EQ(Finished().front().trigger, "feedback");
  EXPECT_EQ(Finished().back().trigger, "inbox");
}

TEST_F(TheFollower, WishesOfABurstAreOneRunAndDryOnesAnother) {
  DropListeners(1);
  Run("inbox");
  const std::string live = Live();
  std::vector<int64_t> wishes;
  for (int i = 0; i < 3; ++i) wishes.push_back(Ask({{"reason", "n"}}));
  for (int i = 0; i < 2; ++i) wishes.push_back(Ask({{"dry_run", true}}));
  Follow();
  ASSERT_TRUE(Eventually([&] {
    return std::all_of(wishes.begin(), wishes.end(), [&](int64_t id) { return (*catalog_->FindCommand(id))->state == "done"; });
  }));
  const auto runs = Finished();
  ASSERT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs[0].trigger, kDryRun);
  EXPECT_EQ(runs[0].state, "dry_run");
  EXPECT_EQ(runs[1].trigger, "person");
  EXPECT_EQ(Live(), live);
}

TEST_F(TheFollower, AScheduledRunWithNothingNewIsShortAndOneWithSettingsChangedIsNot) {
  DropListeners(1);
  Run("inbox");
  EXPECT_EQ(Run("schedule").state, "nothing_new");
  Feedback(0, 3);
  EXPECT_NE(Run("schedule").state, "nothing_new") << "three events are new";
  EXPECT_EQ(Run("schedule").state, "nothing_new");
  settings_.min_hit_rate = 0.01;
  const auto run = Run("schedule");
  EXPECT_NE(run.state, "nothing_new");
  EXPECT_EQ(NewsOf(run)["config"], "gate.min_hit_rate 0 -> 0.01");
  EXPECT_EQ(Run("schedule").state, "nothing_new");
}

TEST_F(TheFollower, SettingsThatChangedWhileItWasOffAreJudgedAtTheStart) {
  DropListeners(1);
  Run("inbox");
  settings_.skip_weight = 0.75;
  Follow();
  ASSERT_TRUE(HasRuns(2));
  EXPECT_EQ(Finished().front().trigger, "config");
  EXPECT_EQ(Finished().front().trigger_detail, "train.skip_weight 0.5 -> 0.75");
  EXPECT_NE(Finished().front().state, "nothing_new");
}

TEST_F(TheFollower, AnAlarmOfDriftStartsARun) {
  DropListeners(1);
  const auto first = Run("inbox");
  Follow();
  ASSERT_TRUE(catalog_->AddAlarm({.at = first.started_ms / 1000 + 1, .severity = "warning", .name = "drift", .message = "moved"}).ok());
  ASSERT_TRUE(HasRuns(2));
  EXPECT_EQ(Finished().front().trigger, "drift");
  EXPECT_NE(Finished().front().state, "nothing_new");
}

TEST_F(TheFollower, AFailedRunIsTriedAgainWithoutTheFileThatItRefused) {
  DropListeners(1);
  DropSongs(1000);
  follower_ = *pipeline::Follow(On(time_));
  ASSERT_TRUE(HasRuns(1));
  EXPECT_EQ(Finished().front().state, "failed");
  EXPECT_NE(Finished().front().error.find("songs.csv"), std::string::npos) << Finished().front().error;
  ASSERT_TRUE(HasRunsInTime(2));
  EXPECT_GE(Finished()[0].started_ms - Finished()[1].finished_ms, 10'000);
  EXPECT_EQ(Finished().front().state, "approved") << Finished().front().error;
  EXPECT_EQ(Finished().front().trigger, "inbox");
  EXPECT_TRUE(Finished().front().trigger_detail.starts_with("again after a failure: ")) << Finished().front().trigger_detail;
}

TEST_F(TheFollower, WhatComesInAfterAFailureDoesNotWait) {
  DropListeners(1);
  DropSongs(1000);
  follower_ = *pipeline::Follow(On(time_));
  ASSERT_TRUE(HasRuns(1));
  EXPECT_EQ(Finished().front().state, "failed");
  DropListeners(2);
  for (const auto& entry : fs::recursive_directory_iterator(folder_.inbox())) {
    if (entry.is_regular_file()) fs::last_write_time(entry.path(), fs::file_time_type::clock::now() + std::chrono::seconds(6));
  }
  // Comes to rest, in less than the wait.
  ASSERT_TRUE(HasRunsInTime(2, 1));
  EXPECT_EQ(Finished().front().state, "approved") << Finished().front().error;
  EXPECT_FALSE(Finished().front().trigger_detail.starts_with("again")) << Finished().front().trigger_detail;
}

TEST_F(TheFollower, ARunThatHadFailedIsTriedAgainAfterARestart) {
  DropListeners(1);
  DropSongs(1000);
  EXPECT_EQ(Run("inbox").state, "failed");
  const int64_t restart_ms = time_.NowMs();
  follower_ = *pipeline::Follow(On(time_));
  ASSERT_TRUE(HasRunsInTime(2));
  EXPECT_GE(Finished().front().started_ms - restart_ms, 10'000);
  EXPECT_EQ(Finished().front().state, "approved") << Finished().front().error;
}

TEST_F(TheFollower, ADryRunChangesNothingAndTheNextRunDoesItsWork) {
  EXPECT_EQ(Run(kDryRun).state, "failed") << "there is nothing to learn from";
  DropListeners(1);
  const auto first = Run("inbox");
  ASSERT_EQ(first.state, "approved") << first.error << first.verdict;
  const auto before = *catalog_->FindModel(first.model_id);
  DropListeners(2, folder_.root / "more");
  Feedback(0, 10);
  settings_.min_mrr = 1;
  const auto dry = Run(kDryRun);
  EXPECT_EQ(dry.state, "dry_run") << dry.error;
  EXPECT_FALSE(json::parse(dry.verdict)["approved"]);
  EXPECT_NE(dry.dataset_id, first.dataset_id) << "it has the ten events";
  settings_.min_mrr = 0;
  const auto again = Run(kDryRun);
  EXPECT_TRUE(json::parse(again.verdict)["approved"]) << again.verdict;
  EXPECT_EQ(NewsOf(again)["events"], 10) << "still new";
  EXPECT_EQ(Live(), first.model_id);
  EXPECT_EQ(catalog_->Alarms(10)->size(), 0U);
  EXPECT_EQ((*catalog_->FindModel(first.model_id))->verdict, before->verdict);
  const auto real = Run("schedule");
  EXPECT_EQ(real.state, "approved") << real.error << real.verdict;
  EXPECT_EQ(real.model_id, again.model_id);
  EXPECT_EQ(Live(), real.model_id);
}

TEST_F(TheFollower, ADryRunLeavesTheInboxAlone) {
  DropListeners(1);
  Run("inbox");
  DropListeners(2);
  EXPECT_EQ(Run(kDryRun).state, "dry_run");
  EXPECT_EQ(NewsOf(Run(kDryRun))["objects"], 0);
  EXPECT_GT(NewsOf(Run("inbox"))["objects"], 0);
}

}  // namespace
}  // namespace segue::pipeline
