#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "ingest/records.h"
#include "ingest/values.h"

namespace segue::ingest {
namespace {

constexpr int kSniffedRecords = 60;
constexpr size_t kSniffedBytes = 4 << 20;
using store::Cutter;
using store::Delimiter;
using store::kMostColumns;

// In order of trust: where two fit equally well, the first is taken.
constexpr std::array<Delimiter, 6> kDelimiters = {{{"\t", "tab", false},
                                                   {"::", "'::'", false},
                                                   {"|", "'|'", true},
                                                   {";", "semicolon", true},
                                                   {",", "comma", true},
                                                   {" ", "space", false}}};
constexpr Delimiter kNoDelimiter = {"", "nothing", false};

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
