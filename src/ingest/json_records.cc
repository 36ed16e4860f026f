#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <unordered_map>

#include "ingest/records.h"

namespace segue::ingest {
namespace {

constexpr int kDeepest = 100;

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }

/// Thrown by nothing: a scan either moves `at` on or says what is wrong.
struct Scan {
  std::string_view text;  // one record at most: cut at the longest allowed
  size_t at = 0;
  const char* wrong = nullptr;

  bool Fail(const char* why) {
    wrong = why;
    return false;
  }
  void Blanks() {
    while (at < text.size() && IsBlank(text[at])) ++at;
  }
  bool AtEnd() const { return at >= text.size(); }
};

constexpr const char* kEnds = "ends inside the record";

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

void AppendUtf8(std::string& out, uint32_t code) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0 | (code >> 6));
    out += static_cast<char>(0x80 | (code & 63));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0 | (code >> 12));
    out += static_cast<char>(0x80 | ((code >> 6) & 63));
    out += static_cast<char>(0x80 | (code & 63));
  } else {
    out += static_cast<char>(0xF0 | (code >> 18));
    out += static_cast<char>(0x80 | ((code >> 12) & 63));
    out += static_cast<char>(0x80 | ((code >> 6) & 63));
    out += static_cast<char>(0x80 | (code & 63));
  }
}

bool Hex4(Scan& scan, uint32_t& code) {
  if (scan.text.size() - scan.at < 4) return scan.Fail(kEnds);
  code = 0;
  for (int i = 0; i < 4; ++i) {
    const int digit = HexDigit(scan.text[scan.at++]);
    if (digit < 0) return scan.Fail("has a \\u that four hex digits do not follow");
    code = code * 16 + static_cast<uint32_t>(digit);
  }
  return true;
}

/// One escape, `at` behind the backslash.
bool Unescape(Scan& scan, std::string& out) {
  if (scan.AtEnd()) return scan.Fail(kEnds);
  const char c = scan.text[scan.at++];
  switch (c) {
    case '"': case '\\': case '/': out += c; return true;
    case 'b': out += '\b'; return true;
    case 'f': out += '\f'; return true;
    case 'n': out += '\n'; return true;
    case 'r': out += '\r'; return true;
    case 't': out += '\t'; return true;
    case 'u': break;
    default: return scan.Fail("has an unknown escape in a string");
  }
  uint32_t code = 0;
  if (!Hex4(scan, code)) return false;
  if (code >= 0xD800 && code < 0xDC00 && scan.text.substr(scan.at).starts_with("\\u")) {
    const size_t second_at = scan.at;
    scan.at += 2;
    uint32_t second = 0;
    if (!Hex4(scan, second)) return false;
    if (second >= 0xDC00 && second < 0xE000) {
      AppendUtf8(out, 0x10000 + ((code - 0xD800) << 10) + (second - 0xDC00));
      return true;
    }
    scan.at = second_at;
  }
  // Half a pair is no character: U+FFFD in its place.
  AppendUtf8(out, code >= 0xD800 && code < 0xE000 ? 0xFFFD : code);
  return true;
}

/// A string, `at` on its opening quote. Without escapes `value` is a view of
/// the text; with them, it lies in `arena`.
bool String(Scan& scan, std::deque<std::string>& arena, std::string_view& value) {
  const size_t begin = ++scan.at;
  const char* const data = scan.text.data();
  std::string* decoded = nullptr;
  size_t plain = begin;
  while (true) {
    size_t at = scan.at;
    while (at < scan.text.size() && data[at] != '"' && data[at] != '\\' && static_cast<unsigned char>(data[at]) >= 0x20) {
      ++at;
    }
    scan.at = at;
    if (scan.AtEnd()) return scan.Fail(kEnds);
    if (data[at] == '"') break;
    if (data[at] != '\\') return scan.Fail("has a line end or control character inside a string");
    if (decoded == nullptr) decoded = &arena.emplace_back();
    decoded->append(data + plain, at - plain);
    ++scan.at;
    if (!Unescape(scan, *decoded)) return false;
    plain = scan.at;
  }
  if (decoded == nullptr) {
    value = scan.text.substr(begin, scan.at - begin);
  } else {
    decoded->append(data + plain, scan.at - plain);
    value = *decoded;
  }
  ++scan.at;
  return true;
}

/// Moves over a nested array or object, `at` on its opening bracket.
bool Nested(Scan& scan, std::deque<std::string>& arena) {
  std::string open;
  do {
    if (scan.AtEnd()) return scan.Fail(kEnds);
    const char c = scan.text[scan.at];
    if (c == '"') {
      std::string_view ignored;
      if (!String(scan, arena, ignored)) return false;
      continue;
    }
    if (c == '[' || c == '{') open += c == '[' ? ']' : '}';
    if (open.size() > kDeepest) return scan.Fail("is nested too deep");
    if (c == ']' || c == '}') {
      if (open.back() != c) return scan.Fail("has brackets that do not match");
      open.pop_back();
    }
    ++scan.at;
  } while (!open.empty());
  return true;
}

bool IsNumber(std::string_view token) {
  size_t at = token.starts_with('-') ? 1 : 0;
  const auto digits = [&] {
    const size_t begin = at;
    while (at < token.size() && token[at] >= '0' && token[at] <= '9') ++at;
    return at > begin;
  };
  if (!digits()) return false;
  if (at < token.size() && token[at] == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    if (!digits()) return false;
  }
  return at == token.size();
}

bool Value(Scan& scan, std::deque<std::string>& arena, Field& value) {
  if (scan.AtEnd()) return scan.Fail(kEnds);
  const char c = scan.text[scan.at];
  if (c == '"') {
    std::string_view text;
    if (!String(scan, arena, text)) return false;
    value = text;
    return true;
  }
  const size_t begin = scan.at;
  if (c == '{' || c == '[') {
    if (!Nested(scan, arena)) return false;
    value = scan.text.substr(begin, scan.at - begin);
    return true;
  }
  while (!scan.AtEnd() && std::strchr(",}] \t\r\n", scan.text[scan.at]) == nullptr) ++scan.at;
  if (scan.AtEnd()) return scan.Fail(kEnds);
  const std::string_view token = scan.text.substr(begin, scan.at - begin);
  if (token == "null" || token == "NaN") {
    value.reset();
  } else if (token == "true" || token == "false" || IsNumber(token)) {
    value = token;
  } else {
    return scan.Fail("has a value that is no string, number, true, false, null, object or array");
  }
  return true;
}

class JsonReader final : public RecordReader {
 public:
  JsonReader(std::string_view bytes, const RecordLimits& limits) : bytes_(bytes), limits_(limits), sweep_(bytes, limits.forget) { FindStart(); }

  const std::vector<std::string>& columns() const override { return columns_; }
  bool has_header() const override { return true; }
  std::string shape() const override { return array_ ? "a JSON array of objects" : "JSON objects"; }

  Status Read(int64_t limit, RecordSink& sink) override {
    sweep_ = Sweep(bytes_, limits_.forget);
    at_ = start_;
    counted_ = 0;
    line_ = 1;
    bool closed = false;
    for (int64_t taken = 0; limit < 0 || taken < limit;) {
      while (at_ < bytes_.size() && (IsBlank(bytes_[at_]) || bytes_[at_] == ',')) ++at_;
      if (at_ >= bytes_.size()) break;
      if (array_ && bytes_[at_] == ']') {
        closed = true;
        if (wrapped_ || !AnotherArray(sink)) break;
        closed = false;
        continue;
      }
      ++taken;
      if (!Next(sink)) return {};
      sweep_.Reached(at_);
    }
    if (array_ && !closed && at_ >= bytes_.size() && !cut_) {
      sink.OnProblem({LineOf(bytes_.size()), "", "the file ends before the closing ']': what was behind is lost", {}});
    }
    return {};
  }

 private:
  /// Where the first object is, and whether objects lie in an array.
  void FindStart() {
    const auto blanks = [&](size_t at) {
      while (at < bytes_.size() && IsBlank(bytes_[at])) ++at;
      return at;
    };
    start_ = blanks(0);
    if (start_ < bytes_.size() && bytes_[start_] == '[') {
      array_ = true;
      ++start_;
      return;
    }
    // {"listens": [{...}, ...]}: the array within is what holds the records.
    Scan scan{bytes_.substr(0, size_t{64} << 10), start_};
    std::string_view key;
    if (!scan.AtEnd()) ++scan.at;
    scan.Blanks();
    if (scan.AtEnd() || scan.text[scan.at] != '"' || !String(scan, arena_, key)) return;
    scan.Blanks();
    if (scan.AtEnd() || scan.text[scan.at] != ':') return;
    ++scan.at;
    scan.Blanks();
    if (scan.AtEnd() || scan.text[scan.at] != '[') return;
    const size_t inside = blanks(scan.at + 1);
    if (inside < bytes_.size() && bytes_[inside] == '{') {
      array_ = true;
      wrapped_ = true;
      start_ = inside;
    }
  }

  /// Behind a closing ']': exports that were put behind one another go on with
  /// '['. Anything else does not belong there.
  bool AnotherArray(RecordSink& sink) {
    ++at_;
    while (at_ < bytes_.size() && IsBlank(bytes_[at_])) ++at_;
    if (at_ >= bytes_.size()) return false;
    if (bytes_[at_++] == '[') return true;
    sink.OnProblem({LineOf(at_ - 1), "", "text behind the closing ']' is not read", bytes_.substr(at_ - 1)});
    return false;
  }

  /// One record or what stands in its place; `at_` moves behind it.
  bool Next(RecordSink& sink) {
    const size_t begin = at_;
    const auto longest = static_cast<size_t>(limits_.max_record_bytes);
    Scan scan{bytes_.substr(begin, longest), 0};
    cut_ = false;
    arena_.clear();
    fields_.assign(columns_.size(), std::nullopt);
    if (Object(scan)) {
      at_ = begin + scan.at;
      return sink.OnRecord({LineOf(begin), fields_, bytes_.substr(begin, scan.at)});
    }
    std::string reason;
    const bool file_ends = bytes_.size() - begin <= longest;
    if (scan.wrong == kEnds && !file_ends) {
      reason = "the record is longer than " + WithCommas(limits_.max_record_bytes) + " bytes (ingest.max_line_bytes)";
    } else if (scan.wrong == kEnds) {
      reason = "the file ends inside this record";
    } else {
      reason = std::string("the record ") + scan.wrong;
    }
    const int64_t line = LineOf(begin);
    const size_t resume = Resume(begin, scan.wrong == kEnds && !file_ends ? begin + longest : begin + 1);
    // Only where nothing could be read behind it is the end of the file the cause.
    cut_ = resume >= bytes_.size();
    if (scan.wrong == kEnds && file_ends && !cut_) reason = "the record is not closed";
    if (scan.wrong != kEnds) reason += LineNote(line, begin + std::min(scan.at, scan.text.size()));
    at_ = resume;
    return sink.OnProblem({line, "", reason, bytes_.substr(begin, resume - begin)});
  }

  std::string LineNote(int64_t begins, size_t wrong_at) {
    const int64_t wrong = LineOf(wrong_at);
    return wrong == begins ? "" : " (in line " + std::to_string(wrong) + ")";
  }

  bool Object(Scan& scan) {
    if (scan.text[0] != '{') return scan.Fail("is not an object");
    ++scan.at;
    for (size_t number = 0;; ++number) {
      scan.Blanks();
      if (scan.AtEnd()) return scan.Fail(kEnds);
      if (scan.text[scan.at] == '}' && number == 0) break;
      if (scan.text[scan.at] != '"') return scan.Fail("has no '\"' where a name should begin");
      std::string_view key;
      if (!String(scan, arena_, key)) return false;
      scan.Blanks();
      if (scan.AtEnd()) return scan.Fail(kEnds);
      if (scan.text[scan.at] != ':') return scan.Fail("has no ':' behind a name");
      ++scan.at;
      scan.Blanks();
      // The column first: adding one may move the fields.
      const size_t column = ColumnOf(key, number);
      if (!Value(scan, arena_, fields_[column])) return false;
      scan.Blanks();
      if (scan.AtEnd()) return scan.Fail(kEnds);
      if (scan.text[scan.at] == '}') break;
      if (scan.text[scan.at] != ',') return scan.Fail("has neither ',' nor '}' behind a value");
      ++scan.at;
    }
    ++scan.at;
    return true;
  }

  /// Records mostly have the same keys in the same order: try that one first.
  size_t ColumnOf(std::string_view key, size_t number) {
    if (number < columns_.size() && columns_[number] == key) return number;
    const auto [it, added] = index_.try_emplace(std::string(key), columns_.size());
    if (added) {
      columns_.emplace_back(key);
      fields_.resize(columns_.size());
    }
    return it->second;
  }

  /// Where reading can go on after a broken record: at a '{' that begins a
  /// line, or behind '},'.
  size_t Resume(size_t begin, size_t from) const {
    for (size_t at = from; at < bytes_.size(); ++at) {
      at = sweep_.Find('{', at);
      if (at >= bytes_.size()) break;
      size_t before = at;
      while (before > begin && (bytes_[before - 1] == ' ' || bytes_[before - 1] == '\t')) --before;
      if (before > begin && bytes_[before - 1] == '\n') return at;
      while (before > begin && IsBlank(bytes_[before - 1])) --before;
      if (before == begin || bytes_[--before] != ',') continue;
      while (before > begin && IsBlank(bytes_[before - 1])) --before;
      if (before > begin && bytes_[before - 1] == '}') return at;
    }
    return bytes_.size();
  }

  /// Counts on from the last call; calls mostly go forward.
  int64_t LineOf(size_t at) {
    if (at < counted_) {
      line_ -= sweep_.Count('\n', at, counted_);
    } else {
      line_ += sweep_.Count('\n', counted_, at);
    }
    counted_ = at;
    return line_;
  }

  std::string_view bytes_;
  RecordLimits limits_;
  Sweep sweep_;
  bool array_ = false;
  bool wrapped_ = false;   // the array is a value in an object
  bool cut_ = false;       // the last record was cut by the end of the file
  size_t start_ = 0;
  size_t at_ = 0;
  size_t counted_ = 0;     // line_ is the line of this byte
  int64_t line_ = 1;
  std::vector<std::string> columns_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<Field> fields_;
  std::deque<std::string> arena_;
};

}  // namespace

std::unique_ptr<RecordReader> OpenJson(std::string_view bytes, const RecordLimits& limits) {
  return std::make_unique<JsonReader>(bytes, limits);
}

}  // namespace segue::ingest
