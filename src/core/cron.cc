#include "core/cron.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <vector>

#include "core/check.h"
#include "core/text.h"

namespace segue {
namespace {

constexpr int64_t kDay = 86400;
/// 29 February of a weekday comes again within 40 years (28, but for a century).
constexpr int kMostDays = 41 * 366;

struct Field {
  std::string_view name;
  int least, most;
  std::string_view words;  ///< of three letters, from `least` on
};
constexpr std::array<Field, 5> kFields = {{{"minute", 0, 59, ""},
                                           {"hour", 0, 23, ""},
                                           {"day of month", 1, 31, ""},
                                           {"month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
                                           {"day of week", 0, 7, "sunmontuewedthufrisat"}}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kShort = {
    {{"@hourly", "0 * * * *"}, {"@daily", "0 0 * * *"}, {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
     {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"}, {"@annually", "0 0 1 1 *"}}};

Error Wrong(const Field& field, std::string_view text, const std::string& why) {
  return {ErrorCode::kInvalid, "the " + std::string(field.name) + " '" + std::string(text) + "': " + why + "; it takes " +
                                   std::to_string(field.least) + " to " + std::to_string(field.most) +
                                   (field.words.empty() ? "" : ", names such as " + std::string(field.words.substr(0, 3))) +
                                   ", *, ranges 1-5, steps */2, and lists of these with commas"};
}

Result<int> ReadValue(const Field& field, std::string_view whole, std::string_view text) {
  if (text.size() == 3 && !field.words.empty()) {
    std::string word(text);
    for (char& c : word) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    const size_t at = field.words.find(word);
    if (at != std::string_view::npos && at % 3 == 0) return static_cast<int>(at / 3) + field.least;
  }
  if (text.empty()) return Wrong(field, whole, "a number is missing");
  int value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || text.size() > 4) return Wrong(field, whole, "'" + std::string(text) + "' is not a number or name");
    value = value * 10 + (c - '0');
  }
  if (value < field.least || value > field.most) return Wrong(field, whole, std::to_string(value) + " is out of range");
  return value;
}

/// One part of a list: "*", "3", "1-5", either with "/2".
Status ReadPart(const Field& field, std::string_view whole, std::string_view part, uint64_t& bits) {
  const size_t slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  int step = 1, from = field.least, to = field.most;
  if (slash != std::string_view::npos) {
    const Field steps{field.name, 1, field.most, ""};
    SEGUE_TRY(step, ReadValue(steps, whole, part.substr(slash + 1)));
  }
  if (range != "*") {
    const size_t dash = range.find('-');
    SEGUE_TRY(from, ReadValue(field, whole, range.substr(0, dash)));
    to = from;
    if (dash != std::string_view::npos) {
      SEGUE_TRY(to, ReadValue(field, whole, range.substr(dash + 1)));
      // "fri-sun" means up to Sunday, which is 7 there.
      if (to == 0 && from > 0 && field.most == 7) to = 7;
      if (to < from) return Wrong(field, whole, "the range '" + std::string(range) + "' runs backwards");
    } else if (slash != std::string_view::npos) {
      return Wrong(field, whole, "a step needs a range or * before it");
    }
  } else if (field.most == 7) {
    to = 6;
  }
  for (int value = from; value <= to; value += step) bits |= uint64_t{1} << (field.most == 7 && value == 7 ? 0 : value);
  return {};
}

Result<uint64_t> ReadField(const Field& field, std::string_view text) {
  uint64_t bits = 0;
  std::string_view rest = text;
  while (true) {
    const size_t comma = rest.find(',');
    SEGUE_RETURN_IF_ERROR(ReadPart(field, text, rest.substr(0, comma), bits));
    if (comma == std::string_view::npos) return bits;
    rest.remove_prefix(comma + 1);
  }
}

bool Has(uint64_t bits, int value) { return (bits >> value & 1) != 0; }

bool DayFits(const CronSchedule& schedule, const CivilTime& date) {
  if (!Has(schedule.months, date.month)) return false;
  const bool day = Has(schedule.days, date.day), weekday = Has(schedule.weekdays, date.weekday);
  return schedule.any_day || schedule.any_weekday ? day && weekday : day || weekday;
}

/// The first due moment after `after` whose wall clock shows a time of the day that starts at `midnight`.
std::optional<int64_t> FirstOfDay(const CronSchedule& schedule, const TimeZone& zone, int64_t midnight, int64_t after) {
  std::optional<int64_t> first;
  for (int hour = 0; hour < 24; ++hour) {
    if (!Has(schedule.hours, hour)) continue;
    for (int minute = 0; minute < 60; ++minute) {
      if (!Has(schedule.minutes, minute)) continue;
      const int64_t local = midnight + hour * 3600 + minute * 60;
      std::vector<int64_t> moments = zone.MomentsOf(local);
      if (moments.size() > 1 && !schedule.any_hour) moments.resize(1);
      if (moments.empty() && !schedule.any_hour) moments.push_back(zone.JumpOver(local));
      for (const int64_t moment : moments) {
        if (moment > after && (!first || moment < *first)) first = moment;
      }
    }
  }
  return first;
}

}  // namespace

Result<CronSchedule> ParseCron(std::string_view text) {
  text = Trimmed(text);
  if (text.starts_with('@')) {
    const auto known = std::find_if(kShort.begin(), kShort.end(), [&](const auto& entry) { return entry.first == text; });
    if (known == kShort.end()) {
      return Error{ErrorCode::kInvalid, "there is no '" + std::string(text) + "'; known: @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually"};
    }
    text = known->second;
  }
  std::vector<std::string_view> fields;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of(" \t"), text.size());
    fields.push_back(text.substr(0, end));
    text = Trimmed(text.substr(end));
  }
  if (fields.size() != kFields.size()) {
    return Error{ErrorCode::kInvalid, "it has " + std::to_string(fields.size()) + " fields, expected 5: minute, hour, day of month, month, "
                                      "day of week (\"0 3 * * *\" is each day at three), or @daily and the like"};
  }
  std::array<uint64_t, 5> bits{};
  for (size_t i = 0; i < fields.size(); ++i) {
    SEGUE_TRY(bits[i], ReadField(kFields[i], fields[i]));
  }
  const CronSchedule schedule{.minutes = bits[0], .hours = static_cast<uint32_t>(bits[1]), .days = static_cast<uint32_t>(bits[2]),
                              .months = static_cast<uint32_t>(bits[3]), .weekdays = static_cast<uint32_t>(bits[4]),
                              .any_day = fields[2].front() == '*', .any_weekday = fields[4].front() == '*',
                              .any_hour = fields[1].front() == '*'};
  constexpr std::array<int, 13> kLongest = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool comes = !schedule.any_day && !schedule.any_weekday;
  for (int month = 1; month <= 12; ++month) {
    for (int day = 1; day <= kLongest[static_cast<size_t>(month)]; ++day) comes |= Has(schedule.months, month) && Has(schedule.days, day);
  }
  if (!comes) return Wrong(kFields[2], fields[2], "that day is in none of the months '" + std::string(fields[3]) + "'");
  return schedule;
}

bool Fits(const CronSchedule& schedule, const CivilTime& local) {
  return DayFits(schedule, local) && Has(schedule.hours, local.hour) && Has(schedule.minutes, local.minute);
}

int64_t NextAfter(const CronSchedule& schedule, const TimeZone& zone, int64_t unix_seconds) {
  const int64_t local = zone.LocalOf(unix_seconds);
  const CivilTime today = CivilOf(local);
  // From the day before on: an hour of it may come again after midnight, and a
  // jump over midnight is due on the other side.
  int64_t midnight = local - (today.hour * 3600 + today.minute * 60 + today.second) - kDay;
  for (int i = 0; i < kMostDays; ++i, midnight += kDay) {
    if (!DayFits(schedule, CivilOf(midnight))) continue;
    const auto first = FirstOfDay(schedule, zone, midnight, unix_seconds);
    if (!first) continue;
    const auto next_day = DayFits(schedule, CivilOf(midnight + kDay)) ? FirstOfDay(schedule, zone, midnight + kDay, unix_seconds) : std::nullopt;
    return next_day ? std::min(*first, *next_day) : *first;
  }
  SEGUE_CHECK(false);  // ParseCron lets no schedule through that never comes
  return 0;
}

Result<std::optional<int64_t>> NextAfter(std::string_view cron, std::string_view zone, int64_t unix_seconds) {
  if (cron.empty()) return std::optional<int64_t>();
  SEGUE_TRY(const CronSchedule schedule, ParseCron(cron));
  SEGUE_TRY(const TimeZone there, LoadTimeZone(zone));
  return std::optional(NextAfter(schedule, there, unix_seconds));
}

}  // namespace segue
