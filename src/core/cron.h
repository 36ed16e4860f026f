#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"
#include "core/time_zone.h"

namespace segue {

/// When to do something again and again, as crontab(5) writes it: minute, hour,
/// day of month, month, day of week. A bit for each value that fits.
struct CronSchedule {
  uint64_t minutes = 0;
  uint32_t hours = 0;
  uint32_t days = 0;      ///< bits 1 to 31
  uint32_t months = 0;    ///< bits 1 to 12
  uint32_t weekdays = 0;  ///< bits 0 (Sunday) to 6
  /// Does the field start with '*'? Where neither day field does, a day fits
  /// that either of them names; else both have to fit (crontab(5)).
  bool any_day = false, any_weekday = false;
  /// With '*' for the hour, the schedule is of minutes that pass, not of hours
  /// on the wall: it goes on through an hour that comes twice.
  bool any_hour = false;
};

/// Five fields with blanks between: '*', numbers, ranges 1-5, steps */15 and
/// 0-30/10, lists of these with commas, names (jan, mon; three letters, any
/// case), 7 for Sunday. Or @hourly, @daily, @midnight, @weekly, @monthly,
/// @yearly, @annually. kInvalid names the field and what it takes; a date that
/// never comes (30 February) is kInvalid too.
Result<CronSchedule> ParseCron(std::string_view text);

/// Does the wall clock's minute fit? The seconds are not looked at.
bool Fits(const CronSchedule& schedule, const CivilTime& local);

/// The first moment after `unix_seconds` at which the schedule is due: a whole
/// minute of the zone's wall clock that fits. Where the clock is set forward,
/// what it jumps over is due at the jump; where it is set back, an hour that
/// comes twice counts once (but see any_hour). Steps over days that do not fit:
/// at most some thousand, whatever the schedule.
int64_t NextAfter(const CronSchedule& schedule, const TimeZone& zone, int64_t unix_seconds);

/// The same of a schedule's text and a zone's name; nothing where the text is "".
/// kInvalid as of ParseCron and LoadTimeZone.
Result<std::optional<int64_t>> NextAfter(std::string_view cron, std::string_view zone, int64_t unix_seconds);

}  // namespace segue
