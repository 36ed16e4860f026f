#include "monitor/alarms.h"

#include <gtest/gtest.h>

#include "monitor/testing.h"

namespace segue::monitor {
namespace {

constexpr int64_t kStart = 1'700'000'000'000;
constexpr int64_t kMinute = 60'000;

class Alarms : public WithCatalog {
 protected:
  void SetUp() override {
    WithCatalog::SetUp();
    Restart();
  }
  /// A program that starts anew.
  void Restart() { evaluator_.emplace(book(), rules_, 24); }

  /// One look with the metric at `value`; both clocks have gone by `minutes`.
  void Look(std::optional<double> value, int64_t minutes = 1, int64_t wall_minutes_more = 0) {
    wall_ms_ += (minutes + wall_minutes_more) * kMinute;
    steady_ms_ += minutes * kMinute;
    Readings readings;
    if (value) readings["m"] = *value;
    const Status looked = evaluator_->Look(readings, wall_ms_, steady_ms_);
    ASSERT_TRUE(looked.ok()) << looked.error().message;
  }
  /// Of the newest that is not inactive.
  std::string Newest() {
    const auto alarms = *book().ListAlarms({.limit = 1});
    return alarms.empty() ? "none" : alarms[0].state;
  }

  std::vector<AlarmRule> rules_ = {{.name = "high", .metric = "m", .threshold = 10, .for_seconds = 300, .message = "{value} > {threshold}"}};
  std::optional<AlarmEvaluator> evaluator_;
  int64_t wall_ms_ = kStart, steady_ms_ = 5'000'000;
};

TEST_F(Alarms, AConditionFiresOnceItHasLastedAndIsResolvedWhenItEnds) {
  Look(10);
  EXPECT_EQ(Newest(), "none") << "10 is not above 10";
  Look(11);
  EXPECT_EQ(Newest(), "pending");
  Look(11, 4);
  EXPECT_EQ(Newest(), "pending") << "four minutes of five";
  Look(12);
  EXPECT_EQ(Newest(), "firing");
  EXPECT_EQ((*book().ListAlarms({}))[0].message, "12 > 10");
  Look(12, 60);
  EXPECT_EQ(book().AlarmHistory(1)->size(), 2U) << "what fires fires once";
  Look(3);
  EXPECT_EQ(Newest(), "resolved");
  Look(11);
  EXPECT_EQ(book().ListAlarms({})->size(), 2U) << "the next time is another alarm";
}

TEST_F(Alarms, AConditionThatDoesNotLastNeverFires) {
  for (int i = 0; i < 5; ++i) {
    Look(11, 3);
    EXPECT_EQ(Newest(), "pending");
    Look(9, 1);
    EXPECT_EQ(book().ListAlarms({.state = "open"})->size(), 0U);
  }
  EXPECT_EQ(book().ListAlarms({.state = "inactive"})->size(), 5U);
}

TEST_F(Alarms, AMetricThatIsNotKnownHoldsNothing) {
  Look(11);
  Look(std::nullopt, 10);
  EXPECT_EQ(book().ListAlarms({.state = "open"})->size(), 0U);
}

TEST_F(Alarms, ANewStartGoesOnWhereTheOldOneWas) {
  Look(11);
  Look(11, 3);
  Restart();
  steady_ms_ = 17;  // another boot's clock
  Look(11, 2);
  EXPECT_EQ(Newest(), "firing") << "it had been pending for five minutes in all";
  Restart();
  Look(11, 1);
  EXPECT_EQ(book().ListAlarms({.state = "open"})->size(), 1U);
  EXPECT_EQ(book().AlarmHistory(1)->size(), 2U) << "nor does it fire again";
}

TEST_F(Alarms, AClockThatIsSetMakesNothingFireAndNothingWait) {
  Look(11);
  Look(11, 1, 24 * 60);
  EXPECT_EQ(Newest(), "pending") << "a day forward is not a day of waiting";
  Look(11, 4);
  EXPECT_EQ(Newest(), "firing");
  Look(3);
  Look(11);
  Look(11, 1, -48 * 60);
  Look(11, 3);
  EXPECT_EQ(Newest(), "pending");
  Look(11, 1);
  EXPECT_EQ(Newest(), "firing") << "two days back are not two days to wait";
}

TEST_F(Alarms, ABeginningThatLiesInTheFutureBecomesNow) {
  Look(11);
  Restart();
  wall_ms_ -= 1000 * kMinute;
  Look(11, 1);
  Look(11, 4);
  EXPECT_EQ(Newest(), "pending");
  Look(11, 1);
  EXPECT_EQ(Newest(), "firing");
}

TEST_F(Alarms, AnAlarmWhoseRuleIsGoneEnds) {
  Look(11);
  Look(11, 10);
  rules_[0].name = "another";
  Restart();
  Look(3);
  EXPECT_EQ(Newest(), "resolved");
}

TEST_F(Alarms, AnEventIsOverAfterItsHours) {
  ASSERT_TRUE(catalog_->AddAlarm({.at = kStart / 1000, .severity = "critical", .name = "run_failed", .message = "why"}).ok());
  Look(0, 23 * 60);
  EXPECT_EQ(Newest(), "firing");
  Look(0, 60);
  EXPECT_EQ(Newest(), "resolved");
}

TEST(Rules, OnesOwnTakeThePlaceOfThoseBuiltIn) {
  Settings settings;
  settings.drift.max_listening = 0.125;
  const auto built_in = *RulesInForce(settings);
  const auto drift = std::find_if(built_in.begin(), built_in.end(), [](const AlarmRule& rule) { return rule.name == "drift"; });
  ASSERT_NE(drift, built_in.end()) << "the trigger of drift waits for this name";
  EXPECT_EQ(drift->threshold, 0.125);
  settings.alarms.rules = {{.name = "model_old", .metric = "model_age_seconds", .threshold = 7}};
  const auto rules = *RulesInForce(settings);
  EXPECT_EQ(rules.size(), built_in.size());
  EXPECT_EQ(rules.back().threshold, 7);
  settings.alarms.defaults = "off";
  EXPECT_EQ(RulesInForce(settings)->size(), 1U);
  settings.alarms.rules[0].metric = "model_age";
  const auto wrong = RulesInForce(settings);
  ASSERT_FALSE(wrong.ok());
  EXPECT_NE(wrong.error().message.find("known: model_age_seconds"), std::string::npos) << wrong.error().message;
}

TEST(Rules, EachBuiltInRuleLooksAtAMetricThatThereIs) {
  for (const AlarmRule& rule : *RulesInForce(Settings{})) {
    const auto metrics = KnownMetrics();
    EXPECT_TRUE(std::any_of(metrics.begin(), metrics.end(), [&](const MetricInfo& m) { return m.name == rule.metric; })) << rule.name;
    EXPECT_EQ(MessageOf(rule, 1.5).find('{'), std::string::npos) << rule.name;
  }
}

TEST(Rules, ComparisonsHoldAtTheirThresholdOrNot) {
  EXPECT_FALSE(Holds({.comparison = ">", .threshold = 2}, 2));
  EXPECT_TRUE(Holds({.comparison = ">=", .threshold = 2}, 2));
  EXPECT_FALSE(Holds({.comparison = "<", .threshold = 2}, 2));
  EXPECT_TRUE(Holds({.comparison = "<=", .threshold = 2}, 2));
  EXPECT_EQ(MessageOf({.metric = "m", .comparison = "<", .threshold = 2}, 1.25), "m is 1.250, which is < 2");
}

}  // namespace
}  // namespace segue::monitor
