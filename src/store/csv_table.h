#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "store/duck.h"

namespace segue::store {

// A CSV file with a header, read by DuckDB, with errors that name file, line
// and field. What is in it is the caller's business (store/csv_files.h).

/// A column of a CSV file, and what its fields must be.
struct CsvColumn {
  enum As { kId, kNumber, kNumberOrNothing, kSeconds };
  std::string name;
  As as = kId;
  bool needed = true;

  const char* Expected() const {
    return as == kId ? "an id" : as == kNumber ? "a number of at most 3.4e38" : as == kSeconds ? "Unix seconds, or nothing" : "a number of at most 3.4e38, or nothing";
  }
};

/// The names in the first line; quotes around a name are taken off.
std::vector<std::string> CsvHeader(const std::filesystem::path& path);

/// A field as text; "" for NULL.
std::string CsvTextAt(const DuckChunk& chunk, int column, uint64_t row);

/// SQL: the first of `columns` whose field cannot be used, NULL where all can.
std::string WrongCsvColumn(std::span<const CsvColumn> columns);

/// Names file, line and field of what cannot be used in a row, from 1 below the header.
Error WrongCsvField(const std::filesystem::path& path, int64_t row, const CsvColumn& column, const std::string& field);

/// SQL that gives one file's `wanted` columns as text. kNotFound; kInvalid where
/// the header lacks one. CsvReadingEnded says more of the errors of reading it.
Result<std::string> SelectCsv(const std::filesystem::path& path, std::span<const CsvColumn> wanted);

/// What is wrong with a file whose rows were read with `status`.
Status CsvReadingEnded(const Status& status, const std::filesystem::path& path);

/// Reads one file's `wanted` columns into `table`, with the row, all but the row as text.
Status ReadCsv(Duck& duck, const std::filesystem::path& path, const std::string& table, std::span<const CsvColumn> wanted);

}  // namespace segue::store
