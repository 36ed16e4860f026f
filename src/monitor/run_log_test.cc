#include "monitor/run_log.h"

#include <unistd.h>

#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace segue::monitor {
namespace {

using nlohmann::json;

/// Remembers what it was told.
class Recorder final : public Instruments {
 public:
  void Log(LogLevel level, std::string_view, std::string_view message, const json&) override {
    (level == LogLevel::kWarning ? warnings : messages).emplace_back(message);
  }
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override { ++progress; }
  bool Cancelled() const override { return cancelled; }

  std::vector<std::string> messages, warnings;
  int progress = 0;
  bool cancelled = false;
};

class RunLog : public testing::Test {
 protected:
  RunLog() {
    std::string name = (std::filesystem::temp_directory_path() / "segue-monitor-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~RunLog() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path File() const { return folder_ / "logs" / "run.ndjson"; }

  std::vector<json> Lines() const {
    std::vector<json> lines;
    std::ifstream in(File());
    for (std::string line; std::getline(in, line);) lines.push_back(json::parse(line));
    return lines;
  }

  std::filesystem::path folder_;
  store::FakeClock clock_{1'772'366'400'250};  // 2026-03-01T12:00:00.250Z
};

TEST_F(RunLog, WritesALineOfJsonAnEventAndMakesItsFolder) {
  OpenRunLog(File(), clock_, {}, nullptr)->Log(LogLevel::kWarning, "clean", "rows rejected", {{"rows", 412}});
  ASSERT_EQ(Lines().size(), 1u);
  EXPECT_EQ(Lines()[0], (json{{"at", "2026-03-01T12:00:00.250Z"},
                              {"level", "warning"},
                              {"stage", "clean"},
                              {"message", "rows rejected"},
                              {"fields", {{"rows", 412}}}}));
}

TEST_F(RunLog, AppendsToWhatIsThere) {
  OpenRunLog(File(), clock_, {}, nullptr)->Info("ingest", "first");
  OpenRunLog(File(), clock_, {}, nullptr)->Info("ingest", "second");
  ASSERT_EQ(Lines().size(), 2u);
  EXPECT_EQ(Lines()[1]["message"], "second");
  EXPECT_EQ(Lines()[1]["fields"], json::object());
}

TEST_F(RunLog, StartsANewLineAfterATornOne) {
  std::filesystem::create_directories(File().parent_path());
  std::ofstream(File()) << "{\"at\":\"2026-";
  OpenRunLog(File(), clock_, {}, nullptr)->Info("ingest", "after the power cut");
  std::ifstream in(File());
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "{\"at\":\"2026-");
  std::getline(in, line);
  EXPECT_EQ(json::parse(line)["message"], "after the power cut");
}

TEST_F(RunLog, EscapesWhateverTheMessageHolds) {
  const std::string message = "a \"quoted\"\nname\twith \x01 and \xff bytes";
  OpenRunLog(File(), clock_, {}, nullptr)->Info("ingest", message, {{"file", "\xc3\x28.json"}});
  const auto lines = Lines();
  ASSERT_EQ(lines.size(), 1u);
  EXPECT_EQ(lines[0]["message"], "a \"quoted\"\nname\twith \x01 and \xef\xbf\xbd bytes");
}

TEST_F(RunLog, KeepsTheLinesOfManyThreadsWhole) {
  constexpr int kThreads = 8, kLines = 200;
  // Two logs on one file, as two processes would have them.
  const auto one = OpenRunLog(File(), clock_, {}, nullptr);
  const auto two = OpenRunLog(File(), clock_, {}, nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kLines; ++i) {
        (t % 2 == 0 ? *one : *two).Info("train", std::string(300, 'x'), {{"id", t * kLines + i}});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<int> ids;
  for (const json& line : Lines()) ids.insert(line["fields"]["id"].get<int>());
  EXPECT_EQ(ids.size(), size_t{kThreads * kLines});
}

TEST_F(RunLog, LogsProgressAtMostOnceASecondAStageAndPassesAllOn) {
  Recorder next;
  const auto log = OpenRunLog(File(), clock_, {}, &next);
  for (uint64_t i = 0; i < 30; ++i) {  // 3 s in tenths
    log->Progress("train", i, 30, "epochs");
    log->Progress("evaluate", i, 0, "listeners");
    clock_.Advance(100);
  }
  const auto lines = Lines();
  EXPECT_EQ(lines.size(), 6u);
  EXPECT_EQ(lines[0]["fields"], (json{{"done", 0}, {"total", 30}, {"unit", "epochs"}}));
  EXPECT_EQ(next.progress, 60);
}

TEST_F(RunLog, AClockSetBackDoesNotSilenceAStage) {
  const auto log = OpenRunLog(File(), clock_, {}, nullptr);
  log->Progress("train", 1, 9, "epochs");
  clock_.Advance(-3'600'000);
  log->Progress("train", 2, 9, "epochs");
  EXPECT_EQ(Lines().size(), 2u);
}

TEST_F(RunLog, AFileThatCannotBeWrittenWarnsOnceAndNeverFailsTheWork) {
  std::ofstream(folder_ / "logs") << "a file where the folder should be";
  Recorder next;
  const auto log = OpenRunLog(File(), clock_, {}, &next);
  log->Info("clean", "one");
  log->Info("clean", "two");
  log->Progress("clean", 1, 2, "files");
  EXPECT_EQ(next.messages, (std::vector<std::string>{"one", "two"}));
  ASSERT_EQ(next.warnings.size(), 1u);
  EXPECT_NE(next.warnings[0].find("run.ndjson"), std::string::npos);
}

TEST_F(RunLog, AFullDiskNeverFailsTheWork) {
  if (!std::filesystem::exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  Recorder next;
  const auto log = OpenRunLog("/dev/full", clock_, {}, &next);
  log->Info("clean", "one");
  EXPECT_EQ(next.messages, (std::vector<std::string>{"one"}));
}

TEST_F(RunLog, IsCancelledByItsOwnFlagAndByTheNext) {
  Recorder next;
  bool own = false;
  const auto log = OpenRunLog(File(), clock_, [&] { return own; }, &next);
  EXPECT_FALSE(log->Cancelled());
  own = true;
  EXPECT_TRUE(log->Cancelled());
  own = false;
  next.cancelled = true;
  EXPECT_TRUE(log->Cancelled());
}

}  // namespace
}  // namespace segue::monitor
