#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/songs.h"

namespace segue::store {

/// What of the columns of song files is read, and as what. Columns are named as
/// the header has them or by their canonical name; case does not matter.
struct SongColumns {
  std::string label = "target";       ///< "": none, all rows are unlabelled
  std::vector<std::string> features;  ///< in this order; empty: all numeric columns that tell of the sound
  std::vector<std::string> without;   ///< left out of the features
  bool text_is_missing = false;       ///< text in a number's place is NaN and counted, not an error
};

/// What reading found besides the rows.
struct SongFiles {
  SongTable songs;
  std::vector<std::string> text_columns;      ///< of the first file: hold text, so are no features
  std::vector<std::string> set_aside;         ///< hold numbers, but of a kind that tells of the row or the outcome, not the sound
  std::vector<uint64_t> text_for_numbers;     ///< [features] fields that became NaN by text_is_missing
};

/// Reads CSV files of songs: a header, a song a line, columns of numbers and
/// one of labels. Comma, semicolon or tab between; RFC 4180 quotes, LF or CR LF,
/// with or without a byte order mark.
///
/// Features, where none are named: the columns whose fields are numbers (or
/// true and false: 1 and 0), except the label, ids, row numbers, dates and
/// popularity, which is an outcome as a label is. They get their canonical names
/// (`song_danceability` is `danceability`); other names stay as they are. Files
/// must have the same ones, in any order: kInvalid names the column and the
/// file that lacks it.
///
/// Rows: numbers are the nearest doubles; an empty field, "NA", "null"... is NaN;
/// such a label is -1. Labels are in ascending order, of numbers where all are
/// numbers ("1" and "1.0" are one). Decade: of a column `decade`, `year` or
/// `release_date`, else of the file's name ("dataset-of-60s.csv": 1960), else -1.
///
/// kNotFound: no such file. kInvalid, with file, line, field, value and the way
/// out: text in a number's place, a row with more or fewer fields than the header
/// (one cut off at the end), no header, no rows, no such column (lists those there
/// are), more than 1,000 labels. Holds one file's text at a time beside the rows.
Result<SongFiles> ReadSongFiles(std::span<const std::filesystem::path> files, const SongColumns& columns = {});

/// The same, the rows only.
Result<SongTable> ReadSongs(std::span<const std::filesystem::path> files, const SongColumns& columns = {});

/// `song_danceability`, "Track Danceability" -> `danceability`; "" where it is
/// none of the 15 features that Spotify's audio analysis gives.
std::string CanonicalFeature(std::string_view column);

/// "dataset-of-60s.csv" -> 1960, "10s" -> 2010, "hits 1990s.csv" -> 1990; -1 for none.
int32_t DecadeOfName(std::string_view file_name);

}  // namespace segue::store
