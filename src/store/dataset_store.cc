#include "store/dataset_store.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <optional>
#include <utility>

#include "store/duck.h"
#include "store/layout.h"

namespace segue::store {
namespace {

constexpr float kMissing = std::numeric_limits<float>::quiet_NaN();

std::string TextAt(const DuckChunk& chunk, int column, uint64_t row) {
  return chunk.IsNull(column, row) ? std::string() : std::string(chunk.Text(column, row));
}

int64_t IntAt(const DuckChunk& chunk, int column, uint64_t row, int64_t missing) {
  return chunk.IsNull(column, row) ? missing : chunk.Int(column, row);
}

void ReadTracks(const DuckChunk& chunk, Tracks& tracks) {
  for (uint64_t r = 0; r < chunk.rows(); ++r) {
    tracks.id.push_back(TextAt(chunk, 0, r));
    tracks.title.push_back(TextAt(chunk, 1, r));
    tracks.artist.push_back(TextAt(chunk, 2, r));
    tracks.album.push_back(TextAt(chunk, 3, r));
    tracks.tags.push_back(TextAt(chunk, 4, r));
    tracks.year.push_back(static_cast<int16_t>(IntAt(chunk, 5, r, 0)));
    tracks.duration_ms.push_back(static_cast<int32_t>(std::min<int64_t>(IntAt(chunk, 6, r, 0), INT32_MAX)));
    tracks.hit.push_back(static_cast<int8_t>(IntAt(chunk, 7, r, -1)));
    for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
      const int column = 8 + static_cast<int>(f);
      tracks.features.push_back(chunk.IsNull(column, r) ? kMissing : static_cast<float>(chunk.Real(column, r)));
    }
  }
}

/// Fills `data` from two tables, `t` (kTracksSchema, ordered) and `i`
/// (kInteractionsSchema). DuckDB numbers the rows, so that nothing is looked
/// up row by row here.
Status ReadTables(Duck& duck, Dataset& data) {
  std::string columns = "track_id,title,artist,album,tags,year,duration_ms,hit";
  for (const std::string_view feature : kAudioFeatures) columns += ",\"" + std::string(feature) + "\"";
  SEGUE_RETURN_IF_ERROR(duck.Query("SELECT " + columns + " FROM t ORDER BY track_id",
                                   [&](const DuckChunk& chunk) { ReadTracks(chunk, data.tracks); }));
  const auto& ids = data.tracks.id;
  if (const auto twice = std::adjacent_find(ids.begin(), ids.end()); twice != ids.end()) {
    return Error{ErrorCode::kCorrupt, "the track table has '" + *twice + "' twice"};
  }
  SEGUE_RETURN_IF_ERROR(duck.Run("CREATE TEMP TABLE ti AS SELECT track_id, row_number() OVER (ORDER BY track_id) - 1 AS ix FROM t"));
  SEGUE_RETURN_IF_ERROR(duck.Run(
      "CREATE TEMP TABLE li AS SELECT listener, row_number() OVER (ORDER BY listener) - 1 AS ix, n FROM "
      "(SELECT listener, count(*) AS n FROM i GROUP BY listener)"));
  data.begin.push_back(0);
  SEGUE_RETURN_IF_ERROR(duck.Query("SELECT listener, n FROM li ORDER BY ix", [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) {
      data.listeners.push_back(TextAt(chunk, 0, r));
      data.begin.push_back(data.begin.back() + static_cast<uint64_t>(chunk.Int(1, r)));
    }
  }));
  data.events.reserve(data.begin.back());
  bool unknown_kind = false;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT ti.ix, i.kind, i.value, i.ms_played, i.\"at\" FROM i JOIN li USING (listener) JOIN ti USING (track_id) "
      "ORDER BY li.ix, coalesce(i.\"at\",0), ti.ix, i.kind, i.value, i.ms_played",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          const auto kind = chunk.IsNull(1, r) ? std::nullopt : ParseEventKind(chunk.Text(1, r));
          unknown_kind |= !kind.has_value();
          data.events.push_back({TrackIx{static_cast<uint32_t>(chunk.Int(0, r))}, kind.value_or(EventKind::kPlay),
                                 chunk.IsNull(2, r) ? 1.0f : static_cast<float>(chunk.Real(2, r)),
                                 static_cast<int32_t>(std::min<int64_t>(IntAt(chunk, 3, r, -1), INT32_MAX)),
                                 IntAt(chunk, 4, r, 0)});
        }
      }));
  if (unknown_kind) return Error{ErrorCode::kCorrupt, "interactions have a kind that is none of ours"};
  if (data.events.size() != data.begin.back()) {
    return Error{ErrorCode::kCorrupt, std::to_string(data.begin.back() - data.events.size()) +
                                          " interactions name tracks that are not in the track table, or no listener"};
  }
  return {};
}

/// An error of statements on files that clean/ wrote. The statements are ours,
/// so what DuckDB finds wrong with them is wrong with the files.
Error Unreadable(Error error, std::string_view dataset_id) {
  if (error.code == ErrorCode::kInvalid) error.code = ErrorCode::kCorrupt;
  return error.In("reading dataset " + std::string(dataset_id));
}

/// Where a dataset's file lies.
Result<std::filesystem::path> Locate(const ObjectStore& bucket, std::string_view dataset_id, std::string_view leaf) {
  auto path = bucket.LocalPath(DatasetKey(dataset_id, leaf));
  if (!path.ok()) return path.error().In("reading dataset " + std::string(dataset_id));
  return path;
}

Status OpenView(Duck& duck, std::string_view view, const std::filesystem::path& file) {
  return duck.Run("CREATE VIEW " + std::string(view) + " AS SELECT * FROM read_parquet(" + Quoted(file.string()) + ")");
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
Status CheckCsvRows(Duck& duck, const std::filesystem::path& path, const std::string& table) {
  constexpr const char* kFields[] = {"user_id", "item_id", "value", "at"};
  std::string problem;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT row, CASE WHEN coalesce(user_id,'')='' THEN 0 WHEN coalesce(item_id,'')='' THEN 1 "
      "WHEN NOT coalesce(isfinite(try_cast(value AS DOUBLE)),false) THEN 2 "
      "WHEN coalesce(\"at\",'')<>'' AND try_cast(\"at\" AS BIGINT) IS NULL THEN 3 END AS wrong, value, \"at\" FROM " +
          table + " WHERE wrong IS NOT NULL ORDER BY row LIMIT 1",
      [&](const DuckChunk& chunk) {
        if (chunk.rows() == 0) return;
        const auto wrong = static_cast<size_t>(chunk.Int(1, 0));
        const std::string shown = wrong < 2 ? "" : TextAt(chunk, static_cast<int>(wrong), 0);
        problem = path.string() + " line " + std::to_string(LineOfRow(path, chunk.Int(0, 0))) + ": field '" +
                  kFields[wrong] + "' is '" + shown + "', expected " +
                  (wrong < 2 ? "an id" : wrong == 2 ? "a number" : "Unix seconds, or nothing");
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

/// Reads one file into `table` (row, user_id, item_id, value, at), all but the row as text.
Status ReadCsv(Duck& duck, const std::filesystem::path& path, const std::string& table) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::kNotFound, path.string() + ": there is no such file"};
  }
  // Said, not guessed: a guess takes one bad row for another delimiter.
  const std::vector<std::string> header = CsvHeader(path);
  std::string columns, chosen;
  for (size_t c = 0; c < header.size(); ++c) columns += (c > 0 ? ", c" : "c") + std::to_string(c) + ": 'VARCHAR'";
  for (const std::string_view name : {"user_id", "item_id", "value", "at"}) {
    const auto found = std::find(header.begin(), header.end(), name);
    const auto times = std::count(header.begin(), header.end(), name);
    if (times > 1 || (times == 0 && name != "at")) {
      return Error{ErrorCode::kInvalid, path.string() + " line 1: column '" + std::string(name) + "' is " +
                                            (times == 0 ? "missing" : "there twice") +
                                            "; expected the header user_id,item_id,value[,at]"};
    }
    chosen += ", " + (times == 0 ? "NULL::VARCHAR" : "c" + std::to_string(found - header.begin())) + " AS \"" +
              std::string(name) + "\"";
  }
  auto read = duck.Run("CREATE TABLE " + table + " AS SELECT row_number() OVER () AS row" + chosen + " FROM read_csv(" +
                       Quoted(path.string()) + ", auto_detect=false, header=true, delim=',', quote='\"', escape='\"', "
                       "null_padding=true, parallel=false, columns={" + columns + "})");
  if (!read.ok()) return CsvError(read.error(), path);
  return CheckCsvRows(duck, path, table);
}

/// Events of one CSV table, over listeners and tracks of both.
Status ReadCsvEvents(Duck& duck, const std::string& table, Dataset& data) {
  std::vector<uint64_t> count(data.listeners.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT u.ix, t.ix, CAST(c.value AS DOUBLE), coalesce(try_cast(c.\"at\" AS BIGINT),0) AS seconds FROM " + table +
          " c JOIN users u ON u.id=c.user_id JOIN items t ON t.id=c.item_id ORDER BY u.ix, seconds, t.ix, c.row",
      [&](const DuckChunk& chunk) {
        for (uint64_t r = 0; r < chunk.rows(); ++r) {
          ++count[static_cast<size_t>(chunk.Int(0, r)) + 1];
          data.events.push_back({TrackIx{static_cast<uint32_t>(chunk.Int(1, r))}, EventKind::kPlay,
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

}  // namespace

Result<Dataset> LoadDataset(const ObjectStore& bucket, std::string_view dataset_id) {
  Dataset data;
  data.id = std::string(dataset_id);
  SEGUE_TRY(const auto tracks, Locate(bucket, dataset_id, "tracks.parquet"));
  SEGUE_TRY(const auto interactions, Locate(bucket, dataset_id, "interactions.parquet"));
  SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = 8192, .spill_folder = bucket.ScratchFolder()}));
  Status read = OpenView(*duck, "t", tracks);
  if (read.ok()) read = OpenView(*duck, "i", interactions);
  if (read.ok()) read = ReadTables(*duck, data);
  if (!read.ok()) return Unreadable(read.error(), dataset_id);
  return data;
}

Result<std::unordered_map<std::string, std::string>> LoadAliases(const ObjectStore& bucket, std::string_view dataset_id) {
  SEGUE_TRY(const auto path, Locate(bucket, dataset_id, "aliases.parquet"));
  SEGUE_TRY(const auto duck, OpenDuck({}));
  std::unordered_map<std::string, std::string> aliases;
  const Status read = duck->Query("SELECT alias, track_id FROM read_parquet(" + Quoted(path.string()) + ")",
                                  [&](const DuckChunk& chunk) {
                                    for (uint64_t r = 0; r < chunk.rows(); ++r) {
                                      aliases.emplace(TextAt(chunk, 0, r), TextAt(chunk, 1, r));
                                    }
                                  });
  if (!read.ok()) return Unreadable(read.error(), dataset_id);
  return aliases;
}

Result<TrainTest> LoadCsvPair(const std::filesystem::path& train, const std::filesystem::path& test) {
  SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = 8192}));
  SEGUE_RETURN_IF_ERROR(ReadCsv(*duck, train, "train"));
  if (test.empty()) {
    SEGUE_RETURN_IF_ERROR(duck->Run("CREATE TABLE test AS SELECT * FROM train LIMIT 0"));
  } else {
    SEGUE_RETURN_IF_ERROR(ReadCsv(*duck, test, "test"));
  }
  for (const auto& [table, column] : {std::pair{"users", "user_id"}, {"items", "item_id"}}) {
    const std::string c = column;
    SEGUE_RETURN_IF_ERROR(duck->Run("CREATE TABLE " + std::string(table) + " AS SELECT id, row_number() OVER (ORDER BY id) - 1 AS ix FROM "
                                    "(SELECT " + c + " AS id FROM train UNION SELECT " + c + " FROM test)"));
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
  SEGUE_RETURN_IF_ERROR(ReadCsvEvents(*duck, "train", pair.train));
  SEGUE_RETURN_IF_ERROR(ReadCsvEvents(*duck, "test", pair.test));
  return pair;
}

}  // namespace segue::store
