#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <utility>

#include "ingest/records.h"
#include "ingest/values.h"

namespace segue::ingest {
namespace {

constexpr int kSniffedRecords = 60;
constexpr size_t kSniffedBytes = 4 << 20;
constexpr size_t kMostColumns = 2000;

struct Delimiter {
  std::string_view text;
  const char* name;
  bool quotes_span_lines;  ///< RFC 4180; elsewhere a quote counts within its line only
};

// In order of trust: where two fit equally well, the first is taken.
constexpr std::array<Delimiter, 6> kDelimiters = {{{"\t", "tab", false},
                                                   {"::", "'::'", false},
                                                   {"|", "'|'", true},
                                                   {";", "semicolon", true},
                                                   {",", "comma", true},
                                                   {" ", "space", false}}};
constexpr Delimiter kNoDelimiter = {"", "nothing", false};

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
  Got Next() {
    while (at_ < bytes_.size()) {
      line_ = next_line_;
      record_begin_ = at_;
      const size_t end = LineEnd(at_);
      if (end - at_ > longest_) {
        raw_ = bytes_.substr(at_, longest_);
        MoveTo(end + 1, 1);
        return Got::kTooLong;
      }
      const std::string_view line = WithoutReturn(bytes_.substr(at_, end - at_));
      if (line.empty()) {
        MoveTo(end + 1, 1);
        continue;
      }
      fields_.clear();
      arena_.clear();
      const bool quoted = std::memchr(line.data(), '"', line.size()) != nullptr;
      if (quoted && delimiter_.quotes_span_lines && Quoted()) return Got::kRecord;
      fields_.clear();
      quoted ? Lenient(line) : Plain(line);
      raw_ = line;
      MoveTo(end + 1, 1);
      return Got::kRecord;
    }
    return Got::kEnd;
  }

  int64_t line() const { return line_; }
  std::string_view raw() const { return raw_; }
  const std::vector<Field>& fields() const { return fields_; }
  /// Where the record of the last Next begins.
  size_t record_begin() const { return record_begin_; }

 private:
  void MoveTo(size_t at, int64_t lines) {
    at_ = std::min(at, bytes_.size());
    sweep_.Reached(record_begin_);
    next_line_ += lines;
  }

  size_t LineEnd(size_t from) const {
    return sweep_.Find(line_end_, from);
  }

  static std::string_view WithoutReturn(std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }

  void Plain(std::string_view line) {
    while (true) {
      const size_t cut = delimiter_.text.empty() ? std::string_view::npos : line.find(delimiter_.text);
      fields_.emplace_back(line.substr(0, cut));
      if (cut == std::string_view::npos) return;
      line.remove_prefix(cut + delimiter_.text.size());
    }
  }

  /// `text` without its quotes, doubled ones single; `text` is between the outer quotes.
  std::string_view Unquoted(std::string_view text) {
    if (text.find('"') == std::string_view::npos) return text;
    std::string& plain = arena_.emplace_back();
    for (size_t i = 0; i < text.size(); ++i) {
      plain += text[i];
      if (text[i] == '"') ++i;
    }
    return plain;
  }

  /// The closing quote of the field whose opening quote is at `open`, before `limit`.
  size_t ClosingQuote(size_t open, size_t limit) const {
    size_t at = open + 1;
    while (at < limit) {
      const void* found = std::memchr(bytes_.data() + at, '"', limit - at);
      if (found == nullptr) break;
      at = static_cast<size_t>(static_cast<const char*>(found) - bytes_.data());
      if (at + 1 >= limit || bytes_[at + 1] != '"') return at;
      at += 2;
    }
    return std::string_view::npos;
  }

  /// RFC 4180: quoted fields may hold delimiters, line ends, doubled quotes.
  /// False, with nothing moved, where the quotes do not work out.
  bool Quoted() {
    if (!spanning_) return false;
    const size_t limit = std::min(bytes_.size(), at_ + longest_);
    size_t at = at_;
    while (true) {
      size_t end = 0;  // of the field
      if (at < limit && bytes_[at] == '"') {
        const size_t close = ClosingQuote(at, limit);
        if (close == std::string_view::npos) {
          // Each further record would search as far again: from here on, line by line.
          spanning_ = false;
          return false;
        }
        fields_.emplace_back(Unquoted(bytes_.substr(at + 1, close - at - 1)));
        end = close + 1;
        if (end < bytes_.size() && bytes_[end] == '\r' && (end + 1 == bytes_.size() || bytes_[end + 1] == '\n')) ++end;
      } else {
        const size_t line_end = LineEnd(at);
        end = std::min(bytes_.substr(0, line_end).find(delimiter_.text, at), line_end);
        fields_.emplace_back(WithoutReturn(bytes_.substr(at, end - at)));
      }
      if (end >= bytes_.size() || bytes_[end] == line_end_) {
        raw_ = bytes_.substr(at_, end - at_);
        MoveTo(end + 1, 1 + std::count(raw_.begin(), raw_.end(), line_end_));
        return true;
      }
      if (!bytes_.substr(end).starts_with(delimiter_.text)) return false;
      at = end + delimiter_.text.size();
      if (fields_.size() > kMostColumns) return false;
    }
  }

  /// One line; a quote that does not enclose a field whole is a character like any other.
  void Lenient(std::string_view line) {
    const auto begin = static_cast<size_t>(line.data() - bytes_.data());
    const size_t limit = begin + line.size();
    size_t at = begin;
    while (true) {
      if (at < limit && bytes_[at] == '"') {
        const size_t close = ClosingQuote(at, limit);
        const bool encloses = close != std::string_view::npos &&
                              (close + 1 == limit || bytes_.substr(close + 1, limit - close - 1).starts_with(delimiter_.text));
        if (encloses && !delimiter_.text.empty()) {
          fields_.emplace_back(Unquoted(bytes_.substr(at + 1, close - at - 1)));
          if (close + 1 == limit) return;
          at = close + 1 + delimiter_.text.size();
          continue;
        }
      }
      const size_t cut = delimiter_.text.empty() ? std::string_view::npos : bytes_.substr(0, limit).find(delimiter_.text, at);
      fields_.emplace_back(bytes_.substr(at, std::min(cut, limit) - at));
      if (cut == std::string_view::npos) return;
      at = cut + delimiter_.text.size();
    }
  }

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

struct Form {
  Delimiter delimiter = kNoDelimiter;
  char line_end = '\n';
  bool header = false;
  bool too_long = false;  ///< the first line is
};

bool IsHeader(const std::vector<Field>& fields) {
  size_t named = 0;
  for (const Field& field : fields) {
    const std::string_view text = Trimmed(field.value_or(""));
    if (text.empty()) continue;
    if (ParseMoment(text).has_value() || ParseReal(text).has_value()) return false;
    ++named;
  }
  return named * 2 > fields.size();
}

Form Sniff(std::string_view bytes, const RecordLimits& limits) {
  Form form;
  const std::string_view head = bytes.substr(0, size_t{64} << 10);
  if (head.find('\n') == std::string_view::npos && head.find('\r') != std::string_view::npos) form.line_end = '\r';
  double best = 0.5;  // a smaller share of lines like the first is prose
  for (const Delimiter& delimiter : kDelimiters) {
    if (delimiter.text == " " && form.delimiter.text != "") break;
    Cutter cutter(bytes, delimiter, form.line_end, limits);
    int like_the_first = 0;
    size_t first = 0;
    int records = 0;
    while (records < kSniffedRecords && cutter.record_begin() < kSniffedBytes) {
      const Cutter::Got got = cutter.Next();
      if (got == Cutter::Got::kEnd) break;
      if (got == Cutter::Got::kTooLong) {
        form.too_long = records == 0;
        break;
      }
      ++records;
      if (records == 1) first = cutter.fields().size();
      like_the_first += cutter.fields().size() == first ? 1 : 0;
    }
    if (records == 0) return form;
    const double share = static_cast<double>(like_the_first) / records;
    const double needed = delimiter.text == " " ? 0.95 : best;
    if (first >= 2 && first <= kMostColumns && share > needed) {
      form.delimiter = delimiter;
      best = share;
    }
  }
  return form;
}

class TableReader final : public RecordReader {
 public:
  TableReader(std::string_view bytes, const Form& form, std::vector<std::string> columns, const RecordLimits& limits)
      : bytes_(bytes), form_(form), columns_(std::move(columns)), limits_(limits) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  bool has_header() const override { return form_.header; }
  std::string shape() const override {
    if (form_.delimiter.text.empty()) return "text without columns";
    return "a table with " + std::string(form_.delimiter.name) + " between and " + (form_.header ? "a" : "no") + " header";
  }

  Status Read(int64_t limit, RecordSink& sink) override {
    Cutter cutter(bytes_, form_.delimiter, form_.line_end, limits_);
    bool skip = form_.header;
    for (int64_t taken = 0; limit < 0 || taken < limit;) {
      const Cutter::Got got = cutter.Next();
      if (got == Cutter::Got::kEnd) break;
      if (std::exchange(skip, false)) continue;
      ++taken;
      if (!(got == Cutter::Got::kTooLong ? TooLong(cutter, sink) : One(cutter, sink))) break;
    }
    return {};
  }

 private:
  bool TooLong(const Cutter& cutter, RecordSink& sink) const {
    return sink.OnProblem({cutter.line(), "",
                           "the line is longer than " + WithCommas(limits_.max_record_bytes) + " bytes (ingest.max_line_bytes)",
                           cutter.raw()});
  }

  bool One(const Cutter& cutter, RecordSink& sink) const {
    const size_t count = cutter.fields().size();
    if (count == columns_.size()) return sink.OnRecord({cutter.line(), cutter.fields(), cutter.raw()});
    const bool last = cutter.raw().data() + cutter.raw().size() == bytes_.data() + bytes_.size();
    std::string reason = "has " + std::to_string(count) + " fields, expected " + std::to_string(columns_.size());
    if (last && count < columns_.size()) reason += ": the file is cut inside this row";
    return sink.OnProblem({cutter.line(), "", reason, cutter.raw()});
  }

  std::string_view bytes_;
  Form form_;
  std::vector<std::string> columns_;
  RecordLimits limits_;
};

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenTable(std::string_view bytes, const RecordLimits& limits) {
  Form form = Sniff(bytes, limits);
  if (form.too_long) {
    return Error{ErrorCode::kInvalid, "line 1 is longer than " + WithCommas(limits.max_record_bytes) +
                                          " bytes, so this is no table. If it is, raise ingest.max_line_bytes"};
  }
  Cutter cutter(bytes, form.delimiter, form.line_end, limits);
  if (cutter.Next() != Cutter::Got::kRecord) return Error{ErrorCode::kInvalid, "the file holds nothing but blank lines"};
  form.header = IsHeader(cutter.fields());
  std::vector<std::string> names;
  for (const Field& field : cutter.fields()) {
    names.emplace_back(form.header ? Trimmed(field.value_or("")) : std::string_view());
  }
  return std::unique_ptr<RecordReader>(
      std::make_unique<TableReader>(bytes, form, DistinctNames(names), limits));
}

}  // namespace segue::ingest
