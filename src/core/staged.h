#pragma once

#include <string_view>

namespace segue {

/// What ingest/ leaves for clean/: each accepted raw file becomes one Parquet
/// object `staged/<sha256>.parquet`, in one of these tables. All columns are
/// nullable except `line`. The column lists are DuckDB's CREATE TABLE bodies.
///
/// listens: one row an event as the file tells it, nothing judged yet.
///   line       1-based line in the (unpacked) file, or the record's number in Parquet
///   listener   name; with the namespace of its source ("lastfm-2k:2") if it has one
///   source_id  the source's id for the track: "spotify:track:...", "mbid:...",
///              "isrc:...", "lastfm-2k:artist:51", "ratings:242"; or a track id of ours ("t...")
///   name_key   NameKey(artist, title); NULL where it is empty
///   at         Unix seconds UTC; at_precision 60 where the source tells minutes only, else 1
///   kind       Name(EventKind)
///   value      play count, rating; NULL: 1
///   event_id   an id that makes two rows the same event; NULL none
inline constexpr std::string_view kStagedListens =
    "line BIGINT, listener VARCHAR, source_id VARCHAR, name_key VARCHAR, artist VARCHAR, "
    "title VARCHAR, album VARCHAR, \"at\" BIGINT, at_precision INTEGER, kind VARCHAR, value DOUBLE, "
    "ms_played BIGINT, text VARCHAR, event_id VARCHAR";

/// tracks: one row a track of a track table.
///   part  "whole"; or "features" / "names" for a pair of files joined by `row`
///         (Spotify's song_data.csv and song_info.csv: same row, same title)
///   row   0-based data row of the file
///   tags  ';' between
inline constexpr std::string_view kStagedTracks =
    "line BIGINT, row BIGINT, part VARCHAR, source_id VARCHAR, name_key VARCHAR, artist VARCHAR, "
    "title VARCHAR, album VARCHAR, year INTEGER, duration_ms BIGINT, popularity DOUBLE, "
    "tags VARCHAR, hit INTEGER, danceability DOUBLE, energy DOUBLE, key DOUBLE, loudness DOUBLE, "
    "mode DOUBLE, speechiness DOUBLE, acousticness DOUBLE, instrumentalness DOUBLE, "
    "liveness DOUBLE, valence DOUBLE, tempo DOUBLE, time_signature DOUBLE, chorus_hit DOUBLE, "
    "sections DOUBLE";

/// tag_names: a tag's number and its text. taggings: a listener put a tag on a track.
inline constexpr std::string_view kStagedTagNames = "line BIGINT, tag_id VARCHAR, tag VARCHAR";
inline constexpr std::string_view kStagedTaggings =
    "line BIGINT, listener VARCHAR, source_id VARCHAR, tag_id VARCHAR";

}  // namespace segue
