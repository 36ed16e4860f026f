#include "core/settings.h"

#include <gtest/gtest.h>

namespace segue {
namespace {

TEST(Settings, EveryDefaultIsWithinItsRange) {
  const Settings defaults;
  for (const SettingInfo& info : AllSettings()) {
    Settings copy;
    const Status set = Set(copy, info.name, Get(defaults, info));
    EXPECT_TRUE(set.ok()) << info.name << ": " << (set.ok() ? "" : set.error().message);
    EXPECT_FALSE(info.doc.empty()) << info.name;
  }
}

TEST(Settings, AMisspeltNameNamesTheNearest) {
  Settings settings;
  const Status set = Set(settings, "gate.min_mr", "0.1");
  ASSERT_FALSE(set.ok());
  EXPECT_NE(set.error().message.find("'gate.min_mrr'"), std::string::npos) << set.error().message;
}

TEST(Settings, NumbersAreCheckedAgainstTheirRange) {
  Settings settings;
  EXPECT_TRUE(Set(settings, "gate.min_mrr", "0.5").ok());
  EXPECT_EQ(settings.min_mrr, 0.5);
  for (const char* text : {"1.5", "-1", "many", "", "nan", "0.1x"}) {
    EXPECT_FALSE(Set(settings, "gate.min_mrr", text).ok()) << text;
  }
  EXPECT_EQ(settings.min_mrr, 0.5) << "a refused value changes nothing";
  EXPECT_FALSE(Set(settings, "ials.factors", "6.5").ok());
  EXPECT_FALSE(Set(settings, "evaluate.split", "by_moon").ok());
}

TEST(Settings, TomlSetsThemAndItsErrorsNameTheLine) {
  Settings settings;
  ASSERT_TRUE(ApplyToml(settings, "[gate]\nmin_mrr = 0.25\n[ials]\nfactors = 32\n", "segue.toml").ok());
  EXPECT_EQ(settings.min_mrr, 0.25);
  EXPECT_EQ(settings.ials.factors, 32);
  const Status unknown = ApplyToml(settings, "[gate]\n\nmin_mr = 1\n", "segue.toml");
  ASSERT_FALSE(unknown.ok());
  EXPECT_NE(unknown.error().message.find("segue.toml line 3"), std::string::npos) << unknown.error().message;
  const Status broken = ApplyToml(settings, "[gate\n", "segue.toml");
  ASSERT_FALSE(broken.ok());
  EXPECT_NE(broken.error().message.find("line 1"), std::string::npos) << broken.error().message;
}

TEST(Settings, TomlNamesMappings) {
  Settings settings;
  ASSERT_TRUE(ApplyToml(settings,
                        "[[ingest.mapping]]\nname = \"mine\"\n[ingest.mapping.columns]\nlistener = \"user\"\n"
                        "artist = \"band\"\n",
                        "segue.toml").ok());
  ASSERT_EQ(settings.mappings.size(), 1u);
  EXPECT_EQ(settings.mappings[0].name, "mine");
  EXPECT_EQ(settings.mappings[0].table, "listens");
  EXPECT_EQ(settings.mappings[0].columns.at("artist"), "band");
  EXPECT_FALSE(ApplyToml(settings, "[[ingest.mapping]]\nname = \"x\"\n", "segue.toml").ok()) << "no columns";
  EXPECT_FALSE(ApplyToml(settings, "[[ingest.mapping]]\ntable = \"songs\"\n", "segue.toml").ok());
}

TEST(Settings, TheEnvironmentComesOnTop) {
  Settings settings;
  const char* environment[] = {"PATH=/bin", "SEGUE_GATE_MIN_MRR=0.125", "SEGUE_SERVE_LISTEN=127.0.0.1:1", nullptr};
  ASSERT_TRUE(ApplyEnvironment(settings, environment).ok());
  EXPECT_EQ(settings.min_mrr, 0.125);
  EXPECT_EQ(settings.listen, "127.0.0.1:1");
  const char* wrong[] = {"SEGUE_GATE_MIN_MRR=much", nullptr};
  const Status refused = ApplyEnvironment(settings, wrong);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("SEGUE_GATE_MIN_MRR"), std::string::npos);
}

TEST(Settings, TheFingerprintHasWhatChangesResultsOnly) {
  Settings settings;
  const std::string before = ResultFingerprint(settings, "train.");
  settings.threads = 7;
  EXPECT_EQ(ResultFingerprint(settings, "train."), before) << "threads change speed, not results";
  settings.skip_weight = 7;
  EXPECT_NE(ResultFingerprint(settings, "train."), before);
}

TEST(Settings, AScheduleIsReadWhenItIsSet) {
  Settings settings;
  EXPECT_TRUE(Set(settings, "schedule.cron", "0 3 * * mon-fri").ok());
  EXPECT_TRUE(Set(settings, "schedule.cron", "").ok());
  const auto wrong = ApplyToml(settings, "[schedule]\ncron = \"0 24 * * *\"\n", "segue.toml");
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().message.find("segue.toml line 2: setting 'schedule.cron' is '0 24 * * *': the hour '24'"), 0U) << wrong.error().message;
  EXPECT_FALSE(Set(settings, "schedule.timezone", "Mars/Olympus").ok());
}

TEST(Settings, RulesOfAlarmsAreReadAndTheirFaultsNamed) {
  Settings settings;
  ASSERT_TRUE(ApplyToml(settings, "[[alarms.rule]]\nname = \"a\"\nmetric = \"m\"\nthreshold = 2\nfor = \"30m\"\n"
                                  "[[alarms.rule]]\nname = \"b\"\nmetric = \"m\"\ncomparison = \"<=\"\nthreshold = 0.5\nfor = 90\n"
                                  "severity = \"critical\"\nmessage = \"why\"\n", "t").ok());
  ASSERT_EQ(settings.alarms.rules.size(), 2U);
  EXPECT_EQ(settings.alarms.rules[0].for_seconds, 1800);
  EXPECT_EQ(settings.alarms.rules[0].comparison, ">");
  EXPECT_EQ(settings.alarms.rules[1].for_seconds, 90);
  EXPECT_EQ(settings.alarms.rules[1].threshold, 0.5);
  EXPECT_EQ(settings.alarms.rules[1].severity, "critical");
  const std::string start = "[[alarms.rule]]\nname = \"a\"\nmetric = \"m\"\n";
  for (const auto& [rest, word] : std::vector<std::pair<std::string, std::string>>{
           {"", "threshold is missing"}, {"threshold = \"x\"", "t line 4: alarms.rule 'a': threshold"},
           {"threshold = 1\nfor = \"3 weeks\"", "t line 5: alarms.rule 'a': for is '3 weeks'"},
           {"threshold = 1\ncomparison = \"=\"", "comparison is '='"}, {"threshold = 1\nseverity = \"bad\"", "severity is 'bad'"},
           {"threshold = 1\nlimit = 2", "unknown key 'limit'"}}) {
    const Status wrong = ApplyToml(settings, start + rest + "\n", "t");
    ASSERT_FALSE(wrong.ok()) << rest;
    EXPECT_NE(wrong.error().message.find(word), std::string::npos) << wrong.error().message;
  }
  EXPECT_FALSE(Set(settings, "alarms.webhook_url", "ftp://x").ok());
}

}  // namespace
}  // namespace segue
