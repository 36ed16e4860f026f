#include "store/duck.h"

#include <duckdb.h>

#include <algorithm>
#include <iterator>
#include <limits>
#include <vector>

#include "core/check.h"

namespace segue::store {
namespace {

/// How DuckDB's messages on Parquet that does not read begin.
constexpr std::string_view kDamagedParquet[] = {"No magic bytes", "Failed to read file", "Invalid string encoding found in Parquet",
                                                 "Invalid Parquet"};

/// `message` as DuckDB gives it, with or without its "IO Error: " in front.
/// The kind decides first: a message may quote the data, which says anything.
Error DuckError(duckdb_error_type type, std::string_view message) {
  const auto says = [&](std::string_view text) { return message.find(text) != std::string_view::npos; };
  ErrorCode code = ErrorCode::kInvalid;
  switch (type) {
    case DUCKDB_ERROR_INTERRUPT: code = ErrorCode::kCancelled; break;
    case DUCKDB_ERROR_OUT_OF_MEMORY: code = ErrorCode::kNoSpace; break;
    case DUCKDB_ERROR_PERMISSION: code = ErrorCode::kPermission; break;
    case DUCKDB_ERROR_SERIALIZATION: code = ErrorCode::kCorrupt; break;
    case DUCKDB_ERROR_IO:
      code = says("No space left")                               ? ErrorCode::kNoSpace
             : says("Permission denied")                         ? ErrorCode::kPermission
             : says("No files found") || says("No such file")    ? ErrorCode::kNotFound
                                                                 : ErrorCode::kIo;
      break;
    default: {
      constexpr std::string_view kKind = "Invalid Input Error: ";
      const std::string_view plain = message.starts_with(kKind) ? message.substr(kKind.size()) : message;
      const bool cut = plain.starts_with("File '") && says("too small to be a Parquet");
      const bool damaged = std::any_of(std::begin(kDamagedParquet), std::end(kDamagedParquet),
                                       [&](std::string_view start) { return plain.starts_with(start); });
      if (cut || damaged) code = ErrorCode::kCorrupt;
    }
  }
  return {code, "DuckDB: " + std::string(message)};
}

/// A result that is always destroyed.
struct OwnedResult {
  duckdb_result result{};
  ~OwnedResult() { duckdb_destroy_result(&result); }
};

class Chunk final : public DuckChunk {
 public:
  explicit Chunk(duckdb_data_chunk chunk) : rows_(duckdb_data_chunk_get_size(chunk)) {
    const idx_t columns = duckdb_data_chunk_get_column_count(chunk);
    for (idx_t i = 0; i < columns; ++i) {
      const duckdb_vector vector = duckdb_data_chunk_get_vector(chunk, i);
      duckdb_logical_type type = duckdb_vector_get_column_type(vector);
      columns_.push_back({duckdb_get_type_id(type), duckdb_vector_get_data(vector), duckdb_vector_get_validity(vector)});
      duckdb_destroy_logical_type(&type);
    }
  }

  uint64_t rows() const override { return rows_; }

  bool IsNull(int column, uint64_t row) const override {
    uint64_t* validity = At(column).validity;
    return validity != nullptr && !duckdb_validity_row_is_valid(validity, row);
  }

  int64_t Int(int column, uint64_t row) const override {
    const Column& at = At(column);
    switch (at.type) {
      case DUCKDB_TYPE_BOOLEAN: return Value<bool>(at, row) ? 1 : 0;
      case DUCKDB_TYPE_TINYINT: return Value<int8_t>(at, row);
      case DUCKDB_TYPE_SMALLINT: return Value<int16_t>(at, row);
      case DUCKDB_TYPE_INTEGER: return Value<int32_t>(at, row);
      case DUCKDB_TYPE_BIGINT: return Value<int64_t>(at, row);
      case DUCKDB_TYPE_UTINYINT: return Value<uint8_t>(at, row);
      case DUCKDB_TYPE_USMALLINT: return Value<uint16_t>(at, row);
      case DUCKDB_TYPE_UINTEGER: return Value<uint32_t>(at, row);
      case DUCKDB_TYPE_UBIGINT: {
        const auto value = Value<uint64_t>(at, row);
        SEGUE_CHECK(value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()));
        return static_cast<int64_t>(value);
      }
      case DUCKDB_TYPE_HUGEINT: {
        // What SUM of integers gives.
        const auto value = Value<duckdb_hugeint>(at, row);
        SEGUE_CHECK(value.upper == (static_cast<int64_t>(value.lower) < 0 ? -1 : 0));
        return static_cast<int64_t>(value.lower);
      }
      default: break;
    }
    FailCheck("an integer column", __FILE__, __LINE__, "column " + std::to_string(column));
  }

  double Real(int column, uint64_t row) const override {
    const Column& at = At(column);
    if (at.type == DUCKDB_TYPE_DOUBLE) return Value<double>(at, row);
    SEGUE_CHECK(at.type == DUCKDB_TYPE_FLOAT);
    return static_cast<double>(Value<float>(at, row));
  }

  std::string_view Text(int column, uint64_t row) const override {
    const Column& at = At(column);
    SEGUE_CHECK(at.type == DUCKDB_TYPE_VARCHAR);
    auto* text = static_cast<duckdb_string_t*>(at.data) + row;
    return {duckdb_string_t_data(text), duckdb_string_t_length(*text)};
  }

 private:
  struct Column {
    duckdb_type type;
    void* data;
    uint64_t* validity;
  };

  template <typename T>
  static T Value(const Column& column, uint64_t row) {
    return static_cast<const T*>(column.data)[row];
  }

  const Column& At(int column) const { return columns_.at(static_cast<size_t>(column)); }

  uint64_t rows_;
  std::vector<Column> columns_;
};

Error AppenderError(duckdb_appender appender, std::string_view otherwise) {
  duckdb_error_data data = duckdb_appender_error_data(appender);
  const char* message = duckdb_error_data_has_error(data) ? duckdb_error_data_message(data) : nullptr;
  Error error = DuckError(duckdb_error_data_error_type(data), message != nullptr ? message : otherwise);
  duckdb_destroy_error_data(&data);
  return error;
}

class Appender final : public DuckAppender {
 public:
  explicit Appender(duckdb_appender appender) : appender_(appender) {}
  ~Appender() override { duckdb_appender_destroy(&appender_); }
  Appender(const Appender&) = delete;
  Appender& operator=(const Appender&) = delete;

  // A value that is refused shows in EndRow, which every row ends with.
  void Null() override { Note(duckdb_append_null(appender_)); }
  void Int(int64_t value) override { Note(duckdb_append_int64(appender_, value)); }
  void Real(double value) override { Note(duckdb_append_double(appender_, value)); }
  void Text(std::string_view value) override {
    Note(duckdb_append_varchar_length(appender_, value.data(), value.size()));
  }

  Status EndRow() override {
    Note(duckdb_appender_end_row(appender_));
    return status_;
  }

  Status Close() override {
    Note(duckdb_appender_close(appender_));
    return status_;
  }

 private:
  /// Keeps the first error: that a value was refused, not the short row that follows from it.
  void Note(duckdb_state state) {
    if (state == DuckDBError && status_.ok()) status_ = AppenderError(appender_, "a row could not be appended");
  }

  duckdb_appender appender_;
  Status status_;
};

class DuckConnection final : public Duck {
 public:
  DuckConnection() = default;
  ~DuckConnection() override {
    if (connection_ != nullptr) duckdb_disconnect(&connection_);
    if (database_ != nullptr) duckdb_close(&database_);
  }
  DuckConnection(const DuckConnection&) = delete;
  DuckConnection& operator=(const DuckConnection&) = delete;

  Status Open(const DuckOptions& options) {
    duckdb_config config = nullptr;
    SEGUE_CHECK(duckdb_create_config(&config) == DuckDBSuccess);
    const auto set = [&](const char* name, const std::string& value) {
      SEGUE_CHECK(duckdb_set_config(config, name, value.c_str()) == DuckDBSuccess);
    };
    if (options.threads > 0) set("threads", std::to_string(options.threads));
    set("memory_limit", std::to_string(options.memory_limit_mb) + "MB");
    set("temp_directory", options.spill_folder.string());
    set("autoinstall_known_extensions", "false");
    set("autoload_known_extensions", "false");
    set("preserve_insertion_order", "true");
    char* message = nullptr;
    const duckdb_state state = duckdb_open_ext(":memory:", &database_, config, &message);
    duckdb_destroy_config(&config);
    if (state == DuckDBError) {
      Error error = DuckError(DUCKDB_ERROR_IO, message != nullptr ? message : "it does not start");
      duckdb_free(message);
      return error;
    }
    if (duckdb_connect(database_, &connection_) == DuckDBError) return DuckError(DUCKDB_ERROR_INVALID, "no connection");
    return Run("SET TimeZone = 'UTC'");
  }

  Status Run(std::string_view sql) override {
    return Query(sql, [](const DuckChunk&) {});
  }

  Status Query(std::string_view sql, const std::function<void(const DuckChunk&)>& each) override {
    OwnedResult owned;
    if (duckdb_query(connection_, std::string(sql).c_str(), &owned.result) == DuckDBError) {
      const char* message = duckdb_result_error(&owned.result);
      return DuckError(duckdb_result_error_type(&owned.result), message != nullptr ? message : "the statement failed");
    }
    ForEachChunk(owned.result, each);
    return {};
  }

  Status Stream(std::string_view sql, const std::function<void(const DuckChunk&)>& each) override {
    struct Prepared {
      duckdb_prepared_statement statement = nullptr;
      ~Prepared() { duckdb_destroy_prepare(&statement); }
    } prepared;
    if (duckdb_prepare(connection_, std::string(sql).c_str(), &prepared.statement) == DuckDBError) {
      const char* message = duckdb_prepare_error(prepared.statement);
      return DuckError(DUCKDB_ERROR_INVALID, message != nullptr ? message : "the statement failed");
    }
    OwnedResult owned;
    const duckdb_state state = duckdb_execute_prepared_streaming(prepared.statement, &owned.result);
    if (state == DuckDBSuccess) ForEachChunk(owned.result, each);
    // Where a later row fails there is no further chunk, and only then an error.
    const char* message = duckdb_result_error(&owned.result);
    if (state == DuckDBError || message != nullptr) {
      return DuckError(duckdb_result_error_type(&owned.result), message != nullptr ? message : "the statement failed");
    }
    return {};
  }

  Result<std::unique_ptr<DuckAppender>> Append(std::string_view table) override {
    duckdb_appender appender = nullptr;
    if (duckdb_appender_create(connection_, nullptr, std::string(table).c_str(), &appender) == DuckDBError) {
      Error error = AppenderError(appender, "no such table");
      duckdb_appender_destroy(&appender);
      return error;
    }
    return std::unique_ptr<DuckAppender>(std::make_unique<Appender>(appender));
  }

  void Interrupt() override { duckdb_interrupt(connection_); }

 private:
  static void ForEachChunk(const duckdb_result& result, const std::function<void(const DuckChunk&)>& each) {
    while (duckdb_data_chunk chunk = duckdb_fetch_chunk(result)) {
      // Destroyed also when `each` throws.
      struct Owner {
        duckdb_data_chunk chunk;
        ~Owner() { duckdb_destroy_data_chunk(&chunk); }
      } owner{chunk};
      each(Chunk(chunk));
    }
  }

  duckdb_database database_ = nullptr;
  duckdb_connection connection_ = nullptr;
};

}  // namespace

Result<int64_t> Duck::Count(std::string_view sql) {
  int64_t count = 0;
  SEGUE_RETURN_IF_ERROR(Query(sql, [&](const DuckChunk& chunk) {
    if (chunk.rows() > 0 && !chunk.IsNull(0, 0)) count = chunk.Int(0, 0);
  }));
  return count;
}

Result<std::unique_ptr<Duck>> OpenDuck(const DuckOptions& options) {
  if (!options.spill_folder.empty()) {
    std::error_code error;
    std::filesystem::create_directories(options.spill_folder, error);
    if (error) return Error{ErrorCode::kIo, "making the spill folder " + options.spill_folder.string() + ": " + error.message()};
  }
  auto duck = std::make_unique<DuckConnection>();
  SEGUE_RETURN_IF_ERROR(duck->Open(options));
  return std::unique_ptr<Duck>(std::move(duck));
}

std::string Quoted(std::string_view text) {
  std::string quoted = "'";
  for (const char c : text) {
    quoted += c;
    if (c == '\'') quoted += c;
  }
  return quoted + "'";
}

}  // namespace segue::store
