#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace segue {

/// A calendar date with the time of day, of no particular zone.
struct CivilTime {
  int year = 1970;
  int month = 1;    ///< 1 to 12
  int day = 1;      ///< 1 to 31
  int hour = 0;
  int minute = 0;
  int second = 0;
  int weekday = 4;  ///< 0 Sunday to 6 Saturday
};

/// Seconds since 1970-01-01T00:00 to a civil time and back, as if it were UTC.
CivilTime CivilOf(int64_t seconds);
int64_t SecondsOf(const CivilTime& time);

/// How far local time is from UTC, and when: the rows of a TZif file (RFC 8536)
/// and the rule of its footer for what comes after them.
class TimeZone {
 public:
  /// UTC.
  TimeZone() = default;

  /// Local time minus UTC, seconds, at a moment of Unix time.
  int64_t OffsetAt(int64_t unix_seconds) const;
  int64_t LocalOf(int64_t unix_seconds) const { return unix_seconds + OffsetAt(unix_seconds); }

  /// The moments (ascending) at which the clock on the wall shows `local`: one;
  /// two where the hour comes twice; none where it is left out.
  std::vector<int64_t> MomentsOf(int64_t local) const;
  /// Where MomentsOf gives none: the moment at which the clock jumped over `local`.
  int64_t JumpOver(int64_t local) const;

 private:
  friend Result<TimeZone> ParseTimeZone(std::string_view bytes, std::string_view name);

  struct Change {
    int64_t at;      ///< Unix time from which on the offset holds
    int64_t offset;
  };
  /// "M3.5.0/2": the last Sunday of March, two hours after midnight.
  struct RuleDay {
    int month = 0, week = 0, weekday = 0;
    int64_t seconds = 7200;
  };
  Status ReadRule(std::string_view text);
  static int64_t DayOf(const RuleDay& day, int year);

  std::vector<Change> changes_;
  int64_t first_offset_ = 0;
  bool has_rule_ = false, has_summer_ = false;
  int64_t winter_ = 0, summer_ = 0;
  RuleDay summer_from_, summer_until_;
};

/// "UTC", or a name such as "Europe/Berlin" of the machine's tz database
/// (/usr/share/zoneinfo). kInvalid where there is none of that name.
Result<TimeZone> LoadTimeZone(std::string_view name);

/// A TZif file's bytes; `name` for errors.
Result<TimeZone> ParseTimeZone(std::string_view bytes, std::string_view name);

}  // namespace segue
