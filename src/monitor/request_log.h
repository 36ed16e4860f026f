#pragma once

#include <array>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/observer.h"
#include "core/settings.h"
#include "store/clock.h"

namespace segue::monitor {

/// One line of JSON a request, in the form of a run's log:
///   {"at","level","stage":"request","message":"GET /v1/tracks/{id} 200",
///    "fields":{"id","method","route","status","us","bytes"}}
/// to `folder`/requests.ndjson. A thread of its own writes from a queue that
/// holds 8192 lines: a request never waits for the disk. What finds no room, or
/// cannot be written, is counted. A file that has reached an eighth of
/// logs.max_mb, or is a day old, is put aside as requests-<its start, Unix ms>.ndjson;
/// of those the oldest go, until all together fit, and those older than
/// logs.keep_days. Thread-safe.
class RequestLog {
 public:
  RequestLog(std::filesystem::path folder, const store::Clock& clock, const LogSettings& settings);
  ~RequestLog();  ///< writes what is there
  RequestLog(const RequestLog&) = delete;
  RequestLog& operator=(const RequestLog&) = delete;

  void Add(const AnsweredRequest& request);
  uint64_t dropped() const { return dropped_.load(); }

 private:
  struct Line {
    int64_t at_ms = 0;
    std::array<char, 64> id{};     // a client may choose it (serve/http.h); no memory of its own: this is on a request's way
    std::array<char, 8> method{};
    std::string_view route;
    int status = 0;
    uint64_t microseconds = 0, bytes = 0;
  };
  void Append(const Line& line, std::string& text);

  void Follow();
  void Write(const std::vector<Line>& lines);
  bool OpenFile(int64_t now_ms);
  void PutAside();
  void MakeRoom(int64_t now_ms) const;

  const std::filesystem::path folder_;
  const store::Clock& clock_;
  const int64_t most_bytes_;
  const int64_t keep_ms_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<Line> queue_;
  bool stop_ = false;
  std::atomic<uint64_t> dropped_{0};
  // Of the writing thread alone.
  int descriptor_ = -1;
  int64_t bytes_ = 0;
  int64_t began_ms_ = 0;
  int64_t second_ = -1;       ///< whose text is second_text_, "2026-03-01T12:00:00"
  std::string second_text_;
  std::thread thread_;
};

}  // namespace segue::monitor
