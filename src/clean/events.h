#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "clean/cleaner.h"

// Rows of the catalog in the bucket: events/ and impressions/, an object a day and flush.
namespace segue::clean {

/// The last number in "events/2026/03/01/<first>-<last>.parquet": the newest
/// row in that object; 0 for other names.
int64_t LastOf(std::string_view key);

/// "2026/03/01" of Unix seconds, UTC.
std::string DayFolder(int64_t unix_seconds);

/// "<folder>/2026/03/01/<first>-<last>.parquet", with numbers of equal length, so
/// that a listing is in the order of the rows.
std::string FlushKey(std::string_view folder, int64_t first, int64_t last, int64_t unix_seconds);

/// How far the bucket has got, whatever the catalog's note of that name says: it may be
/// ahead, where a crash came after an object was put and before that was noted.
Result<int64_t> FlushedThrough(const Context& context, std::string_view folder, std::string_view note);

}  // namespace segue::clean
