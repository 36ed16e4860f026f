#include "store/csv_files.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "core/check.h"
#include "store/duck.h"

namespace segue::store {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

/// A column of a CSV file, and what its fields must be.
struct Column {
  enum As { kId, kNumber, kNumberOrNothing, kSeconds };
  std::string name;
  As as = kId;
  bool needed = true;

  const char* Expected() const {
    return as == kId ? "an id" : as == kNumber ? "a number of at most 3.4e38" : as == kSeconds ? "Unix seconds, or nothing" : "a number of at most 3.4e38, or nothing";
  }
};

const Column kEventColumns[] = {{"user_id"}, {"item_id"}, {"value", Column::kNumber}, {"at", Column::kSeconds, false}};
const Column kTagColumns[] = {{"item_id"}, {"tag"}, {"count", Column::kNumberOrNothing, false}};
const Column kFriendColumns[] = {{"user_id"}, {"friend_id"}};

std::string TextAt(const DuckChunk& chunk, int column, uint64_t row) {
  return chunk.IsNull(column, row) ? std::string() : std::string(chunk.Text(column, row));
}

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

/// Names file, line and field of the first row that cannot be used.
Status CheckCsvRows(Duck& duck, const std::filesystem::path& path, const std::string& table,
                    std::span<const Column> columns) {
  std::string wrong = "CASE";
  std::string fields;
  for (size_t c = 0; c < columns.size(); ++c) {
    const std::string name = '"' + columns[c].name + '"';
    const std::string empty = "coalesce(" + name + ",'')=''";
    // NaN is greater than all numbers; what a float cannot hold is refused with the infinite.
    const std::string no_number = "NOT coalesce(abs(try_cast(" + name + " AS DOUBLE))<=3.4e38,false)";
    const std::string test = columns[c].as == Column::kId                ? empty
                             : columns[c].as == Column::kNumber          ? no_number
                             : columns[c].as == Column::kNumberOrNothing ? "NOT " + empty + " AND " + no_number
                                 : "NOT " + empty + " AND try_cast(" + name + " AS BIGINT) IS NULL";
    wrong += " WHEN " + test + " THEN " + std::to_string(c);
    fields += ", " + name;
  }
  std::string problem;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT row, " + wrong + " END AS wrong" + fields + " FROM " + table + " WHERE wrong IS NOT NULL ORDER BY row LIMIT 1",
      [&](const DuckChunk& chunk) {
        if (chunk.rows() == 0) return;
        const auto c = static_cast<size_t>(chunk.Int(1, 0));
        problem = path.string() + " line " + std::to_string(LineOfRow(path, chunk.Int(0, 0))) + ": field '" +
                  columns[c].name + "' is '" + TextAt(chunk, 2 + static_cast<int>(c), 0) + "', expected " +
                  columns[c].Expected();
      }));
  if (!problem.empty()) return Error{ErrorCode::kInvalid, problem};
  return {};
}

/// The names in the first line; quotes around a name are taken off.
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

/// Reads one file's `wanted` columns into `table`, with the row, all but the row as text.
Status ReadCsv(Duck& duck, const std::filesystem::path& path, const std::string& table, std::span<const Column> wanted) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::kNotFound, path.string() + ": there is no such file"};
  }
  // Said, not guessed: a guess takes one bad row for another delimiter.
  const std::vector<std::string> header = CsvHeader(path);
  std::string columns, chosen, expected;
  for (const Column& column : wanted) expected += (expected.empty() ? "" : ",") + (column.needed ? column.name : "[" + column.name + "]");
  for (size_t c = 0; c < header.size(); ++c) columns += (c > 0 ? ", c" : "c") + std::to_string(c) + ": 'VARCHAR'";
  for (const Column& column : wanted) {
    const auto found = std::find(header.begin(), header.end(), column.name);
    const auto times = std::count(header.begin(), header.end(), column.name);
    if (times > 1 || (times == 0 && column.needed)) {
      return Error{ErrorCode::kInvalid, path.string() + " line 1: column '" + column.name + "' is " +
                                            (times == 0 ? "missing" : "there twice") + "; expected the header " + expected};
    }
    chosen += ", " + (times == 0 ? "NULL::VARCHAR" : "c" + std::to_string(found - header.begin())) + " AS \"" +
              column.name + "\"";
  }
  auto read = duck.Run("CREATE TABLE " + table + " AS SELECT row_number() OVER () AS row" + chosen + " FROM read_csv(" +
                       Quoted(path.string()) + ", auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
                       "null_padding=true, parallel=false, columns={" + columns + "})");
  if (!read.ok()) return CsvError(read.error(), path);
  if (const auto line = LineOfOpenQuote(path)) {
    return Error{ErrorCode::kInvalid, path.string() + " line " + std::to_string(*line) + ": a quoted field begins here that never ends"};
  }
  return CheckCsvRows(duck, path, table, wanted);
}

/// Events of one CSV table, over listeners and tracks of both.
Status ReadCsvEvents(Duck& duck, const std::string& table, EventKind kind, Dataset& data) {
  std::vector<uint64_t> count(data.listeners.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT u.ix, t.ix, CAST(c.value AS DOUBLE), coalesce(try_cast(c.\"at\" AS BIGINT),0) AS seconds FROM " + table +
          " c JOIN users u ON u.id=c.user_id JOIN items t ON t.id=c.item_id ORDER BY u.ix, seconds, t.ix, c.row",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++count[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.events.push_back({TrackIx{static_cast<uint32_t>(chunk.Int(1, r))}, kind,
                                 static_cast<float>(chunk.Real(2, r)), -1, chunk.Int(3, r)});
        }
      }));
  for (size_t i = 1; i < count.size(); ++i) count[i] += count[i - 1];
  data.begin = std::move(count);
  return {};
}

Status ReadNames(Duck& duck, const std::string& table, std::vector<std::string>& names) {
  return duck.Query("SELECT id FROM " + table + " ORDER BY ix", [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) names.push_back(TextAt(chunk, 0, r));
  });
}

/// Do the values look like ratings? A scale of at most ten, whole or half steps,
/// and the lowest step not the most common, as it would be with play counts.
Result<bool> LookLikeRatings(Duck& duck) {
  bool ratings = false;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT coalesce(min(v) >= 0 AND max(v) <= 10 AND count(*) > 1 AND bool_and(v * 2 = floor(v * 2)) AND "
      "arg_max(v, n) > min(v), false) FROM (SELECT CAST(value AS DOUBLE) AS v, count(*) AS n FROM train GROUP BY v)",
      [&](const DuckChunk& chunk) {
        if (chunk.rows() > 0) ratings = chunk.Int(0, 0) != 0;
      }));
  return ratings;
}

Status ReadTags(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "tags", kTagColumns));
  SEGUE_RETURN_IF_ERROR(duck.Run(
      "CREATE TABLE known_tags AS SELECT items.ix AS item, tag, least(sum(coalesce(try_cast(\"count\" AS DOUBLE), 1)), 1e15) AS n FROM tags "
      "JOIN items ON items.id = item_id GROUP BY items.ix, tag HAVING n > 0"));
  SEGUE_RETURN_IF_ERROR(duck.Run(
      "CREATE TABLE tag_names AS SELECT tag AS id, row_number() OVER (ORDER BY tag) - 1 AS ix FROM (SELECT DISTINCT tag FROM known_tags)"));
  SEGUE_RETURN_IF_ERROR(ReadNames(duck, "tag_names", data.tags.names));
  data.tags.begin.assign(data.tracks.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT item, ix, n FROM known_tags JOIN tag_names ON id = tag ORDER BY item, ix", [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++data.tags.begin[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.tags.tag.push_back(static_cast<uint32_t>(chunk.Int(1, r)));
          data.tags.weight.push_back(static_cast<float>(chunk.Real(2, r)));
        }
      }));
  for (size_t i = 0; i + 1 < data.tags.begin.size(); ++i) data.tags.begin[i + 1] += data.tags.begin[i];
  return {};
}

Status ReadFeatures(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  std::vector<Column> columns = {{"item_id"}};
  for (const std::string& name : CsvHeader(path)) {
    if (name == "item_id" || name.empty()) continue;
    columns.push_back({name, Column::kNumberOrNothing});
    data.extra_features.names.push_back(name);
  }
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "features", columns));
  const size_t width = data.extra_features.names.size();
  data.extra_features.values.assign(data.tracks.size() * width, kMissing);
  std::string chosen;
  for (size_t c = 1; c < columns.size(); ++c) chosen += ", try_cast(f.\"" + columns[c].name + "\" AS DOUBLE)";
  return duck.Query("SELECT items.ix" + chosen + " FROM features f JOIN items ON items.id = f.item_id ORDER BY f.row",
                    [&](const DuckChunk& chunk) {
                      for (uint64_t r = 0; r < chunk.rows(); ++r) {
                        float* row = data.extra_features.values.data() + static_cast<size_t>(chunk.Int(0, r)) * width;
                        for (size_t c = 0; c < width; ++c) {
                          const int column = static_cast<int>(c) + 1;
                          if (!chunk.IsNull(column, r)) row[c] = static_cast<float>(chunk.Real(column, r));
                        }
                      }
                    });
}

Status ReadFriends(Duck& duck, const std::filesystem::path& path, Dataset& data) {
  SEGUE_RETURN_IF_ERROR(ReadCsv(duck, path, "friends", kFriendColumns));
  data.friends.begin.assign(data.listeners.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT DISTINCT a, b FROM (SELECT u.ix AS a, v.ix AS b FROM friends JOIN users u ON u.id = user_id JOIN users v ON v.id = friend_id "
      "UNION ALL SELECT v.ix, u.ix FROM friends JOIN users u ON u.id = user_id JOIN users v ON v.id = friend_id) WHERE a <> b ORDER BY a, b",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++data.friends.begin[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.friends.of.push_back(UserIx{static_cast<uint32_t>(chunk.Int(1, r))});
        }
      }));
  for (size_t i = 0; i + 1 < data.friends.begin.size(); ++i) data.friends.begin[i + 1] += data.friends.begin[i];
  return {};
}

}  // namespace

void AddEvents(Dataset& data, const Dataset& more) {
  SEGUE_CHECK(data.listeners == more.listeners);
  if (more.events.empty()) return;
  std::vector<Event> events;
  std::vector<uint64_t> begin = {0};
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    for (const Dataset* part : std::initializer_list<const Dataset*>{&data, &more}) {
      const auto own = part->EventsOf(UserIx{u});
      events.insert(events.end(), own.begin(), own.end());
    }
    const auto sooner = [](const Event& a, const Event& b) {
      return std::tie(a.at, a.track, a.kind) < std::tie(b.at, b.track, b.kind);
    };
    std::stable_sort(events.begin() + static_cast<std::ptrdiff_t>(begin.back()), events.end(), sooner);
    begin.push_back(events.size());
  }
  data.events = std::move(events);
  data.begin = std::move(begin);
}

Result<TrainTest> LoadCsvFiles(const CsvFiles& files) {
  SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = 8192}));
  SEGUE_RETURN_IF_ERROR(ReadCsv(*duck, files.train, "train", kEventColumns));
  for (const auto& [table, file] : {std::pair{"test", &files.test}, {"fold_in", &files.fold_in}}) {
    if (file->empty()) {
      SEGUE_RETURN_IF_ERROR(duck->Run("CREATE TABLE " + std::string(table) + " AS SELECT * FROM train LIMIT 0"));
    } else {
      SEGUE_RETURN_IF_ERROR(ReadCsv(*duck, *file, table, kEventColumns));
    }
  }
  for (const auto& [table, column] : {std::pair{"users", "user_id"}, {"items", "item_id"}}) {
    const std::string c = column;
    SEGUE_RETURN_IF_ERROR(duck->Run("CREATE TABLE " + std::string(table) + " AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS ix FROM "
                                    "(SELECT " + c + " AS id FROM train UNION SELECT " + c + " FROM test UNION SELECT " + c + " FROM fold_in)"));
  }
  TrainTest pair;
  SEGUE_RETURN_IF_ERROR(ReadNames(*duck, "users", pair.train.listeners));
  Tracks& tracks = pair.train.tracks;
  SEGUE_RETURN_IF_ERROR(ReadNames(*duck, "items", tracks.id));
  const size_t n = tracks.id.size();
  tracks.title = tracks.id;
  tracks.artist.resize(n);
  tracks.album.resize(n);
  tracks.tags.resize(n);
  tracks.year.resize(n);
  tracks.duration_ms.resize(n);
  tracks.hit.assign(n, -1);
  tracks.features.assign(n * kAudioFeatures.size(), kMissing);
  pair.test.tracks = pair.train.tracks;
  pair.test.listeners = pair.train.listeners;
  pair.fold_in.listeners = pair.train.listeners;
  SEGUE_TRY(const bool ratings, LookLikeRatings(*duck));
  const EventKind kind = ratings ? EventKind::kRating : EventKind::kPlay;
  SEGUE_RETURN_IF_ERROR(ReadCsvEvents(*duck, "train", kind, pair.train));
  SEGUE_RETURN_IF_ERROR(ReadCsvEvents(*duck, "test", kind, pair.test));
  SEGUE_RETURN_IF_ERROR(ReadCsvEvents(*duck, "fold_in", kind, pair.fold_in));
  if (!files.item_tags.empty()) SEGUE_RETURN_IF_ERROR(ReadTags(*duck, files.item_tags, pair.train));
  if (!files.item_features.empty()) SEGUE_RETURN_IF_ERROR(ReadFeatures(*duck, files.item_features, pair.train));
  if (!files.friends.empty()) SEGUE_RETURN_IF_ERROR(ReadFriends(*duck, files.friends, pair.train));
  return pair;
}

}  // namespace segue::store
