#pragma once

#include <cstdint>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace segue {

enum class LogLevel { kDebug, kInfo, kWarning, kError };

std::string_view Name(LogLevel level);

/// What every stage carries: a log, progress, and a way to be asked to stop.
/// Handed in; monitor/ implements it. All calls are thread-safe and cheap
/// enough for a few hundred a second.
class Instruments {
 public:
  virtual ~Instruments() = default;

  /// One structured line. `fields` is a JSON object (may be null).
  virtual void Log(LogLevel level, std::string_view stage, std::string_view message,
                   const nlohmann::json& fields) = 0;

  /// `done` of `total` (0: unknown) of `unit` ("files", "epochs") so far.
  virtual void Progress(std::string_view stage, uint64_t done, uint64_t total,
                        std::string_view unit) = 0;

  /// True once the work should end; a stage then returns kCancelled soon.
  virtual bool Cancelled() const = 0;

  void Info(std::string_view stage, std::string_view message);
  void Info(std::string_view stage, std::string_view message, const nlohmann::json& fields) {
    Log(LogLevel::kInfo, stage, message, fields);
  }
  void Warn(std::string_view stage, std::string_view message);
  void Warn(std::string_view stage, std::string_view message, const nlohmann::json& fields) {
    Log(LogLevel::kWarning, stage, message, fields);
  }
};

/// Says nothing, never cancels. For tests and for one-off commands.
class NoInstruments final : public Instruments {
 public:
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
  bool Cancelled() const override { return false; }
};

}  // namespace segue
