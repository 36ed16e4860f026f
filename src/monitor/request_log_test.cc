#include "monitor/request_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "monitor/request_window.h"
#include "monitor/testing.h"
#include "store/layout.h"

namespace segue::monitor {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

class RequestLogs : public WithCatalog {
 protected:
  static std::string Read(const fs::path& file) {
    std::ifstream in(file);
    std::ostringstream text;
    text << in.rdbuf();
    return text.str();
  }
  static size_t Lines(const fs::path& file) {
    const std::string text = Read(file);
    return static_cast<size_t>(std::count(text.begin(), text.end(), '\n'));
  }
  std::vector<fs::path> Aside() const {
    std::vector<fs::path> files;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      if (entry.path().filename().string().starts_with("requests-")) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  fs::path Present() const { return folder_ / store::kRequestLog; }

  store::FakeClock clock_{1'700'000'000'250};
};

TEST_F(RequestLogs, ARequestIsALineOfJsonWithoutWhatWasAskedFor) {
  {
    RequestLog log(folder_, clock_, {});
    log.Add({.id = "abc", .method = "GET", .route = "/v1/tracks/{id}", .status = 200, .microseconds = 321, .bytes = 12});
    log.Add({.id = "def", .method = "G\"\n{", .route = "", .status = 503, .microseconds = 1});
  }
  std::istringstream lines(Read(Present()));
  std::string line;
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line), json::parse(R"({"at":"2023-11-14T22:13:20.250Z","level":"info","stage":"request",
      "message":"GET /v1/tracks/{id} 200","fields":{"id":"abc","method":"GET","route":"/v1/tracks/{id}","status":200,"us":321,"bytes":12}})"));
  ASSERT_TRUE(std::getline(lines, line));
  EXPECT_EQ(json::parse(line)["level"], "error");
  EXPECT_EQ(json::parse(line)["fields"]["method"], "G???");
}

TEST_F(RequestLogs, WhatFindsNoRoomIsCountedAndNothingElseIsLost) {
  constexpr size_t kRequests = 100'000;
  uint64_t dropped = 0;
  {
    RequestLog log(folder_, clock_, {});
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        for (size_t i = 0; i < kRequests / 4; ++i) log.Add({.id = "x", .method = "GET", .route = "/", .status = 200});
      });
    }
    for (auto& thread : threads) thread.join();
    dropped = log.dropped();
  }
  EXPECT_EQ(Lines(Present()) + dropped, kRequests);
}

TEST_F(RequestLogs, ALogThatCannotBeWrittenIsCountedAsDropped) {
  std::ofstream(folder_ / "file") << "no folder";
  RequestLog log(folder_ / "file" / "logs", clock_, {});
  log.Add({.id = "x", .method = "GET", .route = "/", .status = 200});
  EXPECT_TRUE(Eventually([&] { return log.dropped() == 1; }));
}

TEST_F(RequestLogs, FilesArePutAsideBySizeAndTheOldestGo) {
  LogSettings settings;
  settings.max_mb = 1;  // 128 KiB a file: about 560 lines
  RequestLog log(folder_, clock_, settings);
  const auto add = [&](const std::string& id) {
    log.Add({.id = id, .method = "GET", .route = "/v1/listeners/{id}/recommendations", .status = 200});
  };
  for (int round = 0; round < 30; ++round) {
    for (int i = 0; i < 700; ++i) add("0123456789abcdef");
    add("round" + std::to_string(round));
    clock_.Advance(1000);
    ASSERT_TRUE(Eventually([&] { return Read(Present()).find("\"round" + std::to_string(round) + "\"") != std::string::npos; })) << round;
  }
  uintmax_t bytes = fs::file_size(Present());
  for (const auto& file : Aside()) bytes += fs::file_size(file);
  EXPECT_LE(bytes, uintmax_t{1} << 20);
  EXPECT_GE(Aside().size(), 4U);
  EXPECT_EQ(log.dropped(), 0U);
}

TEST_F(RequestLogs, AFileOfADayIsPutAsideAndThoseBeyondTheirDaysGo) {
  LogSettings settings;
  settings.keep_days = 3;
  RequestLog log(folder_, clock_, settings);
  for (int day = 0; day < 10; ++day) {
    log.Add({.id = std::to_string(day), .method = "GET", .route = "/", .status = 200});
    ASSERT_TRUE(Eventually([&] { return Read(Present()).find("\"id\":\"" + std::to_string(day) + "\"") != std::string::npos; }));
    EXPECT_EQ(Lines(Present()), 1U) << "yesterday's line lies elsewhere";
    clock_.Advance(86'400'000);
  }
  EXPECT_EQ(Aside().size(), 4U) << "a file's last line is a day younger than its beginning";
}

TEST_F(RequestLogs, WhatAnEarlierProgramWroteIsPutAsideByTheTimeOfItsFirstLine) {
  const AnsweredRequest request{.id = "x", .method = "GET", .route = "/", .status = 200};
  { RequestLog(folder_, clock_, {}).Add(request); }
  clock_.Advance(3'600'000);
  { RequestLog(folder_, clock_, {}).Add(request); }
  ASSERT_EQ(Aside().size(), 1U);
  EXPECT_EQ(Aside()[0].filename(), "requests-1700000000000.ndjson");
  EXPECT_EQ(Lines(Present()), 1U);
}

TEST(RequestWindows, TheP99IsRightWithinAQuarter) {
  RequestWindow window;
  EXPECT_FALSE(window.P99(1000).has_value());
  for (int i = 0; i < 990; ++i) window.Note(1000);
  for (int i = 0; i < 10; ++i) window.Note(80'000);
  EXPECT_GE(*window.P99(1000), 0.001);
  EXPECT_LT(*window.P99(1000), 0.00126);
  for (int i = 0; i < 10; ++i) window.Note(80'000);
  EXPECT_GE(*window.P99(1000), 0.08);
  EXPECT_LT(*window.P99(1000), 0.101);
  EXPECT_TRUE(window.P99(1000 + 300'000).has_value()) << "the window before counts";
  EXPECT_FALSE(window.P99(1000 + 600'000).has_value()) << "the one before that does not";
}

}  // namespace
}  // namespace segue::monitor
