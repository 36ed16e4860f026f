#include "monitor/request_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <chrono>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <system_error>

#include "monitor/lines.h"
#include "store/layout.h"

namespace segue::monitor {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostWaiting = 8192;
constexpr auto kPause = std::chrono::milliseconds(200);
constexpr int64_t kDayMs = 86'400'000;
constexpr int64_t kFiles = 8;

/// When the file's first line was written; `otherwise` where that cannot be read.
int64_t BeginningOf(const fs::path& file, int64_t otherwise) {
  std::ifstream in(file);
  std::string line;
  std::tm time{};
  if (!std::getline(in, line) || line.size() < 26) return otherwise;
  if (::strptime(line.c_str(), "{\"at\":\"%Y-%m-%dT%H:%M:%S", &time) == nullptr) return otherwise;
  return static_cast<int64_t>(::timegm(&time)) * 1000;
}

}  // namespace

RequestLog::RequestLog(fs::path folder, const store::Clock& clock, const LogSettings& settings)
    : folder_(std::move(folder)), clock_(clock), most_bytes_(settings.max_mb << 20), keep_ms_(settings.keep_days * kDayMs) {
  queue_.reserve(kMostWaiting);
  thread_ = std::thread([this] { Follow(); });
}

RequestLog::~RequestLog() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  thread_.join();
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RequestLog::Add(const AnsweredRequest& request) {
  Line line{.at_ms = clock_.NowMs(), .route = request.route, .status = request.status, .microseconds = request.microseconds,
            .bytes = request.bytes};
  std::copy_n(request.id.begin(), std::min(request.id.size(), line.id.size()), line.id.begin());
  std::copy_n(request.method.begin(), std::min(request.method.size(), line.method.size()), line.method.begin());
  const std::lock_guard lock(mutex_);
  if (queue_.size() >= kMostWaiting) {
    ++dropped_;
    return;
  }
  queue_.push_back(line);
  if (queue_.size() == kMostWaiting / 2) wake_.notify_one();
}

// By hand, for there may be ten thousand a second: the route is ours, and no id has what needs an escape.
void RequestLog::Append(const Line& line, std::string& text) {
  const std::string_view route = line.route.empty() ? "none" : line.route;
  const std::string_view id(line.id.data(), static_cast<size_t>(std::find(line.id.begin(), line.id.end(), '\0') - line.id.begin()));
  std::string method(line.method.begin(), std::find(line.method.begin(), line.method.end(), '\0'));  // the client's choice
  std::replace_if(method.begin(), method.end(), [](unsigned char c) { return std::isalpha(c) == 0; }, '?');
  const std::string status = std::to_string(line.status);
  if (line.at_ms / 1000 != second_) {
    second_ = line.at_ms / 1000;
    second_text_ = store::Iso8601(second_).substr(0, 19);
  }
  const std::string ms = std::to_string(1000 + line.at_ms % 1000).substr(1);
  text.append("{\"at\":\"").append(second_text_).append(".").append(ms).append("Z\",\"level\":\"").append(line.status >= 500 ? "error" : "info");
  text.append("\",\"stage\":\"request\",\"message\":\"").append(method).append(" ").append(route).append(" ").append(status);
  text.append("\",\"fields\":{\"id\":\"").append(id).append("\",\"method\":\"").append(method).append("\",\"route\":\"");
  text.append(route).append("\",\"status\":").append(status).append(",\"us\":").append(std::to_string(line.microseconds));
  text.append(",\"bytes\":").append(std::to_string(line.bytes)).append("}}\n");
}

void RequestLog::Follow() {
  std::vector<Line> lines;
  lines.reserve(kMostWaiting);
  for (bool last = false; !last;) {
    lines.clear();
    {
      std::unique_lock lock(mutex_);
      wake_.wait_for(lock, kPause, [this] { return stop_ || queue_.size() >= kMostWaiting / 2; });
      last = stop_;
      std::swap(lines, queue_);
    }
    if (!lines.empty()) Write(lines);
  }
}

void RequestLog::Write(const std::vector<Line>& lines) {
  const int64_t now = clock_.NowMs();
  if (descriptor_ >= 0 && (bytes_ >= most_bytes_ / kFiles || std::llabs(now - began_ms_) >= kDayMs)) PutAside();
  if (descriptor_ < 0 && !OpenFile(now)) {
    dropped_ += lines.size();
    return;
  }
  std::string text;
  text.reserve(lines.size() * 256);
  for (const Line& line : lines) Append(line, text);
  if (!WriteAll(descriptor_, text)) {
    dropped_ += lines.size();
    return;
  }
  bytes_ += static_cast<int64_t>(text.size());
}

bool RequestLog::OpenFile(int64_t now_ms) {
  std::error_code error;
  fs::create_directories(folder_, error);
  const fs::path file = folder_ / store::kRequestLog;
  // The program that wrote it before may have been killed within a line.
  if (fs::exists(file, error) && fs::file_size(file, error) > 0) {
    began_ms_ = BeginningOf(file, now_ms);
    PutAside();
  }
  began_ms_ = now_ms;
  MakeRoom(now_ms);
  descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  bytes_ = 0;
  return descriptor_ >= 0;
}

void RequestLog::PutAside() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
  std::error_code error;
  fs::path aside;
  // A clock that was set back must not make two files one.
  for (int64_t at = began_ms_; aside.empty() || fs::exists(aside, error); ++at) {
    aside = folder_ / ("requests-" + std::to_string(at) + ".ndjson");
  }
  fs::rename(folder_ / store::kRequestLog, aside, error);
}

void RequestLog::MakeRoom(int64_t now_ms) const {
  struct Old {
    int64_t began_ms = 0, bytes = 0;
    fs::path path;
  };
  std::vector<Old> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("requests-") || !name.ends_with(".ndjson")) continue;
    Old old{.path = entry.path()};
    std::from_chars(name.data() + 9, name.data() + name.size(), old.began_ms);
    old.bytes = static_cast<int64_t>(entry.file_size(error));
    files.push_back(std::move(old));
  }
  std::sort(files.begin(), files.end(), [](const Old& a, const Old& b) { return a.began_ms > b.began_ms; });
  int64_t room = most_bytes_ - most_bytes_ / kFiles;
  for (const Old& file : files) {
    room -= file.bytes;
    // A file has a day of requests, at most, from its beginning on.
    if (room < 0 || now_ms - file.began_ms > keep_ms_ + kDayMs) fs::remove(file.path, error);
  }
}

}  // namespace segue::monitor
