#include "store/dataset_store.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <utility>

#include <nlohmann/json.hpp>

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
    tracks.listed.push_back(chunk.Int(8 + static_cast<int>(kAudioFeatures.size()), r) != 0 ? 1 : 0);
  }
}

/// Of a table `t` (kTracksSchema).
Status ReadTrackTable(Duck& duck, Tracks& tracks) {
  std::string columns = "track_id,title,artist,album,tags,year,duration_ms,hit";
  for (const std::string_view feature : kAudioFeatures) columns += ",\"" + std::string(feature) + "\"";
  // Datasets of before do not say which tracks a table lists: all are taken for listed.
  SEGUE_TRY(const int64_t says, duck.Count("SELECT count(*) FROM (DESCRIBE t) WHERE column_name = 'listed'"));
  columns += says > 0 ? ",coalesce(listed, true)::INTEGER" : ",1";
  SEGUE_RETURN_IF_ERROR(duck.Query("SELECT " + columns + " FROM t ORDER BY track_id",
                                   [&](const DuckChunk& chunk) { ReadTracks(chunk, tracks); }));
  if (const auto twice = std::adjacent_find(tracks.id.begin(), tracks.id.end()); twice != tracks.id.end()) {
    return Error{ErrorCode::kCorrupt, "the track table has '" + *twice + "' twice"};
  }
  return {};
}

/// Fills `data` from two tables, `t` (kTracksSchema, ordered) and `i`
/// (kInteractionsSchema). DuckDB numbers the rows, so that nothing is looked
/// up row by row here.
Status ReadTables(Duck& duck, Dataset& data) {
  SEGUE_RETURN_IF_ERROR(ReadTrackTable(duck, data.tracks));
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

/// Fills data.reviews from a table `r` (kReviewsSchema), behind ReadTables.
Status ReadReviews(Duck& duck, Dataset& data) {
  return duck.Query(
      "SELECT li.ix, ti.ix, r.\"at\", r.rating, r.text FROM r JOIN li USING (listener) JOIN ti USING (track_id) "
      "ORDER BY li.ix, ti.ix, coalesce(r.\"at\",0), r.text, r.rating NULLS FIRST",
      [&](const DuckChunk& chunk) {
        for (uint64_t row = 0; row < chunk.rows(); ++row) {
          data.reviews.push_back({UserIx{static_cast<uint32_t>(chunk.Int(0, row))}, TrackIx{static_cast<uint32_t>(chunk.Int(1, row))},
                                  IntAt(chunk, 2, row, 0), chunk.IsNull(3, row) ? kMissing : static_cast<float>(chunk.Real(3, row)),
                                  TextAt(chunk, 4, row)});
        }
      });
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
  if (read.ok() && bucket.Exists(DatasetKey(dataset_id, "reviews.parquet"))) {
    SEGUE_TRY(const auto reviews, Locate(bucket, dataset_id, "reviews.parquet"));
    read = OpenView(*duck, "r", reviews);
    if (read.ok()) read = ReadReviews(*duck, data);
  }
  if (!read.ok()) return Unreadable(read.error(), dataset_id);
  data.tags = TagsOf(data.tracks);
  return data;
}

Result<Tracks> LoadTracks(const ObjectStore& bucket, std::string_view dataset_id) {
  SEGUE_TRY(const auto path, Locate(bucket, dataset_id, "tracks.parquet"));
  SEGUE_TRY(const auto duck, OpenDuck({}));
  Tracks tracks;
  Status read = OpenView(*duck, "t", path);
  if (read.ok()) read = ReadTrackTable(*duck, tracks);
  if (!read.ok()) return Unreadable(read.error(), dataset_id);
  return tracks;
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

int64_t ManifestNumber(const ObjectStore& bucket, std::string_view dataset_id, const char* name) {
  const auto text = bucket.Get(DatasetKey(dataset_id, "manifest.json"));
  if (!text.ok()) return 0;
  const auto manifest = nlohmann::json::parse(*text, nullptr, false);
  return manifest.is_object() ? manifest.value(name, int64_t{0}) : 0;
}

}  // namespace segue::store
