#include "core/cron.h"

#include <cstdlib>
#include <ctime>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/random.h"

namespace segue {
namespace {

/// The C library's wall clock, which knows time zones without us.
class WallClock {
 public:
  explicit WallClock(const char* zone) {
    ::setenv("TZ", zone, 1);
    ::tzset();
  }
  ~WallClock() {
    ::unsetenv("TZ");
    ::tzset();
  }
  static std::tm At(int64_t unix_seconds) {
    const std::time_t time = unix_seconds;
    std::tm local{};
    ::localtime_r(&time, &local);
    return local;
  }
};

std::set<int> ValuesOf(const std::string& field, int least, int most) {
  std::set<int> values;
  size_t start = 0;
  while (start <= field.size()) {
    const size_t comma = std::min(field.find(',', start), field.size());
    const std::string part = field.substr(start, comma - start);
    start = comma + 1;
    const size_t slash = part.find('/');
    const std::string range = part.substr(0, slash);
    int from = least, to = most;
    if (range != "*") {
      from = to = std::atoi(range.c_str());
      if (range.find('-') != std::string::npos) to = std::atoi(range.substr(range.find('-') + 1).c_str());
    }
    const int step = slash == std::string::npos ? 1 : std::atoi(part.substr(slash + 1).c_str());
    for (int v = from; v <= to; v += step) values.insert(v);
  }
  return values;
}

/// The slow twin: fields as sets, every minute tried, the C library's clock.
struct Twin {
  std::vector<std::string> fields;
  std::vector<std::set<int>> values;

  explicit Twin(const std::vector<std::string>& given) : fields(given) {
    const int least[] = {0, 0, 1, 1, 0}, most[] = {59, 23, 31, 12, 6};
    for (size_t i = 0; i < 5; ++i) values.push_back(ValuesOf(fields[i], least[i], most[i]));
  }
  std::string Text() const { return fields[0] + " " + fields[1] + " " + fields[2] + " " + fields[3] + " " + fields[4]; }
  bool FitsDate(const std::tm& t) const {
    const bool day = values[2].contains(t.tm_mday), weekday = values[4].contains(t.tm_wday);
    const bool both = fields[2][0] == '*' || fields[4][0] == '*';
    return values[3].contains(t.tm_mon + 1) && (both ? day && weekday : day || weekday);
  }
  bool FitsMinute(const std::tm& t) const { return FitsDate(t) && values[1].contains(t.tm_hour) && values[0].contains(t.tm_min); }
  bool AnyHour() const { return fields[1][0] == '*'; }

  /// Is the minute that starts at `at` due?
  bool Due(int64_t at) const {
    std::tm now = WallClock::At(at);
    const int64_t jump = WallClock::At(at).tm_gmtoff - WallClock::At(at - 60).tm_gmtoff;
    if (FitsMinute(now)) {
      if (AnyHour()) return true;
      // Was this wall time there before, within the last day?
      for (int64_t back = 60; back <= 3 * 3600; back += 60) {
        const std::tm before = WallClock::At(at - back);
        if (before.tm_hour == now.tm_hour && before.tm_min == now.tm_min && before.tm_mday == now.tm_mday) return false;
      }
      return true;
    }
    if (jump <= 0 || AnyHour()) return false;
    // Wall times that were jumped over: as if the clock had gone on.
    for (int64_t skipped = 0; skipped < jump; skipped += 60) {
      const std::time_t as_utc = at - 60 + WallClock::At(at - 60).tm_gmtoff + 60 + skipped;
      std::tm wall{};
      ::gmtime_r(&as_utc, &wall);
      if (FitsMinute(wall)) return true;
    }
    return false;
  }
  int64_t Next(int64_t after, int64_t until) const {
    int64_t at = (after / 60 + 1) * 60;
    while (at < until && !Due(at)) at += 60;
    return at;
  }
};

int64_t Next(const std::string& cron, int64_t after, const std::string& zone = "UTC") {
  const auto schedule = ParseCron(cron);
  EXPECT_TRUE(schedule.ok()) << schedule.error().message;
  const auto loaded = LoadTimeZone(zone);
  EXPECT_TRUE(loaded.ok());
  return NextAfter(*schedule, *loaded, after);
}

int64_t Utc(int year, int month, int day, int hour = 0, int minute = 0) {
  return SecondsOf({.year = year, .month = month, .day = day, .hour = hour, .minute = minute});
}

TEST(Cron, FindsTheNextMomentOfCommonSchedules) {
  const int64_t now = Utc(2026, 3, 4, 10, 30);  // a Wednesday
  EXPECT_EQ(Next("0 3 * * *", now), Utc(2026, 3, 5, 3));
  EXPECT_EQ(Next("*/15 * * * *", now), Utc(2026, 3, 4, 10, 45));
  EXPECT_EQ(Next("30 10 * * *", now), Utc(2026, 3, 5, 10, 30)) << "after, not at";
  EXPECT_EQ(Next("0 8-18/5 * * mon-fri", now), Utc(2026, 3, 4, 13));
  EXPECT_EQ(Next("0 0 * * SUN", now), Utc(2026, 3, 8));
  EXPECT_EQ(Next("0 0 * * 7", now), Utc(2026, 3, 8));
  EXPECT_EQ(Next("0 0 * * fri-sun", now), Utc(2026, 3, 6));
  EXPECT_EQ(Next("0 0 1 jan,jul *", now), Utc(2026, 7, 1));
  EXPECT_EQ(Next("@daily", now), Utc(2026, 3, 5));
  EXPECT_EQ(Next("@hourly", now), Utc(2026, 3, 4, 11));
  EXPECT_EQ(Next("@monthly", now), Utc(2026, 4, 1));
  EXPECT_EQ(Next("@yearly", now), Utc(2027, 1, 1));
  EXPECT_EQ(Next("0 0 29 2 *", now), Utc(2028, 2, 29));
  EXPECT_EQ(Next("0 0 29 2 *", Utc(2096, 3, 1)), Utc(2104, 2, 29)) << "2100 is no leap year";
}

TEST(Cron, ADayFitsByEitherFieldWhereBothAreGiven) {
  const int64_t now = Utc(2026, 3, 4, 10, 30);
  EXPECT_EQ(Next("0 0 13 * fri", now), Utc(2026, 3, 6)) << "a Friday that is not the 13th";
  EXPECT_EQ(Next("0 0 5 * fri", now), Utc(2026, 3, 5)) << "the 5th, a Thursday";
  EXPECT_EQ(Next("0 0 */2 * fri", now), Utc(2026, 3, 13)) << "a field that starts with * narrows";
}

TEST(Cron, AnErrorNamesTheFieldAndWhatItTakes) {
  const auto message = [](const char* text) {
    const auto schedule = ParseCron(text);
    return schedule.ok() ? std::string("no error") : schedule.error().message;
  };
  EXPECT_NE(message("60 * * * *").find("minute '60': 60 is out of range; it takes 0 to 59"), std::string::npos) << message("60 * * * *");
  EXPECT_NE(message("* 3-1 * * *").find("hour '3-1': the range '3-1' runs backwards"), std::string::npos) << message("* 3-1 * * *");
  EXPECT_NE(message("* * * * funday").find("day of week"), std::string::npos);
  EXPECT_NE(message("* * 0 * *").find("day of month"), std::string::npos);
  EXPECT_NE(message("* * * 13 *").find("month"), std::string::npos);
  EXPECT_NE(message("*/0 * * * *").find("minute"), std::string::npos);
  EXPECT_NE(message("1,,2 * * * *").find("a number is missing"), std::string::npos);
  EXPECT_NE(message("5/10 * * * *").find("a step needs a range"), std::string::npos);
  EXPECT_NE(message("0 3 * *").find("it has 4 fields, expected 5"), std::string::npos);
  EXPECT_NE(message("@nightly").find("@daily"), std::string::npos);
  EXPECT_NE(message("0 0 30 2 *").find("none of the months"), std::string::npos);
  EXPECT_NE(message("").find("0 fields"), std::string::npos);
}

TEST(Cron, AgreesWithTryingEveryMinute) {
  Random random(11);
  const std::vector<std::vector<std::string>> choices = {
      {"*", "0", "*/7", "5,35", "10-20/3", "59"},
      {"*", "0", "2", "*/5", "1-3", "23"},
      {"*", "1", "*/2", "13,29-31"},
      {"*", "3", "3,10,11", "*/3"},
      {"*", "0", "1-5", "*/2", "5,6"}};
  for (const char* zone : {"UTC", "Europe/Berlin", "America/St_Johns", "Australia/Lord_Howe", "America/Sao_Paulo"}) {
    const WallClock wall(zone);
    const auto loaded = LoadTimeZone(zone);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    for (int trial = 0; trial < 30; ++trial) {
      std::vector<std::string> fields;
      for (const auto& choice : choices) fields.push_back(choice[static_cast<size_t>(random.Uniform() * static_cast<double>(choice.size()))]);
      const Twin twin(fields);
      const auto schedule = ParseCron(twin.Text());
      ASSERT_TRUE(schedule.ok()) << schedule.error().message;
      // Around the clock changes of many years, and after what the zone's file lists.
      const int year = 2000 + static_cast<int>(random.Uniform() * 45);
      const int month = random.Uniform() < 0.5 ? 3 : 10 + static_cast<int>(random.Uniform() * 2);
      int64_t at = Utc(year, month, 1) + static_cast<int64_t>(random.Uniform() * 31 * 86400);
      const int64_t until = at + 20 * 86400;
      for (int step = 0; step < 20 && at < until; ++step) {
        const int64_t fast = NextAfter(*schedule, *loaded, at);
        const int64_t slow = twin.Next(at, std::min(until, fast + 3600));
        if (slow >= until && fast >= until) break;
        ASSERT_EQ(fast, slow) << twin.Text() << " in " << zone << " after " << at << " (" << year << '-' << month << ")";
        at = fast;
      }
    }
  }
}

TEST(Cron, AnHourThatComesTwiceCountsOnceAndOneThatIsLeftOutIsMadeUpFor) {
  // Berlin, 2026: 29 March from 2:00 to 3:00; 25 October from 3:00 back to 2:00.
  const std::string zone = "Europe/Berlin";
  EXPECT_EQ(Next("30 2 * * *", Utc(2026, 3, 29, 0), zone), Utc(2026, 3, 29, 1)) << "3:00 of summer time";
  EXPECT_EQ(Next("30 2 * * *", Utc(2026, 3, 29, 1), zone), Utc(2026, 3, 30, 0, 30));
  EXPECT_EQ(Next("30 2 * * *", Utc(2026, 10, 25, 0), zone), Utc(2026, 10, 25, 0, 30));
  EXPECT_EQ(Next("30 2 * * *", Utc(2026, 10, 25, 0, 30), zone), Utc(2026, 10, 26, 1, 30)) << "not again an hour later";
  EXPECT_EQ(Next("30 * * * *", Utc(2026, 10, 25, 0, 30), zone), Utc(2026, 10, 25, 1, 30)) << "hours that pass";
}

TEST(TimeZones, AgreeWithTheCLibrary) {
  Random random(5);
  for (const char* zone : {"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Apia", "Africa/Casablanca", "Australia/Lord_Howe"}) {
    const WallClock wall(zone);
    const auto loaded = LoadTimeZone(zone);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    for (int i = 0; i < 4000; ++i) {
      const int64_t at = Utc(1950, 1, 1) + static_cast<int64_t>(random.Uniform() * 150 * 365.25 * 86400);
      ASSERT_EQ(loaded->OffsetAt(at), WallClock::At(at).tm_gmtoff) << zone << " at " << at;
    }
  }
}

TEST(Cron, TheNextTimeIsFoundFromTexts) {
  EXPECT_FALSE(NextAfter("", "UTC", 0)->has_value());
  EXPECT_EQ(**NextAfter("0 3 * * *", "UTC", Utc(2026, 3, 1)), Utc(2026, 3, 1) + 3 * 3600);
  EXPECT_EQ(**NextAfter("0 3 * * *", "Europe/Berlin", Utc(2026, 3, 1)), Utc(2026, 3, 1) + 2 * 3600);
  EXPECT_EQ(NextAfter("0 3 * *", "UTC", 0).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(NextAfter("0 3 * * *", "Nowhere", 0).error().code, ErrorCode::kInvalid);
}

TEST(TimeZones, AnUnknownOrDamagedOneIsRefused) {
  for (const char* name : {"Europe/Nowhere", "", "/etc/passwd", "../zoneinfo/UTC", "Europe"}) {
    const auto zone = LoadTimeZone(name);
    ASSERT_FALSE(zone.ok()) << name;
    EXPECT_EQ(zone.error().code, ErrorCode::kInvalid);
  }
  for (const std::string& bytes : {std::string(), std::string("TZif2"), std::string("TZif2") + std::string(39, '\0'), std::string(44, '\xff')}) {
    EXPECT_FALSE(ParseTimeZone(bytes, "x").ok());
  }
}

}  // namespace
}  // namespace segue
