#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace segue::monitor {

/// "2026-03-01T12:00:00.250Z" of Unix milliseconds.
std::string Timestamp(int64_t unix_ms);

/// `text` safe to show: control characters, which may come from a file's name
/// and steer a terminal, become '?'. Newlines stay where `newlines`, else they
/// become spaces.
std::string Printable(std::string_view text, bool newlines);

/// " rows=12 file=\"a b.csv\"": the fields of an object on one line; "" for
/// anything else.
std::string FieldsOnOneLine(const nlohmann::json& fields);

/// "clean  [#########...........]  45%  1,200 of 2,640 files"; without a total
/// just "clean  1,200 files". Never wider than `columns` (at least 20).
std::string ProgressLine(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit, int columns);

/// Writes all bytes to a file descriptor; false where that fails. One call of
/// the operating system where it takes them at once, so that lines of several
/// processes appending to one file do not mix.
bool WriteAll(int descriptor, std::string_view bytes);

}  // namespace segue::monitor
