#include "serve/times.h"

#include <algorithm>
#include <chrono>
#include <string>

namespace segue::serve {

Result<int64_t> ParseTime(std::string_view text) {
  const Error wrong{ErrorCode::kInvalid, "'" + std::string(text) + "' is not a time such as 2026-03-01T12:00:00Z"};
  std::string_view rest = text;
  // Takes digits of a fixed number from the front; -1 where they are not there.
  const auto digits = [&](size_t count) {
    int value = 0;
    if (rest.size() < count) return -1;
    for (size_t i = 0; i < count; ++i) {
      if (rest[i] < '0' || rest[i] > '9') return -1;
      value = value * 10 + (rest[i] - '0');
    }
    rest.remove_prefix(count);
    return value;
  };
  const auto sign = [&](std::string_view any_of) {
    if (rest.empty() || any_of.find(rest.front()) == std::string_view::npos) return '\0';
    const char taken = rest.front();
    rest.remove_prefix(1);
    return taken;
  };
  const int year = digits(4);
  const bool dash = sign("-") != '\0';
  const int month = digits(2);
  const bool dashes = dash && sign("-") != '\0';
  const int day = digits(2);
  const bool parted = dashes && sign("T ") != '\0';
  const int hour = digits(2);
  const bool colon = parted && sign(":") != '\0';
  const int minute = digits(2);
  const bool colons = colon && sign(":") != '\0';
  const int second = digits(2);
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!colons || year < 0 || !date.ok() || hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) return wrong;
  if (sign(".") != '\0') rest.remove_prefix(std::min(rest.find_first_not_of("0123456789"), rest.size()));
  int64_t offset = 0;
  if (const char zone = sign("Z+-"); zone == '+' || zone == '-') {
    const int zone_hours = digits(2);
    sign(":");
    const int zone_minutes = rest.empty() ? 0 : digits(2);
    if (zone_hours < 0 || zone_hours > 23 || zone_minutes < 0 || zone_minutes > 59) return wrong;
    offset = (zone == '-' ? -60 : 60) * (zone_hours * 60 + zone_minutes);
  }
  if (!rest.empty()) return wrong;
  const int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return days * 86'400 + hour * 3600 + minute * 60 + second - offset;
}

}  // namespace segue::serve
