#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "ingest/records.h"

namespace segue::ingest {

/// How a column's text becomes a staged value.
enum class As {
  kText,      ///< UTF-8; blank is NULL
  kNumber,    ///< to the staged column's type; NA and the like are NULL
  kMoment,    ///< time -> at, at_precision
  kListener,  ///< the plan's listener_prefix in front
  kItem,      ///< the plan's item_prefix in front
  kTrack,     ///< an id: as it is if it has a namespace or is ours, else as kItem
};

/// One staged column (core/staged.h) and where it comes from.
struct ColumnRule {
  std::string to;
  std::vector<std::string> from;  ///< the first of these that the file has
  As as = As::kText;
  bool needed = false;            ///< a row without it is rejected
};

/// What is to be made of one file.
struct Plan {
  std::string format;
  std::string table;              ///< "listens", "tracks", "tag_names", "taggings"
  std::string set_aside;          ///< why a recognised file is not taken in; "" take it
  std::vector<ColumnRule> rules;
  std::map<std::string, std::string> constants;  ///< staged column -> the same text in each row
  std::string listener_prefix;
  std::string item_prefix;
  std::string listener;           ///< ObjectRecord::listener: "" the file names its own
  bool needs_identity = true;     ///< a row needs a name key or a source id
  /// A row without a title in which one of these is filled is a podcast or an
  /// audiobook: set aside and counted.
  std::vector<std::string> spoken_word;
  bool review_where_text = false; ///< kind is "review" where there is text, else "rating"
};

/// The beginning of a file, to recognise it by.
struct Sample {
  std::string name;               ///< as ObjectRecord::name
  std::string listener;           ///< Input::listener
  bool has_header = false;
  std::string shape;
  std::vector<std::string> columns;
  std::vector<std::vector<std::optional<std::string>>> rows;
};

/// How many records a Sample should have.
inline constexpr int64_t kSampleRecords = 1000;

/// The first format that fits: settings.mappings, then the explicit list in
/// known_formats.cc. kInvalid, with what was seen and how to map it, where none does.
Result<Plan> Recognise(const Sample& sample, const Settings& settings);

/// For the other files of a Spotify export (naming.h): set aside.
Plan SpotifyOther();

/// Index of a column, upper and lower case, '_', '-' and blanks apart; -1 none.
int FindColumn(const std::vector<std::string>& columns, std::string_view name);

/// CREATE TABLE body of a staged table, and the same column by column.
std::string_view StagedSchema(std::string_view table);

enum class StagedType { kBigInt, kInteger, kDouble, kText };
struct StagedColumn {
  std::string name;
  StagedType type = StagedType::kText;
};
std::vector<StagedColumn> StagedColumns(std::string_view table);

}  // namespace segue::ingest
