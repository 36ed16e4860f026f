#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace segue::store {

struct DuckOptions {
  int64_t threads = 0;          ///< 0: all cores
  int64_t memory_limit_mb = 1024;
  std::filesystem::path spill_folder;  ///< where it spills; empty: nowhere
};

/// One chunk of a query's result: columns of up to 2048 rows, read in place.
/// Strings are valid as long as the chunk.
class DuckChunk {
 public:
  virtual ~DuckChunk() = default;
  virtual uint64_t rows() const = 0;
  virtual bool IsNull(int column, uint64_t row) const = 0;
  /// BIGINT, INTEGER, SMALLINT, TINYINT, UBIGINT, UINTEGER, BOOLEAN, widened; CHECKs the type.
  virtual int64_t Int(int column, uint64_t row) const = 0;
  /// DOUBLE or FLOAT; CHECKs the type.
  virtual double Real(int column, uint64_t row) const = 0;
  /// VARCHAR; CHECKs the type.
  virtual std::string_view Text(int column, uint64_t row) const = 0;
};

/// Fills a table row by row: a value for each column in order, then EndRow.
/// Nothing is in the table before Close returned.
class DuckAppender {
 public:
  virtual ~DuckAppender() = default;
  virtual void Null() = 0;
  virtual void Int(int64_t value) = 0;
  virtual void Real(double value) = 0;
  virtual void Text(std::string_view value) = 0;  ///< must be UTF-8
  virtual Status EndRow() = 0;
  virtual Status Close() = 0;

  void TextOrNull(std::string_view value) { value.empty() ? Null() : Text(value); }
};

/// An in-memory DuckDB with spill, behind the C API. One thread at a time.
/// Errors carry DuckDB's message. Extension download is off; the
/// insertion order is preserved.
class Duck {
 public:
  virtual ~Duck() = default;
  virtual Status Run(std::string_view sql) = 0;
  /// Calls `each` on every chunk in order.
  virtual Status Query(std::string_view sql, const std::function<void(const DuckChunk&)>& each) = 0;
  /// The same for one SELECT, whose chunks come as they are made, so that the
  /// result is never in memory as a whole; where it fails, `each` may have seen
  /// some. `each` must not use this connection.
  virtual Status Stream(std::string_view sql, const std::function<void(const DuckChunk&)>& each) = 0;
  virtual Result<std::unique_ptr<DuckAppender>> Append(std::string_view table) = 0;
  /// Ends a running statement from another thread; it returns kCancelled.
  virtual void Interrupt() = 0;

  /// A query of one BIGINT.
  Result<int64_t> Count(std::string_view sql);
};

Result<std::unique_ptr<Duck>> OpenDuck(const DuckOptions& options);

/// 'text' as an SQL string literal, quotes doubled.
std::string Quoted(std::string_view text);

}  // namespace segue::store
