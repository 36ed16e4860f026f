#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace segue::store {

/// One prepared statement on its way: bind, step, read, in that order. Resets
/// itself at the end. Errors show in Step. Not thread-safe.
class Statement {
 public:
  Statement(sqlite3* database, std::string_view sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  /// The next parameter, from 1.
  Statement& Bind(int64_t value);
  Statement& Bind(double value);
  Statement& Bind(std::string_view value);

  /// True: a row is there. False: done.
  Result<bool> Step();
  /// To the end; no rows wanted.
  Status Run();

  int64_t Int(int column) const;
  double Real(int column) const;
  std::string Text(int column) const;

 private:
  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
  int failed_ = 0;
};

/// All rows of a statement that is bound.
template <typename Row>
Result<std::vector<Row>> ReadAll(Statement& statement, Row (*read)(const Statement&)) {
  std::vector<Row> rows;
  for (;;) {
    SEGUE_TRY(const bool more, statement.Step());
    if (!more) return rows;
    rows.push_back(read(statement));
  }
}

/// Its first row, if there is one.
template <typename Row>
Result<std::optional<Row>> ReadFirst(Statement& statement, Row (*read)(const Statement&)) {
  SEGUE_TRY(const bool found, statement.Step());
  return found ? std::optional<Row>(read(statement)) : std::nullopt;
}

/// One connection. Not thread-safe.
class SqliteConnection {
 public:
  SqliteConnection() = default;
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Status Open(const std::filesystem::path& file);
  Status Run(const std::string& sql);
  /// Ends a transaction that is open, if one is, as if it had not been.
  void RollBack();
  sqlite3* get() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

/// Rows of a text and a number, as a map.
Result<std::map<std::string, int64_t>> ReadCounts(Statement& statement);

/// All that `body` does, or nothing; durable at the end.
template <typename Body>
Status InTransaction(SqliteConnection& connection, const Body& body) {
  SEGUE_RETURN_IF_ERROR(connection.Run("BEGIN IMMEDIATE"));
  Status outcome = body();
  if (outcome.ok()) outcome = connection.Run("COMMIT");
  if (!outcome.ok()) connection.RollBack();
  return outcome;
}

/// The error of the connection's last call.
Error SqliteError(sqlite3* database);

}  // namespace segue::store
