#include "ingest/stage.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <unordered_map>

#include "core/check.h"
#include "core/dataset.h"
#include "core/identity.h"
#include "ingest/values.h"

namespace segue::ingest {
namespace {

constexpr size_t kRememberedKeys = 200'000;
constexpr int64_t kLookUpEvery = 4096;

/// One staged value; which member holds it is the column's type.
struct Cell {
  bool null = true;
  int64_t whole = 0;
  double real = 0;
  std::string text;

  void Set(int64_t value) { null = false, whole = value; }
  void Set(double value) { null = false, real = value; }
  void Set(std::string_view value) { null = false, text.assign(value); }
};

/// A source's own id, or one of ours ("t" and 16 hex digits)?
bool HasNamespace(std::string_view id) {
  const bool ours = id.size() == 17 && id.front() == 't' &&
                    id.find_first_not_of("0123456789abcdef", 1) == std::string_view::npos;
  return ours || id.find(':') != std::string_view::npos;
}

class Stager final : public RecordSink {
 public:
  Stager(const RecordReader& reader, const Plan& plan, store::DuckAppender& appender, Rejects& rejects,
         Instruments& instruments)
      : reader_(reader),
        plan_(plan),
        appender_(appender),
        rejects_(rejects),
        instruments_(instruments),
        columns_(StagedColumns(plan.table)),
        cells_(columns_.size()) {
    for (size_t i = 0; i < columns_.size(); ++i) index_[columns_[i].name] = i;
    line_ = IndexOf("line");
    for (const ColumnRule& rule : plan_.rules) targets_.push_back(IndexOf(rule.to).value());
    artist_ = IndexOf("artist");
    title_ = IndexOf("title");
    name_key_ = IndexOf("name_key");
    source_id_ = IndexOf("source_id");
    precision_ = IndexOf("at_precision");
    kind_ = IndexOf("kind");
    text_ = IndexOf("text");
    row_ = IndexOf("row");
    tags_ = IndexOf("tags");
  }

  bool OnRecord(const Record& record) override {
    ++staged_.records;
    if (staged_.records % kLookUpEvery == 0 && instruments_.Cancelled()) {
      return Stop(Error{ErrorCode::kCancelled, "asked to stop"});
    }
    Bind();
    wrong_reason_.clear();
    if (!Fill(record)) {
      rejects_.Add(record.line, wrong_field_, wrong_reason_, record.raw.empty() ? wrong_text_ : record.raw);
      return true;
    }
    if (IsSpokenWord(record)) {
      ++staged_.spoken_word;
      return true;
    }
    if (!Complete()) {
      rejects_.Add(record.line, wrong_field_, wrong_reason_, record.raw);
      return true;
    }
    return Append();
  }

  bool OnProblem(const RecordProblem& problem) override {
    ++staged_.records;
    rejects_.Add(problem.line, problem.field, problem.reason, problem.raw);
    return true;
  }

  const Status& status() const { return status_; }
  const Staged& staged() const { return staged_; }

 private:
  std::optional<size_t> IndexOf(const std::string& name) const {
    const auto it = index_.find(name);
    return it == index_.end() ? std::nullopt : std::optional(it->second);
  }

  bool Stop(Error error) {
    status_ = std::move(error);
    return false;
  }

  bool Wrong(std::string_view field, std::string reason, std::string_view text = {}) {
    wrong_field_ = field;
    wrong_reason_ = std::move(reason);
    wrong_text_ = text;
    return false;
  }

  /// JSON readers find columns as they go: bind again when there are more.
  void Bind() {
    if (bound_ == reader_.columns().size()) return;
    bound_ = reader_.columns().size();
    sources_.clear();
    for (const ColumnRule& rule : plan_.rules) sources_.push_back(Find(rule.from));
    spoken_.clear();
    for (const std::string& name : plan_.spoken_word) {
      if (const int column = FindColumn(reader_.columns(), name); column >= 0) spoken_.push_back(column);
    }
  }

  int Find(const std::vector<std::string>& alternatives) const {
    for (const std::string& name : alternatives) {
      if (const int column = FindColumn(reader_.columns(), name); column >= 0) return column;
    }
    return -1;
  }

  static Field At(const Record& record, int column) {
    if (column < 0 || static_cast<size_t>(column) >= record.fields.size()) return {};
    return record.fields[static_cast<size_t>(column)];
  }

  /// The record's fields as cells. False: what is wrong is in wrong_*.
  bool Fill(const Record& record) {
    for (Cell& cell : cells_) cell.null = true;
    if (line_) cells_[*line_].Set(record.line);
    if (row_) cells_[*row_].Set(staged_.records - 1);
    for (const auto& [name, text] : plan_.constants) {
      if (const auto at = IndexOf(name)) cells_[*at].Set(text);
    }
    for (size_t i = 0; i < plan_.rules.size(); ++i) {
      const ColumnRule& rule = plan_.rules[i];
      const Field field = At(record, sources_[i]);
      const std::string_view name = sources_[i] < 0 ? std::string_view(rule.from.front())
                                                    : std::string_view(reader_.columns()[static_cast<size_t>(sources_[i])]);
      if (!field || Trimmed(*field).empty()) {
        if (rule.needed) return Wrong(name, "is missing");
        continue;
      }
      if (!Convert(rule, targets_[i], *field, name)) return false;
      if (rule.needed && cells_[targets_[i]].null) return Wrong(name, "is missing");
    }
    return true;
  }

  bool Convert(const ColumnRule& rule, size_t target, std::string_view text, std::string_view name) {
    switch (rule.as) {
      case As::kNumber: return Number(target, text, name);
      case As::kMoment: return Time(target, text, name);
      case As::kText: return Text(target, "", text, name);
      case As::kListener: return Text(target, plan_.listener_prefix, Trimmed(text), name);
      case As::kItem: return Text(target, plan_.item_prefix, Trimmed(text), name);
      case As::kTrack: return Text(target, HasNamespace(Trimmed(text)) ? "" : plan_.item_prefix, Trimmed(text), name);
    }
    return false;
  }

  bool Number(size_t target, std::string_view text, std::string_view name) {
    if (IsMissingMark(text)) return true;
    const auto complain = [&](const char* expected) {
      return Wrong(name, "is '" + SampleOf(text, 60) + "', expected " + expected, text);
    };
    if (columns_[target].type == StagedType::kDouble) {
      const auto value = ParseReal(text);
      if (!value) return complain("a number");
      cells_[target].Set(*value);
      return true;
    }
    auto value = ParseInteger(text);
    // Lengths in fractions of a millisecond occur.
    if (const auto real = ParseReal(text); !value && real && columns_[target].name.ends_with("_ms") &&
                                           *real > -1e15 && *real < 1e15) {
      value = static_cast<int64_t>(*real);
    }
    if (!value) return complain("a whole number");
    if (columns_[target].type == StagedType::kInteger && (*value < std::numeric_limits<int32_t>::min() ||
                                                    *value > std::numeric_limits<int32_t>::max())) {
      return complain("a number of at most 32 bits");
    }
    cells_[target].Set(*value);
    return true;
  }

  bool Time(size_t target, std::string_view text, std::string_view name) {
    if (IsMissingMark(text)) return true;
    const auto moment = ParseMoment(text);
    if (!moment) {
      return Wrong(name, "is '" + SampleOf(text, 60) + "', expected Unix seconds or milliseconds, or a date and time as 2024-03-01T12:00:00Z",
                   text);
    }
    cells_[target].Set(moment->at);
    if (precision_) cells_[*precision_].Set(int64_t{moment->precision});
    return true;
  }

  bool Text(size_t target, std::string_view prefix, std::string_view text, std::string_view name) {
    if (text.find('\0') != std::string_view::npos) return Wrong(name, "holds a NUL byte", text);
    bool changed = false;
    std::string value = ToUtf8(text, &changed);
    staged_.not_utf8 += changed ? 1 : 0;
    if (!prefix.empty()) value.insert(0, prefix);
    // A tag that the plan gives stays beside those of the row.
    if (tags_ && target == *tags_ && !cells_[target].null) value.insert(0, cells_[target].text + ";");
    cells_[target].Set(value);
    return true;
  }

  bool IsSpokenWord(const Record& record) const {
    if (!title_ || !cells_[*title_].null) return false;
    return std::any_of(spoken_.begin(), spoken_.end(), [&](int column) {
      const Field field = At(record, column);
      return field && !field->empty();
    });
  }

  /// What follows from several cells. False: what is wrong is in wrong_*.
  bool Complete() {
    if (name_key_ && artist_ && title_ && !cells_[*artist_].null && !cells_[*title_].null) {
      const std::string& key = NameKeyOf(cells_[*artist_].text, cells_[*title_].text);
      if (!key.empty()) cells_[*name_key_].Set(key);
    }
    if (plan_.needs_identity && source_id_ && cells_[*source_id_].null && (!name_key_ || cells_[*name_key_].null)) {
      return Wrong("", "names no track: neither artist and title nor an id");
    }
    if (plan_.review_where_text) cells_[*kind_].Set(Name(cells_[*text_].null ? EventKind::kRating : EventKind::kReview));
    if (plan_.review_where_text && cells_[*text_].null && cells_[*IndexOf("value")].null) {
      return Wrong("", "has neither a rating nor text");
    }
    return true;
  }

  /// Listeners repeat their tracks: normalising is what costs, so keys are remembered.
  const std::string& NameKeyOf(const std::string& artist, const std::string& title) {
    lookup_.assign(artist).append(1, '\x1f').append(title);
    if (const auto it = keys_.find(lookup_); it != keys_.end()) return it->second;
    if (keys_.size() >= kRememberedKeys) keys_.clear();
    return keys_.emplace(lookup_, NameKey(artist, title)).first->second;
  }

  bool Append() {
    for (size_t i = 0; i < cells_.size(); ++i) {
      const Cell& cell = cells_[i];
      if (cell.null) {
        appender_.Null();
      } else if (columns_[i].type == StagedType::kText) {
        appender_.Text(cell.text);
      } else if (columns_[i].type == StagedType::kDouble) {
        appender_.Real(cell.real);
      } else {
        appender_.Int(cell.whole);
      }
    }
    status_ = appender_.EndRow();
    staged_.rows += status_.ok() ? 1 : 0;
    return status_.ok();
  }

  const RecordReader& reader_;
  const Plan& plan_;
  store::DuckAppender& appender_;
  Rejects& rejects_;
  Instruments& instruments_;
  std::vector<StagedColumn> columns_;
  std::vector<Cell> cells_;
  std::unordered_map<std::string, size_t> index_;
  std::vector<size_t> targets_;  // of each rule: its staged column
  std::vector<int> sources_;     // of each rule: the file's column, -1 none
  std::vector<int> spoken_;
  size_t bound_ = std::string::npos;
  std::optional<size_t> line_, artist_, title_, name_key_, source_id_, precision_, kind_, text_, row_, tags_;
  std::string wrong_field_;
  std::string wrong_reason_;
  std::string wrong_text_;
  std::unordered_map<std::string, std::string> keys_;
  std::string lookup_;
  Staged staged_;
  Status status_;
};

/// DuckDB's troubles with our own table are not the input's.
Status Ours(Status status) {
  if (!status.ok() && status.error().code == ErrorCode::kCorrupt) return Error{ErrorCode::kIo, status.error().message};
  return status;
}

}  // namespace

Result<Staged> Stage(RecordReader& reader, const Plan& plan, store::Duck& duck, Rejects& rejects,
                     Instruments& instruments, const std::filesystem::path& out) {
  SEGUE_RETURN_IF_ERROR(Ours(duck.Run("CREATE OR REPLACE TABLE staged (" + std::string(StagedSchema(plan.table)) + ")")));
  Staged staged;
  {
    SEGUE_TRY(const std::unique_ptr<store::DuckAppender> appender, duck.Append("staged"));
    Stager stager(reader, plan, *appender, rejects, instruments);
    SEGUE_RETURN_IF_ERROR(reader.Read(-1, stager));
    SEGUE_RETURN_IF_ERROR(Ours(stager.status()));
    SEGUE_RETURN_IF_ERROR(Ours(appender->Close()));
    staged = stager.staged();
  }
  if (staged.rows > 0) {
    SEGUE_RETURN_IF_ERROR(
        Ours(duck.Run("COPY staged TO " + store::Quoted(out.string()) + " (FORMAT parquet, COMPRESSION zstd)")));
  }
  SEGUE_RETURN_IF_ERROR(Ours(duck.Run("DROP TABLE staged")));
  return staged;
}

}  // namespace segue::ingest
