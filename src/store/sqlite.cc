#include "store/sqlite.h"

#include <sqlite3.h>

namespace segue::store {

Error SqliteError(sqlite3* database) {
  ErrorCode code = ErrorCode::kIo;
  switch (sqlite3_errcode(database) & 0xff) {
    case SQLITE_FULL: code = ErrorCode::kNoSpace; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: code = ErrorCode::kCorrupt; break;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: code = ErrorCode::kPermission; break;
    case SQLITE_BUSY:
    case SQLITE_LOCKED: code = ErrorCode::kUnavailable; break;
    case SQLITE_CONSTRAINT: code = ErrorCode::kConflict; break;
    default: break;
  }
  const char* file = sqlite3_db_filename(database, "main");
  return {code, "catalog " + std::string(file != nullptr ? file : "") + ": " + sqlite3_errmsg(database)};
}

Statement::Statement(sqlite3* database, std::string_view sql) : database_(database) {
  failed_ = sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_, nullptr);
}

Statement::~Statement() { sqlite3_finalize(statement_); }

Statement& Statement::Bind(int64_t value) {
  if (failed_ == SQLITE_OK) failed_ = sqlite3_bind_int64(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::Bind(double value) {
  if (failed_ == SQLITE_OK) failed_ = sqlite3_bind_double(statement_, ++bound_, value);
  return *this;
}

Statement& Statement::Bind(std::string_view value) {
  // A null data pointer would bind NULL; an empty text is meant.
  const char* data = value.data() == nullptr ? "" : value.data();
  if (failed_ == SQLITE_OK) {
    failed_ = sqlite3_bind_text64(statement_, ++bound_, data, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  return *this;
}

Result<bool> Statement::Step() {
  if (failed_ != SQLITE_OK) return SqliteError(database_);
  const int outcome = sqlite3_step(statement_);
  if (outcome == SQLITE_ROW) return true;
  if (outcome == SQLITE_DONE) return false;
  return SqliteError(database_);
}

Status Statement::Run() {
  SEGUE_TRY(bool row, Step());
  while (row) {
    SEGUE_TRY(row, Step());
  }
  sqlite3_reset(statement_);
  bound_ = 0;
  return {};
}

int64_t Statement::Int(int column) const { return sqlite3_column_int64(statement_, column); }
double Statement::Real(int column) const { return sqlite3_column_double(statement_, column); }

std::string Statement::Text(int column) const {
  const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
  return text == nullptr ? std::string() : std::string(text, static_cast<size_t>(sqlite3_column_bytes(statement_, column)));
}

SqliteConnection::~SqliteConnection() { sqlite3_close_v2(database_); }

Status SqliteConnection::Open(const std::filesystem::path& file) {
  constexpr int kFlags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(file.c_str(), &database_, kFlags, nullptr) != SQLITE_OK) {
    Error error = SqliteError(database_);
    if (error.code == ErrorCode::kIo) error.code = ErrorCode::kPermission;
    return error.In("opening " + file.string());
  }
  sqlite3_busy_timeout(database_, 10'000);
  SEGUE_RETURN_IF_ERROR(Run("PRAGMA journal_mode=WAL"));
  SEGUE_RETURN_IF_ERROR(Run("PRAGMA synchronous=FULL"));
  return Run("PRAGMA foreign_keys=ON");
}

Status SqliteConnection::Run(const std::string& sql) {
  if (sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) return SqliteError(database_);
  return {};
}

void SqliteConnection::RollBack() {
  if (sqlite3_get_autocommit(database_) == 0) (void)Run("ROLLBACK").ok();
}

Result<std::map<std::string, int64_t>> ReadCounts(Statement& statement) {
  std::map<std::string, int64_t> counts;
  for (;;) {
    SEGUE_TRY(const bool more, statement.Step());
    if (!more) return counts;
    counts[statement.Text(0)] = statement.Int(1);
  }
}

}  // namespace segue::store
