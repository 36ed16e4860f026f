#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/text.h"
#include "store/record_cutter.h"

namespace segue::ingest {

using store::Field;
using store::RecordLimits;
using store::Sweep;

/// One record. `fields` goes with the reader's columns() and may be shorter.
/// Everything is valid during the call only.
struct Record {
  int64_t line = 0;              ///< 1-based line on which it begins; Parquet: its number
  std::span<const Field> fields;
  std::string_view raw;          ///< its text; "" for Parquet
};

/// A piece of the file that is no record.
struct RecordProblem {
  int64_t line = 0;
  std::string field;             ///< "" the whole record
  std::string reason;
  std::string_view raw;
};

/// Takes what a reader finds, in the file's order. False: enough.
class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual bool OnRecord(const Record& record) = 0;
  virtual bool OnProblem(const RecordProblem& problem) = 0;
};

/// A file as a sequence of records, whatever its form. Memory is bounded by the
/// longest record, not by the file.
class RecordReader {
 public:
  virtual ~RecordReader() = default;

  /// Names of the columns; duplicates get " (2)", " (3)"; a table without a header
  /// has "column1", "column2"... JSON readers append keys as they meet them.
  virtual const std::vector<std::string>& columns() const = 0;
  virtual bool has_header() const = 0;
  /// "a tab-separated table with a header", for messages.
  virtual std::string shape() const = 0;

  /// Reads from the start, at most `limit` records (-1: all). kCorrupt where
  /// the file as a whole does not read (Parquet).
  virtual Status Read(int64_t limit, RecordSink& sink) = 0;
};

/// Recognises the form by content. `bytes` must outlive the reader, `path` is
/// the same file. kInvalid: it is of no form that holds records; the message
/// says what it is instead (empty, binary, UTF-16, a git-LFS pointer, HTML...).
Result<std::unique_ptr<RecordReader>> OpenRecords(const std::filesystem::path& path, std::string_view bytes,
                                                  const RecordLimits& limits);

// The forms, for OpenRecords and for tests.

/// A table in text: delimiter and header are found out from its beginning.
Result<std::unique_ptr<RecordReader>> OpenTable(std::string_view bytes, const RecordLimits& limits);
/// An array of objects, objects in lines or just behind one another, or
/// {"anything": [objects]}.
std::unique_ptr<RecordReader> OpenJson(std::string_view bytes, const RecordLimits& limits);
Result<std::unique_ptr<RecordReader>> OpenParquet(const std::filesystem::path& path);

/// Column names made unique and none of them empty.
std::vector<std::string> DistinctNames(const std::vector<std::string>& names);

}  // namespace segue::ingest
