#include "ingest/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

#include "core/text.h"

namespace segue::ingest {
namespace {

constexpr int64_t kFirstMilliseconds = 100'000'000'000;  // as seconds: the year 5138

/// Takes `count` digits off the front of `text`.
std::optional<int> TakeDigits(std::string_view& text, size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool Take(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

/// "Z", "+02:00", "-0530" as seconds east of Greenwich; "" is UTC.
std::optional<int64_t> ParseZone(std::string_view text) {
  if (text.empty() || text == "Z" || text == "z" || text == " UTC") return 0;
  const bool west = text.front() == '-';
  if (!west && text.front() != '+') return std::nullopt;
  text.remove_prefix(1);
  const auto hours = TakeDigits(text, 2);
  Take(text, ':');
  const auto minutes = text.empty() ? std::optional<int>(0) : TakeDigits(text, 2);
  if (!hours || !minutes || !text.empty() || *hours > 15 || *minutes > 59) return std::nullopt;
  const int64_t seconds = int64_t{*hours} * 3600 + int64_t{*minutes} * 60;
  return west ? -seconds : seconds;
}

std::optional<Moment> ParseCalendar(std::string_view text) {
  const auto year = TakeDigits(text, 4);
  if (!year || !Take(text, '-')) return std::nullopt;
  const auto month = TakeDigits(text, 2);
  if (!month || !Take(text, '-')) return std::nullopt;
  const auto day = TakeDigits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{*year}, std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  Moment moment;
  moment.at = std::chrono::duration_cast<std::chrono::seconds>(std::chrono::sys_days(date).time_since_epoch()).count();
  if (text.empty()) return moment;
  if (!Take(text, 'T') && !Take(text, ' ')) return std::nullopt;
  const auto hour = TakeDigits(text, 2);
  if (!hour || *hour > 23 || !Take(text, ':')) return std::nullopt;
  const auto minute = TakeDigits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  moment.at += int64_t{*hour} * 3600 + int64_t{*minute} * 60;
  if (Take(text, ':')) {
    const auto second = TakeDigits(text, 2);
    if (!second || *second > 60) return std::nullopt;
    moment.at += std::min(*second, 59);  // a leap second is the last of its minute
    if (Take(text, '.')) {
      const size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
      if (digits == 0) return std::nullopt;
      text.remove_prefix(digits);
    }
  } else {
    moment.precision = 60;
  }
  const auto zone = ParseZone(text);
  if (!zone) return std::nullopt;
  moment.at -= *zone;
  return moment;
}

}  // namespace

std::optional<int64_t> ParseInteger(std::string_view text) {
  text = Trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  const auto real = ParseReal(text);
  constexpr double kExact = 9007199254740992.0;  // 2^53
  if (!real || std::fabs(*real) > kExact || std::floor(*real) != *real) return std::nullopt;
  return static_cast<int64_t>(*real);
}

std::optional<Moment> ParseMoment(std::string_view text) {
  text = Trimmed(text);
  if (const auto calendar = ParseCalendar(text)) return calendar;
  const auto number = ParseReal(text);
  constexpr double kLimit = 9e15;
  if (!number || std::fabs(*number) > kLimit) return std::nullopt;
  const auto whole = static_cast<int64_t>(std::floor(*number));
  if (whole >= kFirstMilliseconds || whole <= -kFirstMilliseconds) return Moment{whole / 1000, 1};
  return Moment{whole, 1};
}

}  // namespace segue::ingest
