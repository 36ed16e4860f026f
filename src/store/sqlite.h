#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

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

/// One connection. Not thread-safe.
class SqliteConnection {
 public:
  SqliteConnection() = default;
  ~SqliteConnection();
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;

  Status Open(const std::filesystem::path& file);
  Status Run(const std::string& sql);
  sqlite3* get() const { return database_; }

 private:
  sqlite3* database_ = nullptr;
};

/// The error of the connection's last call.
Error SqliteError(sqlite3* database);

}  // namespace segue::store
