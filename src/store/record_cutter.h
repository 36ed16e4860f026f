#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace segue::store {

/// A field's text as the file has it; empty optional: missing or null.
/// Bytes, not yet known to be UTF-8.
using Field = std::optional<std::string_view>;

struct RecordLimits {
  int64_t max_record_bytes = 64 << 20;
  /// Told of pieces that have been read and are not looked at again soon.
  std::function<void(std::string_view)> forget = nullptr;
};

/// Walks over bytes and tells, every few megabytes, what lies behind.
class Sweep {
 public:
  Sweep(std::string_view bytes, const std::function<void(std::string_view)>& forget) : bytes_(bytes), forget_(forget) {}

  static constexpr size_t kPiece = 4 << 20;

  /// Everything before `at` has been read.
  void Reached(size_t at) {
    if (at < done_ + kPiece) return;
    if (forget_ != nullptr) forget_(bytes_.substr(done_, at - done_));
    done_ = at;
  }
  /// First `c` at or behind `from`, bytes.size() if none; however far it is.
  size_t Find(char c, size_t from) const;
  /// How many `c` there are in [from, to).
  int64_t Count(char c, size_t from, size_t to) const;

 private:
  std::string_view bytes_;
  std::function<void(std::string_view)> forget_;
  size_t done_ = 0;
};

/// A table of more columns is none.
inline constexpr size_t kMostColumns = 2000;

struct Delimiter {
  std::string_view text;
  const char* name;
  bool quotes_span_lines;  ///< RFC 4180; elsewhere a quote counts within its line only
};

/// Cuts text into records of fields, one at a time.
class Cutter {
 public:
  Cutter(std::string_view bytes, Delimiter delimiter, char line_end, const RecordLimits& limits)
      : bytes_(bytes),
        delimiter_(delimiter),
        line_end_(line_end),
        longest_(static_cast<size_t>(limits.max_record_bytes)),
        sweep_(bytes, limits.forget) {}

  enum class Got { kRecord, kTooLong, kEnd };

  /// The next record that is not blank.
  Got Next();

  int64_t line() const { return line_; }
  std::string_view raw() const { return raw_; }
  const std::vector<Field>& fields() const { return fields_; }
  /// Where the record of the last Next begins.
  size_t record_begin() const { return record_begin_; }

 private:
  void MoveTo(size_t at, int64_t lines);

  size_t LineEnd(size_t from) const {
    return sweep_.Find(line_end_, from);
  }

  void Plain(std::string_view line);

  /// `text` without its quotes, doubled ones single; `text` is between the outer quotes.
  std::string_view Unquoted(std::string_view text);

  /// The closing quote of the field whose opening quote is at `open`, before `limit`.
  size_t ClosingQuote(size_t open, size_t limit) const;

  /// RFC 4180: quoted fields may hold delimiters, line ends, doubled quotes.
  /// False, with nothing moved, where the quotes do not work out.
  bool Quoted();

  /// One line; a quote that does not enclose a field whole is a character like any other.
  void Lenient(std::string_view line);

  std::string_view bytes_;
  Delimiter delimiter_;
  char line_end_;
  size_t longest_;
  Sweep sweep_;
  size_t at_ = 0;
  size_t record_begin_ = 0;
  int64_t next_line_ = 1;
  int64_t line_ = 0;
  bool spanning_ = true;
  std::string_view raw_;
  std::vector<Field> fields_;
  std::deque<std::string> arena_;
};

}  // namespace segue::store
