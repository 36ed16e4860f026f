#include "monitor/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <mutex>
#include <string>

#include <nlohmann/json.hpp>

#include "monitor/lines.h"
#include "monitor/run_log.h"

namespace segue::monitor {
namespace {

using std::chrono::steady_clock;

// A person reads ten redraws a second as smooth, and a log file's reader wants
// few lines. Only how output looks depends on this clock.
constexpr auto kRedraw = std::chrono::milliseconds(100);
constexpr auto kPlainLine = std::chrono::seconds(10);
constexpr std::string_view kEraseLine = "\r\x1b[K";

std::string_view Prefix(LogLevel level) {
  if (level == LogLevel::kWarning) return "warning: ";
  if (level == LogLevel::kError) return "error: ";
  return "";
}

class ConsoleWriter final : public Instruments {
 public:
  explicit ConsoleWriter(Console console) : console_(std::move(console)) {}
  ~ConsoleWriter() override {
    if (!bar_.empty()) WriteAll(console_.descriptor, kEraseLine);
  }

  void Log(LogLevel level, std::string_view stage, std::string_view message, const nlohmann::json&) override {
    if (level == LogLevel::kDebug || (console_.quiet && level < LogLevel::kWarning)) return;
    std::string line = std::string(Prefix(level)) + Printable(stage, false) + ": " + Printable(message, true) + "\n";
    const std::lock_guard lock(mutex_);
    // The bar goes down a line: erase, write the message, draw it again.
    if (!bar_.empty()) line = std::string(kEraseLine) + line + bar_;
    WriteAll(console_.descriptor, line);
  }

  void Progress(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit) override {
    if (console_.quiet) return;
    const std::lock_guard lock(mutex_);
    const bool finished = total > 0 && done >= total;
    const auto now = steady_clock::now();
    const auto [last, first] = drawn_.try_emplace(std::string(stage), now);
    if (console_.terminal) {
      if (!first && !finished && now - last->second < kRedraw) return;
      last->second = now;
      const std::string line = ProgressLine(stage, done, total, unit, console_.columns - 1);
      WriteAll(console_.descriptor, std::string(kEraseLine) + line + (finished ? "\n" : ""));
      bar_ = finished ? "" : line;
    } else if (!first && now - last->second >= kPlainLine) {
      last->second = now;
      WriteAll(console_.descriptor, ProgressLine(stage, done, total, unit, 200) + "\n");
    }
    if (finished) drawn_.erase(last);
  }

  bool Cancelled() const override { return console_.cancelled && console_.cancelled(); }

 private:
  const Console console_;
  std::mutex mutex_;
  std::string bar_;  // what stands at the foot of the terminal; "" nothing
  std::map<std::string, steady_clock::time_point, std::less<>> drawn_;
};

class Daemon final : public Instruments {
 public:
  Daemon(const store::Clock& clock, std::function<bool()> cancelled)
      : clock_(clock), cancelled_(std::move(cancelled)) {}

  void Log(LogLevel level, std::string_view stage, std::string_view message, const nlohmann::json& fields) override {
    if (level == LogLevel::kDebug) return;
    const std::string line = Timestamp(clock_.NowMs()) + " " + std::string(Name(level)) + " " +
                             Printable(stage, false) + ": " + Printable(message, false) + FieldsOnOneLine(fields) +
                             "\n";
    const std::lock_guard lock(mutex_);
    WriteAll(STDERR_FILENO, line);
  }

  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}

  bool Cancelled() const override { return cancelled_ && cancelled_(); }

 private:
  const store::Clock& clock_;
  const std::function<bool()> cancelled_;
  std::mutex mutex_;
};

}  // namespace

std::unique_ptr<Instruments> MakeConsole(Console console) {
  return std::make_unique<ConsoleWriter>(std::move(console));
}

std::unique_ptr<Instruments> ConsoleInstruments(bool quiet, std::function<bool()> cancelled) {
  Console console;
  console.terminal = ::isatty(STDERR_FILENO) == 1;
  winsize size{};
  if (console.terminal && ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
    console.columns = size.ws_col;
  }
  console.quiet = quiet;
  console.cancelled = std::move(cancelled);
  return MakeConsole(std::move(console));
}

std::unique_ptr<Instruments> DaemonInstruments(const store::Clock& clock, std::function<bool()> cancelled) {
  return std::make_unique<Daemon>(clock, std::move(cancelled));
}

}  // namespace segue::monitor
