#include "store/log_search.h"

#include <unistd.h>

#include <fstream>
#include <set>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::store {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kDay = 1'764'547'200;  // 2025-12-01T00:00:00Z

class LogSearch : public testing::Test {
 protected:
  void SetUp() override {
    folder_.root = fs::temp_directory_path() / ("segue-logs-" + std::to_string(::getpid()) + "-" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_.logs());
    bucket_ = *OpenFolderStore(folder_.bucket());
    catalog_ = *OpenSqliteCatalog(folder_.catalog());
    // Two runs, an hour apart; the second one still goes on. Requests in between.
    Run("r1", kDay, kDay + 60, Line(kDay, "info", "run", "started") + Line(kDay + 1, "warning", "clean", "3 rows of Bad.csv left out") + "half a li\n" +
                                   Line(kDay + 1, "info", "train", "ials trained"));
    Run("r2", kDay + 3600, 0, Line(kDay + 3600, "info", "run", "started") + Line(kDay + 3700, "error", "train", "failed", "no space"));
    Write("requests-" + std::to_string((kDay + 100) * 1000) + ".ndjson", Line(kDay + 100, "info", "request", "GET /v1/tracks 200") +
                                                                           Line(kDay + 200, "error", "request", "GET /v1/hits 500"));
    Write("requests.ndjson", Line(kDay + 3650, "info", "request", "GET /v1/status 200"));
  }
  void TearDown() override { fs::remove_all(folder_.root); }

  static std::string Line(int64_t at, const std::string& level, const std::string& stage, const std::string& message, const std::string& field = "x") {
    const std::string time = Iso8601(at);
    return nlohmann::ordered_json{{"at", time.substr(0, 19) + ".000Z"}, {"level", level}, {"stage", stage}, {"message", message},
                                  {"fields", {{"f", field}}}}.dump() + "\n";
  }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_.logs() / name) << text; }
  void Run(const std::string& id, int64_t from, int64_t to, const std::string& log) {
    ASSERT_TRUE(catalog_->PutRun({.run_id = id, .state = to == 0 ? "running" : "approved", .started_ms = from * 1000, .finished_ms = to * 1000}).ok());
    if (to == 0) {
      Write(id + ".ndjson", log);
    } else {
      ASSERT_TRUE(bucket_->Put(RunKey(id, "log.ndjson"), log).ok());
    }
  }

  LogPage Page(const LogQuery& query) {
    const auto page = SearchLogs(*bucket_, *catalog_, folder_, query);
    EXPECT_TRUE(page.ok()) << page.error().message;
    return page.ok() ? *page : LogPage{};
  }
  /// "run: message" of what is found.
  std::vector<std::string> Found(const LogQuery& query) {
    std::vector<std::string> found;
    for (const LogEntry& entry : Page(query).entries) {
      found.push_back(entry.run_id + ": " + nlohmann::json::parse(entry.line)["message"].get<std::string>());
    }
    return found;
  }
  Error Wrong(const LogQuery& query) {
    const auto page = SearchLogs(*bucket_, *catalog_, folder_, query);
    EXPECT_FALSE(page.ok());
    return page.ok() ? Error{ErrorCode::kIo, ""} : page.error();
  }

  DataFolder folder_;
  std::unique_ptr<ObjectStore> bucket_;
  std::unique_ptr<Catalog> catalog_;
};

using Lines = std::vector<std::string>;

TEST_F(LogSearch, AllLogsComeNewestFirst) {
  EXPECT_EQ(Found({}), (Lines{"r2: failed", ": GET /v1/status 200", "r2: started", ": GET /v1/hits 500", ": GET /v1/tracks 200",
                              "r1: ials trained", "r1: 3 rows of Bad.csv left out", "r1: started"}));
}

TEST_F(LogSearch, EachFilterLeavesWhatFits) {
  EXPECT_EQ(Found({.run_id = "r1"}), (Lines{"r1: ials trained", "r1: 3 rows of Bad.csv left out", "r1: started"}));
  EXPECT_EQ(Found({.stage = "train"}), (Lines{"r2: failed", "r1: ials trained"}));
  EXPECT_EQ(Found({.stage = "request"}), (Lines{": GET /v1/status 200", ": GET /v1/hits 500", ": GET /v1/tracks 200"}));
  EXPECT_EQ(Found({.level = "warning"}), (Lines{"r2: failed", ": GET /v1/hits 500", "r1: 3 rows of Bad.csv left out"}));
  EXPECT_EQ(Found({.text = "bad.CSV"}), Lines{"r1: 3 rows of Bad.csv left out"});
  EXPECT_EQ(Found({.text = "no space"}), Lines{"r2: failed"}) << "fields count";
  EXPECT_EQ(Found({.text = "level"}), Lines{}) << "names of the line do not";
  EXPECT_EQ(Found({.since = "2025-12-01T01"}), (Lines{"r2: failed", ": GET /v1/status 200", "r2: started"}));
  EXPECT_EQ(Found({.until = "2025-12-01T00:00:01"}), (Lines{"r1: ials trained", "r1: 3 rows of Bad.csv left out", "r1: started"}));
  EXPECT_EQ(Found({.since = "2025-12-01T00:00:01", .until = "2025-12-01T00:02"}),
            (Lines{": GET /v1/tracks 200", "r1: ials trained", "r1: 3 rows of Bad.csv left out"}));
  EXPECT_EQ(Found({.since = "2026"}), Lines{});
  EXPECT_EQ(Found({.stage = "train", .level = "error", .text = "fail", .since = "2025-12-01"}), Lines{"r2: failed"});
}

TEST_F(LogSearch, PagesTogetherAreTheWholeWithoutALineTwice) {
  const Lines whole = Found({});
  for (int64_t limit = 1; limit <= 9; ++limit) {
    Lines pages;
    std::string cursor;
    do {
      const LogPage page = Page({.limit = limit, .cursor = cursor});
      EXPECT_LE(page.entries.size(), static_cast<size_t>(limit));
      for (const auto& entry : page.entries) pages.push_back(entry.run_id + ": " + nlohmann::json::parse(entry.line)["message"].get<std::string>());
      cursor = page.next;
    } while (!cursor.empty() && pages.size() < 20);
    EXPECT_EQ(pages, whole) << limit;
  }
}

TEST_F(LogSearch, ManyLinesOfOneMomentArePagedToo) {
  std::string log;
  for (int i = 0; i < 50; ++i) log += Line(kDay + 9000, "info", "train", "line " + std::to_string(i));
  Run("r3", kDay + 9000, kDay + 9001, log);
  std::set<std::string> seen;
  std::string cursor;
  for (int page = 0; page < 8; ++page) {
    const LogPage found = Page({.run_id = "r3", .limit = 7, .cursor = cursor});
    for (const auto& entry : found.entries) EXPECT_TRUE(seen.insert(entry.line).second) << "twice: " << entry.line;
    cursor = found.next;
  }
  EXPECT_EQ(seen.size(), 50u);
  EXPECT_EQ(cursor, "");
}

TEST_F(LogSearch, WhatIsWrongWithAQueryIsNamed) {
  EXPECT_NE(Wrong({.level = "loud"}).message.find("level is 'loud'"), std::string::npos);
  EXPECT_NE(Wrong({.since = "yesterday"}).message.find("since is 'yesterday'"), std::string::npos);
  EXPECT_NE(Wrong({.until = "2025-12-01 10:00"}).message.find("until"), std::string::npos);
  EXPECT_NE(Wrong({.cursor = "7"}).message.find("cursor"), std::string::npos);
  EXPECT_EQ(Wrong({.run_id = "r9"}).code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace segue::store
