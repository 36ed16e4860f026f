#include "pipeline/triggers.h"

#include <nlohmann/json.hpp>

#include "pipeline/judged.h"
#include "pipeline/testing.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int64_t kSecond = 1000, kHour = 3'600'000;
/// 2026-03-04 10:00 UTC.
constexpr int64_t kStart = 1'772'618'400'000;

class TheTriggers : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    Make();
  }
  /// As when the program starts.
  void Make() {
    auto made = Triggers::Make(On(time_));
    ASSERT_TRUE(made.ok()) << made.error().message;
    triggers_ = std::make_unique<Triggers>(*std::move(made));
  }
  /// The kind that is due, a second later; "" none.
  std::string Due() {
    time_.Advance(kSecond);
    auto due = triggers_->Due(time_.NowMs());
    EXPECT_TRUE(due.ok());
    last_ = due.ok() && *due ? **due : Trigger{"", ""};
    return last_.kind;
  }
  /// The kind that starts.
  std::string Start() {
    const std::string kind = Due();
    if (!kind.empty()) {
      EXPECT_TRUE(triggers_->Starting(last_, time_.NowMs()).ok());
    }
    return kind;
  }
  void End(const std::string& state) {
    EXPECT_TRUE(triggers_->Ended({.run_id = "r1", .trigger = last_.kind, .state = state}).ok());
  }
  int64_t Notify(const std::string& key) {
    const json arguments = {{"event", "ObjectCreated:Put"}, {"bucket", "b"}, {"key", key}, {"at", time_.NowSeconds()}};
    return *catalog_->AddCommand({.kind = "notification", .arguments = arguments.dump(), .actor = "api", .state = "pending"});
  }
  std::string StateOf(int64_t command) { return (*catalog_->FindCommand(command))->state; }
  /// A listener's file, changed a minute ago by the clock of the test.
  void Put(const std::string& name) {
    fs::create_directories((folder_.inbox() / name).parent_path());
    std::ofstream(folder_.inbox() / name) << "[]";
  }

  store::FakeClock time_{kStart};
  std::unique_ptr<Triggers> triggers_;
  Trigger last_;
};

TEST_F(TheTriggers, AScheduleIsDueOnceAtItsTime) {
  settings_.schedule_cron = "0 3 * * *";
  Make();
  EXPECT_EQ(Due(), "");
  time_.Set(kStart + 17 * kHour);
  EXPECT_EQ(Start(), "schedule");
  EXPECT_EQ(last_.detail, "0 3 * * * (UTC), due 2026-03-05T03:00:00Z");
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Due(), "");
  time_.Advance(24 * kHour);
  EXPECT_EQ(Start(), "schedule");
}

TEST_F(TheTriggers, ARunThatIsLongerThanTheScheduleIsFollowedByOneRun) {
  settings_.schedule_cron = "*/5 * * * *";
  Make();
  time_.Advance(300 * kSecond);
  EXPECT_EQ(Start(), "schedule");
  time_.Advance(3600 * kSecond);  // the run's time: twelve moments go by
  EXPECT_EQ(Start(), "schedule");
  for (int i = 0; i < 60; ++i) EXPECT_EQ(Due(), "") << i;
}

TEST_F(TheTriggers, AClockThatJumpsNeitherFiresAHundredTimesNorNeverAgain) {
  settings_.schedule_cron = "0 * * * *";
  Make();
  time_.Advance(365 * 24 * kHour);
  EXPECT_EQ(Start(), "schedule") << "a year that went by at once";
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Due(), "");
  time_.Set(kStart);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(Due(), "") << "back again";
  time_.Advance(kHour);
  EXPECT_EQ(Start(), "schedule") << "it goes on from there";
  time_.Advance(-600 * kSecond);
  EXPECT_EQ(Due(), "");
  time_.Advance(620 * kSecond);
  EXPECT_EQ(Due(), "") << "what was done is not done again for a small step back";
  time_.Advance(kHour);
  EXPECT_EQ(Start(), "schedule");
}

TEST_F(TheTriggers, WhatWasDueWhileTheProgramWasOffIsDueOnce) {
  settings_.schedule_cron = "@daily";
  Make();
  time_.Advance(5 * 24 * kHour);
  Make();
  EXPECT_EQ(Start(), "schedule");
  Make();
  EXPECT_EQ(Due(), "") << "a restart knows what was started";
  time_.Advance(5 * 24 * kHour);
  settings_.schedule_cron = "@weekly";
  Make();
  EXPECT_EQ(Due(), "") << "another schedule begins with the present";
}

TEST_F(TheTriggers, EnoughFeedbackIsDue) {
  settings_.feedback_trigger = 5;
  Feedback(0, 4);
  EXPECT_EQ(Due(), "");
  Feedback(4, 1);
  EXPECT_EQ(Due(), "feedback");
  EXPECT_EQ(last_.detail, "5 new events");
  ASSERT_TRUE(RememberJudged(Now(), *MaterialNow(Now()), "d1", "r1").ok());
  EXPECT_EQ(Due(), "");
}

TEST_F(TheTriggers, ChangedSettingsAreDueUntilTheyAreJudged) {
  EXPECT_EQ(Due(), "") << "nothing was judged yet: nothing has changed";
  ASSERT_TRUE(RememberJudged(Now(), *MaterialNow(Now()), "d1", "r1").ok());
  EXPECT_EQ(Due(), "");
  settings_.listen = "127.0.0.1:1";
  settings_.threads = 7;
  settings_.svd.factors = 3;
  settings_.schedule_timezone = "UTC";
  EXPECT_EQ(Due(), "") << "these change no model and no verdict: svd does not take part";
  settings_.min_mrr = 0.25;
  EXPECT_EQ(Due(), "config");
  EXPECT_EQ(last_.detail, "gate.min_mrr 0 -> 0.25");
  settings_.config_trigger = "off";
  EXPECT_EQ(Due(), "");
  settings_.config_trigger = "on";
  ASSERT_TRUE(RememberJudged(Now(), *MaterialNow(Now()), "d1", "r1").ok());
  EXPECT_EQ(Due(), "");
  settings_.algorithms = "popularity,svd";
  EXPECT_EQ(Due(), "config");
}

TEST_F(TheTriggers, SettingsWithWhichARunFailsAreTriedAgainLaterEachTime) {
  ASSERT_TRUE(RememberJudged(Now(), *MaterialNow(Now()), "d1", "r1").ok());
  settings_.algorithms = "popularity,nonsense";
  const auto fails = [&] {
    ASSERT_EQ(Start(), "config");
    ASSERT_TRUE(triggers_->Ended({.run_id = "r1", .trigger = "config", .state = "failed", .finished_ms = time_.NowMs()}).ok());
  };
  fails();
  EXPECT_EQ(Due(), "");
  time_.Advance(kHour / 6);
  fails();
  Make();  // the program starts anew
  time_.Advance(kHour / 6);
  EXPECT_EQ(Due(), "") << "the second wait is twenty minutes";
  time_.Advance(kHour / 6);
  fails();
  for (int day = 0; day < 8; ++day) {
    time_.Advance(24 * kHour);
    fails();
  }
  time_.Advance(20 * kHour);
  EXPECT_EQ(Due(), "");
  settings_.algorithms = "popularity,nonsense2";
  EXPECT_EQ(Due(), "config") << "other settings are tried at once";
  settings_.algorithms = "popularity,nonsense";
  time_.Advance(5 * kHour);
  EXPECT_EQ(Start(), "config") << "a day is the longest wait";
  ASSERT_TRUE(triggers_->Ended({.run_id = "r1", .trigger = "config", .state = "refused", .finished_ms = time_.NowMs()}).ok());
  EXPECT_EQ(Due(), "config") << "it did not fail";
}

TEST_F(TheTriggers, AnotherVersionOfTheProgramIsAChangedConfiguration) {
  const std::string now = ConfigFingerprint(settings_);
  std::string before = now;
  before.replace(before.find("training_version=") + 17, 1, "0");
  EXPECT_EQ(ConfigChange(before, now), "training_version 0 -> " + now.substr(now.find("training_version=") + 17, 1));
  EXPECT_EQ(ConfigChange(now, now), "");
}

TEST_F(TheTriggers, AnAlarmOfDriftIsDueAndNoMoreOftenThanTheLimit) {
  const auto alarm = [&](const char* name) {
    ASSERT_TRUE(catalog_->AddAlarm({.at = time_.NowSeconds(), .severity = "warning", .name = name, .message = "tastes have moved"}).ok());
  };
  alarm("run_failed");
  EXPECT_EQ(Due(), "");
  alarm("drift");
  EXPECT_EQ(Start(), "drift");
  EXPECT_EQ(last_.detail, "tastes have moved");
  EXPECT_EQ(Due(), "") << "it was answered";
  alarm("drift");
  EXPECT_EQ(Due(), "") << "too soon";
  Make();
  EXPECT_EQ(Due(), "") << "too soon for a restarted program, too";
  time_.Advance(24 * kHour);
  EXPECT_EQ(Start(), "drift") << "it is not forgotten";
  time_.Advance(48 * kHour);
  alarm("drift");
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r5", .trigger = kDryRun, .state = "dry_run", .started_ms = time_.NowMs() + 5 * kSecond}).ok());
  EXPECT_EQ(Due(), "drift") << "a dry run answers nothing";
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r9", .trigger = "inbox", .state = "approved", .started_ms = time_.NowMs() + 5 * kSecond}).ok());
  EXPECT_EQ(Due(), "") << "a run came after it anyway";
}

TEST_F(TheTriggers, ANotificationWaitsForItsObjectAndIsAnsweredByOneRun) {
  const int64_t told = Notify("inbox/anna/a.json"), too = Notify("anna/b.json");
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Due(), "") << "no object, no run";
  Put("anna/a.json");
  Put("anna/b.json");
  EXPECT_EQ(Start(), "notification");
  EXPECT_EQ(last_.detail, "inbox/anna/a.json and 1 more");
  End("failed");
  EXPECT_EQ(StateOf(told), "pending") << "a failed run answers nothing";
  EXPECT_EQ(Start(), "notification");
  End("approved");
  EXPECT_EQ(StateOf(told), "done");
  EXPECT_EQ(StateOf(too), "done");
  EXPECT_EQ(Due(), "");
}

TEST_F(TheTriggers, ANotificationOfAnObjectThatIsTakenInAlreadyStartsNothing) {
  const int64_t told = Notify("inbox/anna.zip");
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "s", .name = "anna.zip!a.json", .status = "accepted", .added_at = time_.NowSeconds()}).ok());
  EXPECT_EQ(Due(), "");
  EXPECT_EQ(StateOf(told), "done");
  const int64_t seen = Notify("b.json");
  Put("b.json");
  EXPECT_EQ(Due(), "notification");
  fs::remove(folder_.inbox() / "b.json");  // the inbox's run was quicker
  EXPECT_EQ(Due(), "");
  EXPECT_EQ(StateOf(seen), "done");
}

TEST_F(TheTriggers, ANotificationWhoseObjectNeverComesIsGivenUp) {
  const int64_t told = Notify("inbox/never.json");
  time_.Advance((settings_.notifications_patience_s - 10) * kSecond);
  EXPECT_EQ(Due(), "");
  EXPECT_EQ(StateOf(told), "pending");
  Make();
  time_.Advance(20 * kSecond);
  EXPECT_EQ(Due(), "");
  EXPECT_EQ(StateOf(told), "failed");
}

TEST_F(TheTriggers, ABrokenScheduleIsRefusedAtTheStart) {
  settings_.schedule_cron = "0 25 * * *";
  const auto made = Triggers::Make(Now());
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("hour '25'"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace segue::pipeline
