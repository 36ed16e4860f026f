#include "store/duck.h"

#include <unistd.h>

#include <atomic>
#include <cmath>
#include <fstream>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/check.h"

namespace segue::store {
namespace {

namespace fs = std::filesystem;

class Ducks : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-duck-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    duck_ = Open({.threads = 2});
  }
  void TearDown() override {
    duck_.reset();
    fs::remove_all(folder_);
  }

  static std::unique_ptr<Duck> Open(const DuckOptions& options) {
    auto opened = OpenDuck(options);
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  void Run(const std::string& sql) {
    const Status status = duck_->Run(sql);
    ASSERT_TRUE(status.ok()) << status.error().message;
  }

  std::unique_ptr<DuckAppender> Append(const std::string& table) {
    auto appender = duck_->Append(table);
    EXPECT_TRUE(appender.ok()) << appender.error().message;
    return appender.ok() ? *std::move(appender) : nullptr;
  }

  int64_t Count(const std::string& sql) {
    const auto count = duck_->Count(sql);
    EXPECT_TRUE(count.ok()) << count.error().message;
    return count.ok() ? *count : -1;
  }

  Error Refused(const std::string& sql) {
    const Status status = duck_->Run(sql);
    EXPECT_FALSE(status.ok()) << sql;
    return status.ok() ? Error{} : status.error();
  }

  fs::path folder_;
  std::unique_ptr<Duck> duck_;
};

TEST_F(Ducks, AStreamGivesTheRowsInOrderAndThenTheErrorOfALaterOne) {
  int64_t rows = 0;
  const auto each = [&](const DuckChunk& chunk) {
    for (uint64_t r = 0; r < chunk.rows(); ++r) EXPECT_EQ(chunk.Int(0, r), rows++);
  };
  EXPECT_TRUE(duck_->Stream("SELECT range FROM range(300000)", each).ok());
  EXPECT_EQ(rows, 300000);
  rows = 0;
  const Status status = duck_->Stream("SELECT CASE WHEN range < 299000 THEN range ELSE CAST('x' || range AS BIGINT) END FROM range(300000)", each);
  ASSERT_FALSE(status.ok());
  EXPECT_NE(status.error().message.find("x29"), std::string::npos) << status.error().message;
  EXPECT_FALSE(duck_->Stream("SELECT nothing", each).ok());
  EXPECT_EQ(Count("SELECT 7"), 7);  // the connection still works
}

TEST_F(Ducks, IntegersOfEveryWidthAreWidened) {
  int rows = 0;
  const Status status = duck_->Query(
      "SELECT true, (-8)::TINYINT, (-16)::SMALLINT, (-32)::INTEGER, (-9223372036854775807)::BIGINT, 255::UTINYINT, "
      "65535::USMALLINT, 4294967295::UINTEGER, 9223372036854775807::UBIGINT, sum(x), -sum(x) FROM (SELECT 3000000000 AS x)",
      [&](const DuckChunk& chunk) {
        rows += static_cast<int>(chunk.rows());
        const std::vector<int64_t> expected = {1,     -8,         -16,       -32, -INT64_MAX, 255,
                                               65535, 4294967295, INT64_MAX, 3000000000, -3000000000};
        for (size_t c = 0; c < expected.size(); ++c) EXPECT_EQ(chunk.Int(static_cast<int>(c), 0), expected[c]) << c;
      });
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(rows, 1);
}

TEST_F(Ducks, IntegersThatDoNotFitAreABug) {
  const auto read = [&](const std::string& value) {
    return duck_->Query("SELECT " + value, [](const DuckChunk& chunk) { (void)chunk.Int(0, 0); });
  };
  EXPECT_THROW((void)read("18446744073709551615::UBIGINT"), std::exception);
  EXPECT_THROW((void)read("9223372036854775808::HUGEINT"), std::exception);
  EXPECT_THROW((void)read("(-9223372036854775809)::HUGEINT"), std::exception);
  // What was thrown through leaves it usable.
  EXPECT_EQ(Count("SELECT 7"), 7);
}

TEST_F(Ducks, ReadingAColumnAsWhatItIsNotIsABug) {
  EXPECT_THROW((void)duck_->Query("SELECT 'a'", [](const DuckChunk& chunk) { (void)chunk.Int(0, 0); }), std::exception);
  EXPECT_THROW((void)duck_->Query("SELECT 1", [](const DuckChunk& chunk) { (void)chunk.Real(0, 0); }), std::exception);
  EXPECT_THROW((void)duck_->Query("SELECT 1.5::DECIMAL(4,1)", [](const DuckChunk& chunk) { (void)chunk.Real(0, 0); }),
               std::exception);
  EXPECT_THROW((void)duck_->Query("SELECT 1", [](const DuckChunk& chunk) { (void)chunk.Text(0, 0); }), std::exception);
  EXPECT_THROW((void)duck_->Query("SELECT 1", [](const DuckChunk& chunk) { (void)chunk.Int(1, 0); }), std::exception);
}

TEST_F(Ducks, RealsTextsAndNullsAreReadInPlace) {
  const Status status = duck_->Query(
      "SELECT 0.5::FLOAT, -2.25::DOUBLE, 'nan'::DOUBLE, 'short', 'longer than the twelve bytes held inline', '', "
      "NULL::VARCHAR, 'ä' || chr(0) || 'b'",
      [](const DuckChunk& chunk) {
        EXPECT_EQ(chunk.Real(0, 0), 0.5);
        EXPECT_EQ(chunk.Real(1, 0), -2.25);
        EXPECT_TRUE(std::isnan(chunk.Real(2, 0)));
        EXPECT_EQ(chunk.Text(3, 0), "short");
        EXPECT_EQ(chunk.Text(4, 0), "longer than the twelve bytes held inline");
        EXPECT_EQ(chunk.Text(5, 0), "");
        EXPECT_FALSE(chunk.IsNull(5, 0));
        EXPECT_TRUE(chunk.IsNull(6, 0));
        EXPECT_EQ(chunk.Text(7, 0), std::string_view("ä\0b", 4));
      });
  ASSERT_TRUE(status.ok()) << status.error().message;
}

TEST_F(Ducks, ChunksComeInOrderToTheLastRow) {
  int64_t next = 0;
  int chunks = 0;
  const Status status = duck_->Query("SELECT i, CASE WHEN i % 3 = 0 THEN i END FROM range(10000) r(i) ORDER BY i", [&](const DuckChunk& chunk) {
    ++chunks;
    for (uint64_t r = 0; r < chunk.rows(); ++r, ++next) {
      ASSERT_EQ(chunk.Int(0, r), next);
      ASSERT_EQ(chunk.IsNull(1, r), next % 3 != 0);
    }
  });
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(next, 10'000);
  EXPECT_GT(chunks, 1);
}

TEST_F(Ducks, CountOfNoRowsIsZero) {
  EXPECT_EQ(Count("SELECT count(*) FROM range(12)"), 12);
  EXPECT_EQ(Count("SELECT max(i) FROM range(0) r(i)"), 0);
  EXPECT_FALSE(duck_->Count("SELECT count(*) FROM nowhere").ok());
}

TEST_F(Ducks, AppendedRowsAreInTheTableAfterClose) {
  Run("CREATE TABLE t(n BIGINT, small INTEGER, x DOUBLE, s VARCHAR)");
  const auto rows = Append("t");
  for (int64_t i = 0; i < 5'000; ++i) {
    rows->Int(i);
    i % 2 == 0 ? rows->Null() : rows->Int(-i);
    rows->Real(static_cast<double>(i) / 4);
    rows->TextOrNull(i == 7 ? "" : "a text of more than twelve bytes, number " + std::to_string(i));
    ASSERT_TRUE(rows->EndRow().ok());
  }
  ASSERT_TRUE(rows->Close().ok());
  EXPECT_EQ(Count("SELECT count(*) FROM t"), 5'000);
  EXPECT_EQ(Count("SELECT count(small) FROM t"), 2'500);
  EXPECT_EQ(Count("SELECT count(*) FROM t WHERE s IS NULL AND n = 7"), 1);
  EXPECT_EQ(Count("SELECT count(*) FROM t WHERE x * 4 = n AND (s IS NULL OR ends_with(s, ' ' || n))"), 5'000);
}

TEST_F(Ducks, AValueThatDoesNotFitItsColumnFailsTheRowWithTheReason) {
  Run("CREATE TABLE t(small TINYINT, s VARCHAR)");
  const auto rows = Append("t");
  rows->Int(1'000);
  rows->Text("a");
  const Status row = rows->EndRow();
  ASSERT_FALSE(row.ok());
  EXPECT_EQ(row.error().code, ErrorCode::kInvalid);
  EXPECT_NE(row.error().message.find("1000"), std::string::npos) << row.error().message;
}

TEST_F(Ducks, ARowWithTooFewOrTooManyValuesFails) {
  Run("CREATE TABLE t(a BIGINT, b BIGINT)");
  const auto few = Append("t");
  few->Int(1);
  EXPECT_FALSE(few->EndRow().ok());
  const auto many = Append("t");
  for (int i = 0; i < 3; ++i) many->Int(i);
  EXPECT_FALSE(many->EndRow().ok());
}

TEST_F(Ducks, ABrokenConstraintFailsCloseWithTheReason) {
  Run("CREATE TABLE t(id VARCHAR PRIMARY KEY)");
  const auto rows = Append("t");
  for (int i = 0; i < 2; ++i) {
    rows->Text("twice");
    ASSERT_TRUE(rows->EndRow().ok());
  }
  const Status closed = rows->Close();
  ASSERT_FALSE(closed.ok());
  EXPECT_EQ(closed.error().code, ErrorCode::kInvalid);
  EXPECT_NE(closed.error().message.find("twice"), std::string::npos) << closed.error().message;
  EXPECT_EQ(Count("SELECT count(*) FROM t"), 0);
}

TEST_F(Ducks, AppendingToNoTableNamesTheTable) {
  const auto appender = duck_->Append("nowhere");
  ASSERT_FALSE(appender.ok());
  EXPECT_NE(appender.error().message.find("nowhere"), std::string::npos) << appender.error().message;
}

TEST_F(Ducks, ErrorsCarryTheMessageAndLeaveItUsable) {
  const Error error = Refused("SELECT no_such_column FROM range(3)");
  EXPECT_EQ(error.code, ErrorCode::kInvalid);
  EXPECT_NE(error.message.find("no_such_column"), std::string::npos) << error.message;
  EXPECT_EQ(Count("SELECT 3"), 3);
}

TEST_F(Ducks, ErrorsAreToldApartByKindAndNotByTheDataTheyQuote) {
  EXPECT_EQ(Refused("SELECT CAST('INTERRUPT' AS BIGINT)").code, ErrorCode::kInvalid);
  EXPECT_EQ(Refused("SELECT CAST('No space left' AS BIGINT)").code, ErrorCode::kInvalid);
  EXPECT_EQ(Refused("SELECT CAST('out of memory' AS BIGINT)").code, ErrorCode::kInvalid);
  EXPECT_EQ(Refused("SELECT CAST('No files found' AS BIGINT)").code, ErrorCode::kInvalid);
}

TEST_F(Ducks, AMissingFileIsNotFound) {
  const std::string none = Quoted((folder_ / "none.parquet").string());
  EXPECT_EQ(Refused("SELECT * FROM read_parquet(" + none + ")").code, ErrorCode::kNotFound);
  EXPECT_EQ(Refused("SELECT * FROM read_csv(" + none + ")").code, ErrorCode::kNotFound);
}

TEST_F(Ducks, DamagedParquetIsCorrupt) {
  const fs::path file = folder_ / "a.parquet";
  Run("COPY (SELECT i, 'text ' || hash(i) AS s FROM range(5000) r(i)) TO " + Quoted(file.string()) + " (FORMAT parquet)");
  const auto size = fs::file_size(file);
  const std::string read = "SELECT count(i), count(s), max(s) FROM read_parquet(" + Quoted(file.string()) + ")";
  ASSERT_TRUE(duck_->Run(read).ok());
  {
    std::fstream bytes(file, std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(static_cast<std::streamoff>(size / 2));
    bytes << std::string(64, '\xff');
  }
  EXPECT_EQ(Refused(read).code, ErrorCode::kCorrupt);
  fs::resize_file(file, size / 2);
  EXPECT_EQ(Refused(read).code, ErrorCode::kCorrupt);
  fs::resize_file(file, 0);
  EXPECT_EQ(Refused(read).code, ErrorCode::kCorrupt);
}

TEST_F(Ducks, AFolderThatCannotBeWrittenToIsAnIoError) {
  const Error error = Refused("COPY (SELECT 1) TO " + Quoted((folder_ / "no/such/folder/a.parquet").string()) + " (FORMAT parquet)");
  EXPECT_TRUE(error.code == ErrorCode::kIo || error.code == ErrorCode::kNotFound) << error.message;
}

TEST_F(Ducks, AFullDiskIsNoSpace) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "there is no /dev/full here";
  const Error error = Refused("COPY (SELECT i FROM range(200000) r(i)) TO '/dev/full' (FORMAT csv, USE_TMP_FILE false)");
  EXPECT_EQ(error.code, ErrorCode::kNoSpace) << error.message;
}

TEST_F(Ducks, MemoryThatRunsOutIsNoSpaceAndSpillingAvoidsIt) {
  const std::string kept = "CREATE TABLE t AS SELECT hash(i) AS h, md5(i::VARCHAR) AS s FROM range(1500000) r(i) ORDER BY h";
  const Status without = Open({.threads = 1, .memory_limit_mb = 40})->Run(kept);
  ASSERT_FALSE(without.ok());
  EXPECT_EQ(without.error().code, ErrorCode::kNoSpace) << without.error().message;
  const fs::path spill = folder_ / "made" / "when" / "opened";
  const auto with = Open({.threads = 1, .memory_limit_mb = 40, .spill_folder = spill});
  ASSERT_TRUE(fs::is_directory(spill));
  const Status status = with->Run(kept);
  EXPECT_TRUE(status.ok()) << status.error().message;
}

TEST_F(Ducks, ASpillFolderThatCannotBeMadeIsRefused) {
  std::ofstream(folder_ / "file") << "x";
  const auto opened = OpenDuck({.spill_folder = folder_ / "file" / "below"});
  ASSERT_FALSE(opened.ok());
  EXPECT_NE(opened.error().message.find("below"), std::string::npos) << opened.error().message;
}

TEST_F(Ducks, InterruptEndsARunningStatementAsCancelled) {
  std::atomic<bool> ended = false;
  Status status;
  std::thread running([&] {
    status = duck_->Run("SELECT sum(a.i * b.i) FROM range(100000000) a(i), range(100000000) b(i)");
    ended = true;
  });
  // Until it is heard: the statement may not have begun at the first one.
  while (!ended) {
    duck_->Interrupt();
    std::this_thread::yield();
  }
  running.join();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCancelled) << status.error().message;
  EXPECT_EQ(Count("SELECT 5"), 5);
}

TEST_F(Ducks, SettingsAreThoseAskedFor) {
  const auto setting = [&](const std::string& name) {
    std::string value;
    const Status status = duck_->Query("SELECT current_setting(" + Quoted(name) + ")::VARCHAR",
                                       [&](const DuckChunk& chunk) { value = chunk.Text(0, 0); });
    EXPECT_TRUE(status.ok()) << status.error().message;
    return value;
  };
  EXPECT_EQ(setting("threads"), "2");
  EXPECT_EQ(setting("TimeZone"), "UTC");
  EXPECT_EQ(setting("autoinstall_known_extensions"), "false");
  EXPECT_EQ(setting("autoload_known_extensions"), "false");
  EXPECT_EQ(setting("preserve_insertion_order"), "true");
  EXPECT_EQ(setting("temp_directory"), "");
}

TEST_F(Ducks, ParquetJsonAndTimeZonesAreBuiltIn) {
  const std::string file = Quoted((folder_ / "a.parquet").string());
  Run("COPY (SELECT i FROM range(10) r(i)) TO " + file + " (FORMAT parquet)");
  EXPECT_EQ(Count("SELECT count(*) FROM read_parquet(" + file + ")"), 10);
  EXPECT_EQ(Count("SELECT ('{\"a\":4}'::JSON->>'a')::BIGINT"), 4);
  EXPECT_EQ(Count("SELECT epoch(TIMESTAMPTZ '2026-03-01 12:00:00')::BIGINT"), 1'772'366'400);
}

TEST_F(Ducks, QuotedTextComesBackUnchanged) {
  EXPECT_EQ(Quoted("it's"), "'it''s'");
  for (const std::string text : {"", "'", "''", "a'; DROP TABLE t; --", "back\\slash \" quote", "ünï"}) {
    std::string back = "?";
    const Status status = duck_->Query("SELECT " + Quoted(text), [&](const DuckChunk& chunk) { back = chunk.Text(0, 0); });
    ASSERT_TRUE(status.ok()) << status.error().message;
    EXPECT_EQ(back, text);
  }
}

}  // namespace
}  // namespace segue::store
