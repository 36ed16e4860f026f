#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "store/record_cutter.h"
#include "store/song_files.h"

// Which column of a song file is what. For store/song_files.cc.

namespace segue::store {

inline constexpr size_t kNoColumn = std::numeric_limits<size_t>::max();

/// How a file's rows are cut, and what its columns are called.
struct Form {
  Delimiter delimiter = {",", "comma", true};
  char line_end = '\n';
  std::vector<std::string> header;
};

/// The delimiter that gives the most columns. kInvalid where the first line is no header.
Result<Form> FormOf(const std::filesystem::path& path, std::string_view text);

/// The columns of one file by what they are.
struct Roles {
  size_t label = kNoColumn, id = kNoColumn, title = kNoColumn, artist = kNoColumn, date = kNoColumn;
  std::vector<size_t> features;  ///< [features of the table]
};

/// Finds the wanted columns. Of the `first` file it fills out's features and what is
/// not among them; another file's must be the same.
Result<Roles> RolesOf(const std::filesystem::path& path, std::string_view text, const Form& form, const SongColumns& wanted,
                      bool first, SongFiles& out);

/// A number, or true and false (1 and 0), as tables of songs spell `explicit`.
std::optional<double> ParseValue(std::string_view text);

/// "songs.csv line 3: ..."
Error InvalidLine(const std::filesystem::path& path, int64_t line, const std::string& what);

}  // namespace segue::store
