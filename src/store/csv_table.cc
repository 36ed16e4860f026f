#include "store/csv_table.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <utility>
#include <vector>

namespace segue::store {
namespace {

/// The line on which the n-th row below the header begins, n from 1; blank
/// lines are no rows, and a quoted field may hold line ends.
int64_t LineOfRow(const std::filesystem::path& path, int64_t n) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  int64_t row = -1;
  bool quoted = false;
  for (int64_t line = 1; std::getline(in, text); ++line) {
    const bool begins = !quoted;
    if (std::count(text.begin(), text.end(), '"') % 2 != 0) quoted = !quoted;
    if (begins && !text.empty() && text != "\r" && ++row == n) return line;
  }
  return n + 1;
}

/// The first row of a table that cannot be used.
Status CheckCsvRows(Duck& duck, const std::filesystem::path& path, const std::string& table,
                    std::span<const CsvColumn> columns) {
  std::string fields;
  for (const CsvColumn& column : columns) fields += ", \"" + column.name + '"';
  Status status;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT row, " + WrongCsvColumn(columns) + " AS wrong" + fields + " FROM " + table + " WHERE wrong IS NOT NULL ORDER BY row LIMIT 1",
      [&](const DuckChunk& chunk) {
        if (chunk.rows() == 0) return;
        const auto c = static_cast<size_t>(chunk.Int(1, 0));
        status = WrongCsvField(path, chunk.Int(0, 0), columns[c], CsvTextAt(chunk, 2 + static_cast<int>(c), 0));
      }));
  return status;
}

/// The first line that ends otherwise than the header does, which DuckDB
/// refuses without saying so; nothing where all end alike.
std::optional<int64_t> LineThatEndsOtherwise(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  bool carriage = false;
  for (int64_t line = 1; std::getline(in, text) && !in.eof(); ++line) {
    if (line == 1) carriage = text.ends_with('\r');
    if (text.ends_with('\r') != carriage) return line;
  }
  return std::nullopt;
}

/// The line of a quote that is never closed, whose row DuckDB would leave out in silence.
std::optional<int64_t> LineOfOpenQuote(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> bytes(size_t{1} << 20);
  int64_t line = 1;
  int64_t opened = 0;
  enum class At { kFieldStart, kPlain, kQuoted, kQuoteInQuoted } at = At::kFieldStart;
  while (in.read(bytes.data(), static_cast<std::streamsize>(bytes.size())), in.gcount() > 0) {
    const auto read = std::span(bytes).first(static_cast<size_t>(in.gcount()));
    if (at < At::kQuoted && std::find(read.begin(), read.end(), '"') == read.end()) {  // most files have none
      line += std::count(read.begin(), read.end(), '\n');
      at = read.back() == ',' || read.back() == '\n' ? At::kFieldStart : At::kPlain;
      continue;
    }
    for (const char c : read) {
      if (c == '\n') ++line;
      if (at == At::kQuoted) {
        if (c == '"') at = At::kQuoteInQuoted;
      } else if (c == '"' && at != At::kPlain) {
        if (at == At::kFieldStart) opened = line;
        at = At::kQuoted;
      } else {
        at = c == ',' || c == '\n' ? At::kFieldStart : At::kPlain;
      }
    }
  }
  if (at != At::kQuoted) return std::nullopt;
  return opened;
}

/// What DuckDB says about a row, without its advice on settings that are not
/// the reader's, and with the line where ours have it.
Error CsvError(const Error& error, const std::filesystem::path& path) {
  constexpr std::string_view kLine = "CSV Error on Line: ";
  std::string message = error.message.substr(0, error.message.find("\nPossible"));
  std::string where = path.string();
  if (message.find("reached an invalid state") != std::string::npos) {
    if (const auto line = LineThatEndsOtherwise(path)) {
      return {error.code, where + " line " + std::to_string(*line) + ": ends otherwise than line 1 does (LF or CR LF); write all line ends alike"};
    }
  }
  if (const size_t at = message.find(kLine); at != std::string::npos) {
    const size_t end = std::min(message.find('\n', at), message.size());
    where += " line " + message.substr(at + kLine.size(), end - at - kLine.size());
    message.erase(0, std::min(end + 1, message.size()));
  }
  std::replace(message.begin(), message.end(), '\n', ' ');
  return {error.code, where + ": " + message};
}

}  // namespace

std::vector<std::string> CsvHeader(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::string line;
  std::getline(in, line);
  if (line.starts_with("\xef\xbb\xbf")) line.erase(0, 3);
  if (line.ends_with('\r')) line.pop_back();
  std::vector<std::string> names;
  for (size_t from = 0; from <= line.size();) {
    const size_t comma = std::min(line.find(',', from), line.size());
    std::string name = line.substr(from, comma - from);
    if (name.size() >= 2 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    names.push_back(std::move(name));
    from = comma + 1;
  }
  return names;
}

std::string CsvTextAt(const DuckChunk& chunk, int column, uint64_t row) {
  return chunk.IsNull(column, row) ? std::string() : std::string(chunk.Text(column, row));
}

std::string WrongCsvColumn(std::span<const CsvColumn> columns) {
  std::string wrong = "CASE";
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::string name = '"' + columns[c].name + '"';
    const std::string empty = "coalesce(" + name + ",'')=''";
    // NaN is greater than all numbers; what a float cannot hold is refused with the infinite.
    const std::string no_number = "NOT coalesce(abs(try_cast(" + name + " AS DOUBLE))<=3.4e38,false)";
    const std::string test = columns[c].as == CsvColumn::kId                ? empty
                             : columns[c].as == CsvColumn::kNumber          ? no_number
                             : columns[c].as == CsvColumn::kNumberOrNothing ? "NOT " + empty + " AND " + no_number
                                 : "NOT " + empty + " AND try_cast(" + name + " AS BIGINT) IS NULL";
    wrong += " WHEN " + test + " THEN " + std::to_string(c);
  }
  return wrong + " END";
}

Error WrongCsvField(const std::filesystem::path& path, int64_t row, const CsvColumn& column, const std::string& field) {
  return {ErrorCode::kInvalid, path.string() + " line " + std::to_string(LineOfRow(path, row)) + ": field '" + column.name +
                                   "' is '" + field + "', expected " + column.Expected()};
}

Result<std::string> SelectCsv(const std::filesystem::path& path, std::span<const CsvColumn> wanted) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::kNotFound, path.string() + ": there is no such file"};
  }
  // Said, not guessed: a guess takes one bad row for another delimiter.
  const std::vector<std::string> header = CsvHeader(path);
  std::string columns, chosen, expected;
  for (const CsvColumn& column : wanted) expected += (expected.empty() ? "" : ",") + (column.needed ? column.name : "[" + column.name + "]");
  for (size_t c = 0; c < header.size(); ++c) columns += (c > 0 ? ", c" : "c") + std::to_string(c) + ": 'VARCHAR'";
  for (const CsvColumn& column : wanted) {
    const auto found = std::find(header.begin(), header.end(), column.name);
    const auto times = std::count(header.begin(), header.end(), column.name);
    if (times > 1 || (times == 0 && column.needed)) {
      return Error{ErrorCode::kInvalid, path.string() + " line 1: column '" + column.name + "' is " +
                                            (times == 0 ? "missing" : "there twice") + "; expected the header " + expected};
    }
    chosen += chosen.empty() ? "" : ", ";
    chosen += (times == 0 ? "NULL::VARCHAR" : "c" + std::to_string(found - header.begin())) + " AS \"" + column.name + "\"";
  }
  return "SELECT " + chosen + " FROM read_csv(" + Quoted(path.string()) +
         ", auto_detect=false, header=true, delim=',', quote='\"', escape='\"', null_padding=true, parallel=false, columns={" +
         columns + "})";
}

Status CsvReadingEnded(const Status& status, const std::filesystem::path& path) {
  if (!status.ok()) return CsvError(status.error(), path);
  if (const auto line = LineOfOpenQuote(path)) {
    return Error{ErrorCode::kInvalid, path.string() + " line " + std::to_string(*line) + ": a quoted field begins here that never ends"};
  }
  return {};
}

Status ReadCsv(Duck& duck, const std::filesystem::path& path, const std::string& table, std::span<const CsvColumn> wanted) {
  SEGUE_TRY(const std::string select, SelectCsv(path, wanted));
  const Status read = duck.Run("CREATE TABLE " + table + " AS SELECT row_number() OVER () AS row, * FROM (" + select + ")");
  SEGUE_RETURN_IF_ERROR(CsvReadingEnded(read, path));
  return CheckCsvRows(duck, path, table, wanted);
}

}  // namespace segue::store
