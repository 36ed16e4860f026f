#include "core/time_zone.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace segue {
namespace {

constexpr int64_t kDay = 86400;
constexpr const char* kDatabase = "/usr/share/zoneinfo";

/// Big-endian numbers, one after the other.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : bytes_(bytes) {}
  bool Has(size_t n) const { return bytes_.size() >= n; }
  std::string_view Take(size_t n) {
    const std::string_view taken = bytes_.substr(0, n);
    bytes_.remove_prefix(std::min(n, bytes_.size()));
    return taken;
  }
  int64_t Number(size_t width) {
    uint64_t value = 0;
    for (const char c : Take(width)) value = value << 8 | static_cast<unsigned char>(c);
    return width == 4 ? static_cast<int32_t>(value) : static_cast<int64_t>(value);
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

struct Header {
  char version = 0;
  size_t utc_marks = 0, standard_marks = 0, leaps = 0, changes = 0, types = 0, letters = 0;
  size_t BodyBytes(size_t width) const {
    return changes * (width + 1) + types * 6 + letters + leaps * (width + 4) + standard_marks + utc_marks;
  }
};

bool ReadHeader(Reader& reader, Header& header) {
  if (!reader.Has(44) || reader.Take(4) != "TZif") return false;
  header.version = reader.Take(1)[0];
  reader.Take(15);
  for (size_t* count : {&header.utc_marks, &header.standard_marks, &header.leaps, &header.changes, &header.types, &header.letters}) {
    *count = static_cast<size_t>(reader.Number(4) & 0xffffffff);
  }
  return header.types > 0 && header.changes < 100'000 && header.types < 256;
}

/// The footer's little language (POSIX TZ with RFC 8536's wider hours).
class Rule {
 public:
  explicit Rule(std::string_view text) : text_(text) {}
  bool End() const { return text_.empty(); }
  bool Skip(char c) {
    if (text_.empty() || text_.front() != c) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool Name() {
    if (Skip('<')) {
      const size_t end = text_.find('>');
      if (end == std::string_view::npos) return false;
      text_.remove_prefix(end + 1);
      return true;
    }
    size_t n = 0;
    while (n < text_.size() && ((text_[n] | 32) >= 'a' && (text_[n] | 32) <= 'z')) ++n;
    text_.remove_prefix(n);
    return n >= 3;
  }
  bool Int(int& value) {
    value = 0;
    size_t n = 0;
    while (n < text_.size() && n < 4 && text_[n] >= '0' && text_[n] <= '9') value = value * 10 + (text_[n++] - '0');
    text_.remove_prefix(n);
    return n > 0;
  }
  /// [+-]hh[:mm[:ss]]
  bool Time(int64_t& seconds) {
    const bool minus = Skip('-');
    if (!minus) Skip('+');
    int part = 0;
    if (!Int(part)) return false;
    seconds = int64_t{part} * 3600;
    for (const int64_t unit : {60, 1}) {
      if (!Skip(':')) break;
      if (!Int(part)) return false;
      seconds += part * unit;
    }
    if (minus) seconds = -seconds;
    return true;
  }

 private:
  std::string_view text_;
};

}  // namespace

CivilTime CivilOf(int64_t seconds) {
  using namespace std::chrono;
  const int64_t day = seconds >= 0 ? seconds / kDay : (seconds - (kDay - 1)) / kDay;
  const int64_t rest = seconds - day * kDay;
  const sys_days date{days{static_cast<int>(day)}};
  const year_month_day ymd{date};
  return {.year = static_cast<int>(ymd.year()), .month = static_cast<int>(static_cast<unsigned>(ymd.month())),
          .day = static_cast<int>(static_cast<unsigned>(ymd.day())), .hour = static_cast<int>(rest / 3600),
          .minute = static_cast<int>(rest / 60 % 60), .second = static_cast<int>(rest % 60),
          .weekday = static_cast<int>(weekday{date}.c_encoding())};
}

int64_t SecondsOf(const CivilTime& time) {
  using namespace std::chrono;
  const sys_days date{year{time.year} / month{static_cast<unsigned>(time.month)} / day{static_cast<unsigned>(time.day)}};
  return int64_t{date.time_since_epoch().count()} * kDay + int64_t{time.hour} * 3600 + int64_t{time.minute} * 60 + time.second;
}

int64_t TimeZone::DayOf(const RuleDay& day, int year) {
  const int64_t first = SecondsOf({.year = year, .month = day.month, .day = 1});
  const int ahead = (day.weekday - CivilOf(first).weekday + 7) % 7;
  int64_t at = first + (ahead + 7 * (day.week - 1)) * kDay;
  // Week 5 is the last one, which may be the fourth.
  while (CivilOf(at).month != day.month) at -= 7 * kDay;
  return at;
}

int64_t TimeZone::OffsetAt(int64_t unix_seconds) const {
  if (has_rule_ && (changes_.empty() || unix_seconds >= changes_.back().at)) {
    if (!has_summer_) return winter_;
    const int year = CivilOf(unix_seconds + winter_).year;
    // The rule tells both in the time that holds just before.
    const int64_t from = DayOf(summer_from_, year) + summer_from_.seconds - winter_;
    const int64_t until = DayOf(summer_until_, year) + summer_until_.seconds - summer_;
    const bool summer = from < until ? unix_seconds >= from && unix_seconds < until : unix_seconds >= from || unix_seconds < until;
    return summer ? summer_ : winter_;
  }
  const auto next = std::upper_bound(changes_.begin(), changes_.end(), unix_seconds,
                                     [](int64_t at, const Change& change) { return at < change.at; });
  return next == changes_.begin() ? first_offset_ : std::prev(next)->offset;
}

std::vector<int64_t> TimeZone::MomentsOf(int64_t local) const {
  // Offsets are within a day of UTC, and changes are further apart than two days.
  std::vector<int64_t> moments;
  for (const int64_t offset : {OffsetAt(local - kDay), OffsetAt(local + kDay)}) {
    const int64_t moment = local - offset;
    if (LocalOf(moment) == local && (moments.empty() || moments.front() != moment)) moments.push_back(moment);
  }
  std::sort(moments.begin(), moments.end());
  return moments;
}

int64_t TimeZone::JumpOver(int64_t local) const {
  int64_t before = local - 2 * kDay, after = local + 2 * kDay;
  while (after - before > 1) {
    const int64_t middle = before + (after - before) / 2;
    (LocalOf(middle) > local ? after : before) = middle;
  }
  return after;
}

Status TimeZone::ReadRule(std::string_view text) {
  Rule rule(text);
  const auto wrong = [&] { return Error{ErrorCode::kInvalid, "its rule '" + std::string(text) + "' is of a kind that is not known here"}; };
  const auto day = [&](RuleDay& out) {
    return rule.Skip(',') && rule.Skip('M') && rule.Int(out.month) && rule.Skip('.') && rule.Int(out.week) && rule.Skip('.') &&
           rule.Int(out.weekday) && (!rule.Skip('/') || rule.Time(out.seconds)) && out.month >= 1 && out.month <= 12 && out.week >= 1 &&
           out.week <= 5 && out.weekday <= 6;
  };
  int64_t west = 0;
  if (!rule.Name() || !rule.Time(west)) return wrong();
  winter_ = -west;
  has_rule_ = true;
  if (rule.End()) return {};
  if (!rule.Name()) return wrong();
  summer_ = winter_ + 3600;
  has_summer_ = true;
  int64_t summer_west = 0;
  if (Rule ahead = rule; ahead.Time(summer_west)) {
    rule = ahead;
    summer_ = -summer_west;
  }
  return day(summer_from_) && day(summer_until_) && rule.End() ? Status() : wrong();
}

Result<TimeZone> ParseTimeZone(std::string_view bytes, std::string_view name) {
  const auto wrong = [&](const std::string& why) { return Error{ErrorCode::kInvalid, "time zone '" + std::string(name) + "': " + why}; };
  Reader reader(bytes);
  Header header;
  if (!ReadHeader(reader, header)) return wrong("its file is not in the TZif format");
  size_t width = 4;
  if (header.version >= '2') {
    // The first part is for readers of 32 bits; the same follows in 64.
    reader.Take(header.BodyBytes(4));
    if (!ReadHeader(reader, header)) return wrong("its file ends early");
    width = 8;
  }
  if (!reader.Has(header.BodyBytes(width))) return wrong("its file ends early");
  TimeZone zone;
  for (size_t i = 0; i < header.changes; ++i) zone.changes_.push_back({reader.Number(width), 0});
  const std::string_view kinds = reader.Take(header.changes);
  std::vector<int64_t> offsets;
  for (size_t i = 0; i < header.types; ++i) {
    offsets.push_back(reader.Number(4));
    reader.Take(2);
  }
  for (size_t i = 0; i < header.changes; ++i) {
    const auto kind = static_cast<unsigned char>(kinds[i]);
    if (kind >= offsets.size()) return wrong("its file is damaged");
    zone.changes_[i].offset = offsets[kind];
  }
  zone.first_offset_ = offsets.front();
  reader.Take(header.letters + header.leaps * (width + 4) + header.standard_marks + header.utc_marks);
  std::string_view footer = reader.rest();
  if (width == 8 && footer.size() > 2) {
    footer.remove_prefix(1);
    if (const Status rule = zone.ReadRule(footer.substr(0, footer.find('\n'))); !rule.ok()) return wrong(rule.error().message);
  }
  return zone;
}

Result<TimeZone> LoadTimeZone(std::string_view name) {
  if (name == "UTC") return TimeZone();
  const auto unknown = [&] {
    return Error{ErrorCode::kInvalid, "there is no time zone '" + std::string(name) + "' in " + kDatabase +
                                          "; expected UTC, or a name such as Europe/Berlin (package tzdata)"};
  };
  if (name.empty() || name.front() == '/' || name.find("..") != std::string_view::npos) return unknown();
  const auto path = std::filesystem::path(kDatabase) / name;
  std::error_code error;
  std::ifstream file(path, std::ios::binary);
  if (!std::filesystem::is_regular_file(path, error) || !file) return unknown();
  std::ostringstream bytes;
  bytes << file.rdbuf();
  return ParseTimeZone(bytes.str(), name);
}

}  // namespace segue
