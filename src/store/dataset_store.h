#pragma once

#include <string>
#include <string_view>
#include <unordered_map>

#include "core/dataset.h"
#include "core/result.h"
#include "store/object_store.h"

namespace segue::store {

/// The Parquet schemas of datasets/<id>/ (CREATE TABLE bodies), shared by
/// clean/, which writes them, and the reader below.
///
/// tracks.parquet, ascending by track_id; aliases.parquet: every other id a
/// track may be asked for by (alias -> track_id), track ids themselves included.
inline constexpr std::string_view kTracksSchema =
    "track_id VARCHAR, title VARCHAR, artist VARCHAR, album VARCHAR, tags VARCHAR, year INTEGER, "
    "duration_ms BIGINT, hit INTEGER, danceability DOUBLE, energy DOUBLE, key DOUBLE, "
    "loudness DOUBLE, mode DOUBLE, speechiness DOUBLE, acousticness DOUBLE, "
    "instrumentalness DOUBLE, liveness DOUBLE, valence DOUBLE, tempo DOUBLE, "
    "time_signature DOUBLE, chorus_hit DOUBLE, sections DOUBLE, listed BOOLEAN";
/// interactions.parquet, ascending by (listener, at, track_id, kind, value, ms_played).
inline constexpr std::string_view kInteractionsSchema =
    "listener VARCHAR, track_id VARCHAR, \"at\" BIGINT, kind VARCHAR, value DOUBLE, ms_played BIGINT";
/// reviews.parquet, ascending by (listener, track_id, at, text, rating): what
/// was written in interactions; rating NULL where none was given with it.
inline constexpr std::string_view kReviewsSchema =
    "listener VARCHAR, track_id VARCHAR, \"at\" BIGINT, rating DOUBLE, text VARCHAR";
inline constexpr std::string_view kAliasesSchema = "alias VARCHAR, track_id VARCHAR";
/// rejected.parquet: every row that cleaning removed, duplicates included.
inline constexpr std::string_view kRejectedSchema =
    "sha256 VARCHAR, file VARCHAR, line BIGINT, rule VARCHAR, field VARCHAR, reason VARCHAR, "
    "sample VARCHAR";

/// Reads datasets/<id>/tracks.parquet and interactions.parquet, and
/// reviews.parquet, which datasets of before have not. kNotFound
/// where the dataset is not there, kCorrupt where it does not read.
Result<Dataset> LoadDataset(const ObjectStore& bucket, std::string_view dataset_id);

/// tracks.parquet alone. Errors as of LoadDataset.
Result<Tracks> LoadTracks(const ObjectStore& bucket, std::string_view dataset_id);

/// alias -> track_id of datasets/<id>/aliases.parquet.
Result<std::unordered_map<std::string, std::string>> LoadAliases(const ObjectStore& bucket,
                                                                 std::string_view dataset_id);

/// A number of datasets/<id>/manifest.json: "events_through_seq", the last event
/// that is in it; "forgotten_through", the last tombstone (store/listeners.h) that
/// was applied to it; "tracks", how many it has. 0 where there is none.
int64_t ManifestNumber(const ObjectStore& bucket, std::string_view dataset_id, const char* name);

}  // namespace segue::store
