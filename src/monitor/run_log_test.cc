#include "monitor/run_log.h"

#include <unistd.h>

#include <fstream>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace segue::monitor {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class RunLogs : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-log-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::vector<json> Lines() const {
    std::vector<json> lines;
    std::ifstream file(folder_ / "run.ndjson");
    for (std::string line; std::getline(file, line);) lines.push_back(json::parse(line));
    return lines;
  }

  fs::path folder_;
  store::FakeClock clock_{1'700'000'000'123};
};

TEST_F(RunLogs, WriteOneJsonLineAnEvent) {
  const auto log = OpenRunLog(folder_ / "run.ndjson", clock_, nullptr, nullptr);
  log->Info("clean", "a \"quoted\"\nmessage", {{"rows", 3}});
  log->Warn("train", "bytes \xff that are no text");
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0]["at"], "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(lines[0]["level"], "info");
  EXPECT_EQ(lines[0]["stage"], "clean");
  EXPECT_EQ(lines[0]["message"], "a \"quoted\"\nmessage");
  EXPECT_EQ(lines[0]["fields"]["rows"], 3);
  EXPECT_EQ(lines[1]["level"], "warning");
}

TEST_F(RunLogs, LinesOfSeveralThreadsDoNotMix) {
  const auto log = OpenRunLog(folder_ / "run.ndjson", clock_, nullptr, nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) log->Info("stage", std::string(500, 'x'));
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(Lines().size(), 400u);
}

TEST_F(RunLogs, ProgressIsWrittenAtMostOnceASecondAndAtTheEnd) {
  const auto log = OpenRunLog(folder_ / "run.ndjson", clock_, nullptr, nullptr);
  for (uint64_t i = 0; i <= 100; ++i) log->Progress("train", i, 100, "epochs");
  const auto lines = Lines();
  ASSERT_GE(lines.size(), 2u);
  EXPECT_LT(lines.size(), 100u);
  EXPECT_EQ(lines.back()["fields"]["done"], 100);
}

TEST_F(RunLogs, ALogThatCannotBeWrittenFailsNothing) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "x";
  const auto log = OpenRunLog(folder_ / "file" / "run.ndjson", clock_, nullptr, nullptr);
  log->Info("clean", "goes nowhere");
  log->Progress("clean", 1, 2, "rows");
  EXPECT_FALSE(log->Cancelled());
}

TEST_F(RunLogs, PassOnAndAskWhetherToStop) {
  bool stop = false;
  const auto last = OpenRunLog(folder_ / "run.ndjson", clock_, nullptr, nullptr);
  const auto first = OpenRunLog(folder_ / "other.ndjson", clock_, [&] { return stop; }, last.get());
  first->Info("gate", "approved");
  EXPECT_EQ(Lines().size(), 1u);
  EXPECT_FALSE(first->Cancelled());
  stop = true;
  EXPECT_TRUE(first->Cancelled());
}

}  // namespace
}  // namespace segue::monitor
