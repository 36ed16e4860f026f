#include "store/dataset_store.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

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
          const auto kind = ParseEventKind(chunk.Text(1, r));
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
                                          " interactions name tracks that are not in the track table"};
  }
  return {};
}

Status OpenTables(const ObjectStore& bucket, std::string_view dataset_id, Duck& duck) {
  for (const auto& [view, leaf] : {std::pair{"t", "tracks.parquet"}, {"i", "interactions.parquet"}}) {
    SEGUE_TRY(const auto path, bucket.LocalPath(DatasetKey(dataset_id, leaf)));
    SEGUE_RETURN_IF_ERROR(duck.Run("CREATE VIEW " + std::string(view) + " AS SELECT * FROM read_parquet(" + Quoted(path.string()) + ")"));
  }
  return {};
}

/// Names file, line and field of the first row that cannot be used.
Status CheckCsvRows(Duck& duck, const std::string& file, const std::string& table) {
  std::string problem;
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT line, user_id, item_id, value FROM " + table + " WHERE coalesce(user_id,'')='' OR coalesce(item_id,'')='' "
      "OR try_cast(value AS DOUBLE) IS NULL OR NOT isfinite(try_cast(value AS DOUBLE)) ORDER BY line LIMIT 1",
      [&](const DuckChunk& chunk) {
        if (chunk.rows() == 0) return;
        const std::string line = std::to_string(chunk.Int(0, 0));
        const char* field = TextAt(chunk, 1, 0).empty() ? "user_id" : TextAt(chunk, 2, 0).empty() ? "item_id" : "value";
        const std::string shown = field == std::string("value") ? TextAt(chunk, 3, 0) : "";
        problem = file + " line " + line + ": field '" + field + "' is '" + shown + "', expected " +
                  (field == std::string("value") ? "a number" : "an id");
      }));
  if (!problem.empty()) return Error{ErrorCode::kInvalid, problem};
  return {};
}

/// Reads one file into `table` (line, user_id, item_id, value, at).
Status ReadCsv(Duck& duck, const std::filesystem::path& path, const std::string& table) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path, error)) {
    return Error{ErrorCode::kNotFound, path.string() + ": there is no such file"};
  }
  std::map<std::string, bool> has;
  const std::string source = "read_csv(" + Quoted(path.string()) + ", header=true, all_varchar=true, parallel=false)";
  auto described = duck.Query("DESCRIBE SELECT * FROM " + source, [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) has[TextAt(chunk, 0, r)] = true;
  });
  if (!described.ok()) return described.error().In(path.string());
  for (const char* column : {"user_id", "item_id", "value"}) {
    if (has[column]) continue;
    return Error{ErrorCode::kInvalid, path.string() + " line 1: column '" + column +
                                          "' is missing; expected the header user_id,item_id,value[,at]"};
  }
  const std::string at = has["at"] ? "coalesce(try_cast(\"at\" AS BIGINT),0)" : "0::BIGINT";
  auto read = duck.Run("CREATE TABLE " + table + " AS SELECT row_number() OVER () + 1 AS line, user_id, item_id, value, " +
                       at + " AS \"at\" FROM " + source);
  if (!read.ok()) return read.error().In(path.string());
  return CheckCsvRows(duck, path.string(), table);
}

/// Events of one CSV table, over listeners and tracks of both.
Status ReadCsvEvents(Duck& duck, const std::string& table, Dataset& data) {
  std::vector<uint64_t> count(data.listeners.size() + 1, 0);
  SEGUE_RETURN_IF_ERROR(duck.Query(
      "SELECT u.ix, t.ix, try_cast(c.value AS DOUBLE), c.\"at\" FROM " + table +
          " c JOIN users u ON u.id=c.user_id JOIN items t ON t.id=c.item_id ORDER BY u.ix, c.\"at\", t.ix, c.line",
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
  const std::string doing = "reading dataset " + data.id;
  SEGUE_TRY(const auto duck, OpenDuck({.memory_limit_mb = 8192, .spill_folder = bucket.ScratchFolder()}));
  if (auto opened = OpenTables(bucket, dataset_id, *duck); !opened.ok()) return opened.error().In(doing);
  if (auto read = ReadTables(*duck, data); !read.ok()) return read.error().In(doing);
  return data;
}

Result<std::unordered_map<std::string, std::string>> LoadAliases(const ObjectStore& bucket, std::string_view dataset_id) {
  SEGUE_TRY(const auto path, bucket.LocalPath(DatasetKey(dataset_id, "aliases.parquet")));
  SEGUE_TRY(const auto duck, OpenDuck({}));
  std::unordered_map<std::string, std::string> aliases;
  SEGUE_RETURN_IF_ERROR(duck->Query("SELECT alias, track_id FROM read_parquet(" + Quoted(path.string()) + ")",
                                    [&](const DuckChunk& chunk) {
                                      for (uint64_t r = 0; r < chunk.rows(); ++r) {
                                        aliases.emplace(TextAt(chunk, 0, r), TextAt(chunk, 1, r));
                                      }
                                    }));
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
