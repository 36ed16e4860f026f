#include "ingest/records.h"
#include "store/duck.h"

namespace segue::ingest {
namespace {

constexpr int64_t kMemoryMb = 512;

class ParquetReader final : public RecordReader {
 public:
  ParquetReader(std::unique_ptr<store::Duck> duck, std::string source, std::vector<std::string> columns,
                std::vector<std::string> names)
      : duck_(std::move(duck)), source_(std::move(source)), columns_(std::move(columns)), names_(std::move(names)) {}

  const std::vector<std::string>& columns() const override { return columns_; }
  bool has_header() const override { return true; }
  std::string shape() const override { return "a Parquet table"; }

  Status Read(int64_t limit, RecordSink& sink) override {
    std::string list;
    for (const std::string& name : names_) {
      std::string identifier;
      for (const char c : name) identifier += c == '"' ? "\"\"" : std::string(1, c);
      list += (list.empty() ? "\"" : ", \"") + identifier + "\"::VARCHAR";
    }
    std::string sql = "SELECT " + list + " FROM " + source_;
    if (limit >= 0) sql += " LIMIT " + std::to_string(limit);
    int64_t number = 0;
    bool enough = false;
    std::vector<Field> fields(columns_.size());
    const Status read = duck_->Query(sql, [&](const store::DuckChunk& chunk) {
      for (uint64_t row = 0; row < chunk.rows() && !enough; ++row) {
        for (size_t column = 0; column < fields.size(); ++column) {
          const int at = static_cast<int>(column);
          fields[column] = chunk.IsNull(at, row) ? Field() : Field(chunk.Text(at, row));
        }
        enough = !sink.OnRecord({++number, fields, {}});
      }
    });
    if (!read.ok()) return Error{ErrorCode::kCorrupt, "the Parquet file does not read: " + read.error().message};
    return {};
  }

 private:
  std::unique_ptr<store::Duck> duck_;
  std::string source_;
  std::vector<std::string> columns_;  // distinct
  std::vector<std::string> names_;    // as the file has them
};

}  // namespace

Result<std::unique_ptr<RecordReader>> OpenParquet(const std::filesystem::path& path) {
  SEGUE_TRY(std::unique_ptr<store::Duck> duck, store::OpenDuck({.threads = 1, .memory_limit_mb = kMemoryMb}));
  const std::string source = "read_parquet(" + store::Quoted(path.string()) + ")";
  std::vector<std::string> names;
  const Status described =
      duck->Query("SELECT column_name FROM (DESCRIBE SELECT * FROM " + source + ")", [&](const store::DuckChunk& chunk) {
        for (uint64_t row = 0; row < chunk.rows(); ++row) names.emplace_back(chunk.Text(0, row));
      });
  if (!described.ok()) {
    return Error{ErrorCode::kInvalid, "the Parquet file is damaged or cut short: " + described.error().message};
  }
  std::vector<std::string> columns = DistinctNames(names);
  return std::unique_ptr<RecordReader>(
      std::make_unique<ParquetReader>(std::move(duck), source, std::move(columns), std::move(names)));
}

}  // namespace segue::ingest
