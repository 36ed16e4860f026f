#include "monitor/run_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

namespace segue::monitor {
namespace {

using nlohmann::json;
using std::chrono::steady_clock;

constexpr auto kProgressPause = std::chrono::seconds(1);

/// JSON that never throws: bytes that are not UTF-8 are replaced.
std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

/// Lets one progress line a second a stage pass, and the last one.
class Throttle {
 public:
  bool Pass(std::string_view stage, bool last) {
    const auto now = steady_clock::now();
    auto [it, first] = passed_.try_emplace(std::string(stage), now);
    if (!first && !last && now - it->second < kProgressPause) return false;
    it->second = now;
    return true;
  }

 private:
  std::map<std::string, steady_clock::time_point> passed_;
};

class RunLog final : public Instruments {
 public:
  RunLog(const std::filesystem::path& file, const store::Clock& clock, std::function<bool()> cancelled, Instruments* next)
      : clock_(clock), cancelled_(std::move(cancelled)), next_(next) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  }
  ~RunLog() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void Log(LogLevel level, std::string_view stage, std::string_view message, const json& fields) override {
    WriteLine({{"at", At()}, {"level", Name(level)}, {"stage", stage}, {"message", message}, {"fields", fields}});
    if (next_ != nullptr) next_->Log(level, stage, message, fields);
  }

  void Progress(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit) override {
    bool write = false;
    {
      const std::lock_guard lock(mutex_);
      write = throttle_.Pass(stage, total > 0 && done == total);
    }
    if (write) {
      WriteLine({{"at", At()}, {"level", "debug"}, {"stage", stage}, {"message", "progress"},
                 {"fields", {{"done", done}, {"total", total}, {"unit", unit}}}});
    }
    if (next_ != nullptr) next_->Progress(stage, done, total, unit);
  }

  bool Cancelled() const override { return cancelled_ && cancelled_(); }

 private:
  std::string At() const {
    const int64_t now = clock_.NowMs();
    char millis[8];
    std::snprintf(millis, sizeof millis, ".%03dZ", static_cast<int>(now % 1000));
    std::string text = store::Iso8601(now / 1000);
    return text.substr(0, text.size() - 1) + millis;
  }

  /// One write a line, so that lines of several threads do not mix. A log that
  /// cannot be written must not fail the work.
  void WriteLine(const json& line) {
    if (descriptor_ < 0) return;
    const std::string text = Dump(line) + "\n";
    [[maybe_unused]] const ssize_t written = ::write(descriptor_, text.data(), text.size());
  }

  const store::Clock& clock_;
  std::function<bool()> cancelled_;
  Instruments* next_;
  int descriptor_ = -1;
  std::mutex mutex_;
  Throttle throttle_;
};

class Console final : public Instruments {
 public:
  Console(bool quiet, std::function<bool()> cancelled)
      : quiet_(quiet), bars_(!quiet && ::isatty(STDERR_FILENO) != 0), cancelled_(std::move(cancelled)) {}
  ~Console() override { ClearBar(); }
  Console(const Console&) = delete;
  Console& operator=(const Console&) = delete;

  void Log(LogLevel level, std::string_view stage, std::string_view message, const json& fields) override {
    if (level == LogLevel::kDebug || (quiet_ && level == LogLevel::kInfo)) return;
    const std::lock_guard lock(mutex_);
    ClearBar();
    const bool loud = level == LogLevel::kWarning || level == LogLevel::kError;
    std::string line = std::string(stage) + ": " + (loud ? std::string(Name(level)) + ": " : "") + std::string(message);
    // Figures that fit on the line are shown, nested ones are for the log file.
    if (fields.is_object()) {
      for (const auto& [key, value] : fields.items()) {
        if (value.is_primitive() && !value.is_null()) line += "  " + key + "=" + (value.is_string() ? value.get<std::string>() : Dump(value));
      }
    }
    std::fprintf(stderr, "%s\n", line.c_str());
  }

  void Progress(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit) override {
    if (!bars_) return;
    const std::lock_guard lock(mutex_);
    if (total > 0 && done >= total) {
      ClearBar();
      return;
    }
    constexpr int kWidth = 30;
    const int filled = total == 0 ? 0 : static_cast<int>(done * kWidth / total);
    std::string bar(static_cast<size_t>(filled), '#');
    bar.resize(kWidth, '.');
    std::fprintf(stderr, "\r\033[K%-9s [%s] %llu/%llu %s", std::string(stage).c_str(), bar.c_str(),
                 static_cast<unsigned long long>(done), static_cast<unsigned long long>(total), std::string(unit).c_str());
    std::fflush(stderr);
    bar_shown_ = true;
  }

  bool Cancelled() const override { return cancelled_ && cancelled_(); }

 private:
  void ClearBar() {
    if (!bar_shown_) return;
    std::fprintf(stderr, "\r\033[K");
    bar_shown_ = false;
  }

  bool quiet_;
  bool bars_;
  std::function<bool()> cancelled_;
  std::mutex mutex_;
  bool bar_shown_ = false;
};

class Daemon final : public Instruments {
 public:
  Daemon(const store::Clock& clock, std::function<bool()> cancelled) : clock_(clock), cancelled_(std::move(cancelled)) {}

  void Log(LogLevel level, std::string_view stage, std::string_view message, const json& fields) override {
    if (level == LogLevel::kDebug) return;
    const std::string shown = fields.is_null() || fields.empty() ? "" : " " + Dump(fields);
    std::fprintf(stderr, "%s %-7s %-8s %s%s\n", store::Iso8601(clock_.NowSeconds()).c_str(), std::string(Name(level)).c_str(),
                 std::string(stage).c_str(), std::string(message).c_str(), shown.c_str());
  }

  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
  bool Cancelled() const override { return cancelled_ && cancelled_(); }

 private:
  const store::Clock& clock_;
  std::function<bool()> cancelled_;
};

}  // namespace

std::unique_ptr<Instruments> OpenRunLog(const std::filesystem::path& file, const store::Clock& clock,
                                        std::function<bool()> cancelled, Instruments* next) {
  return std::make_unique<RunLog>(file, clock, std::move(cancelled), next);
}

std::unique_ptr<Instruments> ConsoleInstruments(bool quiet, std::function<bool()> cancelled) {
  return std::make_unique<Console>(quiet, std::move(cancelled));
}

std::unique_ptr<Instruments> DaemonInstruments(const store::Clock& clock, std::function<bool()> cancelled) {
  return std::make_unique<Daemon>(clock, std::move(cancelled));
}

}  // namespace segue::monitor
