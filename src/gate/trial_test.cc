#include "gate/trial.h"

#include <gtest/gtest.h>

namespace segue::gate {
namespace {

class Trial : public testing::Test {
 protected:
  Trial() {
    settings_.delivery.min_listeners = 30;
    settings_.delivery.margin = 0.05;
  }

  /// So many listeners of an arm, of whose lists that share was a hit (liked, disliked).
  void Listeners(Arm arm, int count, double hit, double liked = 0, double disliked = 0) {
    for (int i = 0; i < count; ++i) {
      const auto had = [&](double share) { return (i + 1) * share >= static_cast<int>(i * share) + 1 ? 1.0 : 0.0; };
      outcomes_.push_back({arm, 5, had(hit), had(liked), had(disliked)});
    }
  }
  TrialRuling Ask(bool shown = true) {
    return Decide({.challenger_id = "new", .shown = shown, .running_s = running_s_, .challenger = challenger_, .live = {}, .outcomes = outcomes_,
                   .alarm = alarm_, .settings = settings_});
  }
  static bool Approved(const TrialRuling& ruling) { return ruling.verdict && std::holds_alternative<Approval>(*ruling.verdict); }
  static std::string Refused(const TrialRuling& ruling) {
    const auto* refusal = ruling.verdict ? std::get_if<Refusal>(&*ruling.verdict) : nullptr;
    return refusal == nullptr ? "" : refusal->reason;
  }

  Settings settings_;
  std::vector<ListenerOutcome> outcomes_;
  ArmFigures challenger_;
  std::string alarm_;
  int64_t running_s_ = 60;
};

TEST_F(Trial, GoesOnUntilBothArmsHaveEnoughListeners) {
  Listeners(Arm::kLive, 1000, 0.5);
  Listeners(Arm::kCanary, 29, 0);
  const auto ruling = Ask();
  EXPECT_FALSE(ruling.verdict);
  EXPECT_NE(ruling.waits_for.find("29 listeners"), std::string::npos) << ruling.waits_for;
}

TEST_F(Trial, AChallengerThatIsHitLessIsRefusedWithTheFigures) {
  Listeners(Arm::kLive, 300, 0.5);
  Listeners(Arm::kCanary, 100, 0.1);
  const std::string reason = Refused(Ask());
  EXPECT_NE(reason.find("hit_rate: 0.1000 on 100 listeners, the live model's 0.5000 on 300: -0.4000"), std::string::npos) << reason;
  EXPECT_EQ(reason.find("like_rate"), std::string::npos) << "what is not worse is no reason: " << reason;
}

TEST_F(Trial, AChallengerThatIsDislikedMoreIsRefusedEvenIfItIsHitAsOften) {
  Listeners(Arm::kLive, 300, 0.5, 0.1, 0.02);
  Listeners(Arm::kCanary, 100, 0.5, 0.1, 0.4);
  const auto ruling = Ask();
  EXPECT_NE(Refused(ruling).find("dislike_rate"), std::string::npos) << Refused(ruling);
  for (const Check& check : ruling.checks) {
    if (check.name != "dislike_rate") continue;
    EXPECT_NEAR(check.value, 0.38, 0.005) << "in the rate's own direction";
  }
}

TEST_F(Trial, AnEqualChallengerIsApprovedOnceTheIntervalsAreWithinTheMargin) {
  Listeners(Arm::kLive, 300, 0.2, 0.05, 0.02);
  Listeners(Arm::kCanary, 300, 0.2, 0.05, 0.02);
  EXPECT_FALSE(Ask().verdict) << "three hundred are not enough to say";
  outcomes_.clear();
  Listeners(Arm::kLive, 8000, 0.2, 0.05, 0.02);
  Listeners(Arm::kCanary, 8000, 0.2, 0.05, 0.02);
  const auto ruling = Ask();
  ASSERT_TRUE(Approved(ruling)) << ruling.waits_for << Refused(ruling);
  EXPECT_EQ(std::get<Approval>(*ruling.verdict).model_id(), "new");
}

TEST_F(Trial, ABetterChallengerIsApprovedSooner) {
  Listeners(Arm::kLive, 400, 0.2, 0.02, 0.5);
  Listeners(Arm::kCanary, 400, 0.5, 0.2, 0.2);
  EXPECT_TRUE(Approved(Ask()));
}

TEST_F(Trial, AnAlarmFailuresOrSlownessEndItWhateverTheRates) {
  Listeners(Arm::kLive, 400, 0.2);
  Listeners(Arm::kCanary, 400, 0.9);
  alarm_ = "alarm serve: answers are lost";
  EXPECT_NE(Refused(Ask()).find("answers are lost"), std::string::npos);
  alarm_.clear();
  challenger_.lists = 19;
  challenger_.failed = 19;
  EXPECT_EQ(Refused(Ask()), "") << "too few to tell";
  challenger_.lists = 100;
  challenger_.failed = 3;
  EXPECT_NE(Refused(Ask()).find("failed_lists: 3 of 100"), std::string::npos);
  challenger_.failed = 2;
  EXPECT_EQ(Refused(Ask()), "") << "the limit itself is allowed";
  challenger_.made_p99_ms = settings_.delivery.max_p99_ms + 1;
  EXPECT_NE(Refused(Ask()).find("latency_p99"), std::string::npos);
}

TEST_F(Trial, AShadowPassesAfterItsTimeAndItsLists) {
  challenger_.lists = settings_.delivery.shadow_lists;
  EXPECT_FALSE(Ask(false).verdict);
  running_s_ = settings_.delivery.shadow_minutes * 60;
  EXPECT_TRUE(Approved(Ask(false)));
  --challenger_.lists;
  EXPECT_FALSE(Ask(false).verdict);
  alarm_ = "alarm";
  EXPECT_NE(Refused(Ask(false)), "");
}

TEST_F(Trial, WhatIsNotDecidedInTimeEndsAsTheSettingsSay) {
  running_s_ = settings_.delivery.max_hours * 3600 - 1;
  EXPECT_FALSE(Ask().verdict);
  ++running_s_;
  EXPECT_TRUE(Ask().timed_out);
  EXPECT_NE(Refused(Ask()).find("not decided within"), std::string::npos);
  settings_.delivery.on_timeout = "promote";
  EXPECT_TRUE(Approved(Ask()));
  alarm_ = "alarm";
  EXPECT_FALSE(Approved(Ask())) << "time is no excuse";
}

}  // namespace
}  // namespace segue::gate
