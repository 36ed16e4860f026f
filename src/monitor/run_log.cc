#include "monitor/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <map>
#include <mutex>
#include <system_error>

#include <nlohmann/json.hpp>

#include "monitor/lines.h"

namespace segue::monitor {
namespace {

constexpr int64_t kProgressEveryMs = 1000;

class RunLog final : public Instruments {
 public:
  RunLog(const std::filesystem::path& file, const store::Clock& clock, std::function<bool()> cancelled,
         Instruments* next)
      : clock_(clock), cancelled_(std::move(cancelled)), next_(next) {
    std::error_code error;
    std::filesystem::create_directories(file.parent_path(), error);
    descriptor_ = ::open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (descriptor_ < 0) {
      const std::string why = std::generic_category().message(errno);
      if (next_ != nullptr) {
        next_->Warn("log", file.string() + " cannot be written; this run is not logged: " + why);
      }
      return;
    }
    EndTornLine(file);
  }
  ~RunLog() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  void Log(LogLevel level, std::string_view stage, std::string_view message, const nlohmann::json& fields) override {
    Write(level, stage, message, fields);
    if (next_ != nullptr) next_->Log(level, stage, message, fields);
  }

  void Progress(std::string_view stage, uint64_t done, uint64_t total, std::string_view unit) override {
    if (Due(stage)) {
      Write(LogLevel::kDebug, stage, "progress", {{"done", done}, {"total", total}, {"unit", unit}});
    }
    if (next_ != nullptr) next_->Progress(stage, done, total, unit);
  }

  bool Cancelled() const override {
    return (cancelled_ && cancelled_()) || (next_ != nullptr && next_->Cancelled());
  }

 private:
  /// A power cut or full disk may have left half a line; what follows must not join it.
  void EndTornLine(const std::filesystem::path& file) {
    const int reader = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
    if (reader < 0) return;
    char last = '\n';
    const off_t size = ::lseek(reader, 0, SEEK_END);
    if (size > 0 && ::pread(reader, &last, 1, size - 1) == 1 && last != '\n') WriteAll(descriptor_, "\n");
    ::close(reader);
  }

  bool Due(std::string_view stage) {
    const std::lock_guard lock(mutex_);
    const int64_t now = clock_.NowMs();
    const auto [last, first] = last_progress_.try_emplace(std::string(stage), now);
    // A clock set back must not silence a stage.
    if (!first && now >= last->second && now - last->second < kProgressEveryMs) return false;
    last->second = now;
    return true;
  }

  void Write(LogLevel level, std::string_view stage, std::string_view message, const nlohmann::json& fields) {
    if (descriptor_ < 0) return;
    nlohmann::ordered_json line = {{"at", Timestamp(clock_.NowMs())},
                                   {"level", Name(level)},
                                   {"stage", stage},
                                   {"message", message},
                                   {"fields", fields.is_null() ? nlohmann::json::object() : fields}};
    const std::string text = line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
    const std::lock_guard lock(mutex_);
    WriteAll(descriptor_, text);  // A log that cannot be written never fails the work.
  }

  const store::Clock& clock_;
  const std::function<bool()> cancelled_;
  Instruments* const next_;
  int descriptor_ = -1;
  std::mutex mutex_;
  std::map<std::string, int64_t, std::less<>> last_progress_;
};

}  // namespace

std::unique_ptr<Instruments> OpenRunLog(const std::filesystem::path& file, const store::Clock& clock,
                                        std::function<bool()> cancelled, Instruments* next) {
  return std::make_unique<RunLog>(file, clock, std::move(cancelled), next);
}

}  // namespace segue::monitor
