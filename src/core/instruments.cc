#include "core/instruments.h"

#include <nlohmann/json.hpp>

namespace segue {

std::string_view Name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "unknown";
}

void Instruments::Info(std::string_view stage, std::string_view message) {
  Log(LogLevel::kInfo, stage, message, nlohmann::json());
}

void Instruments::Warn(std::string_view stage, std::string_view message) {
  Log(LogLevel::kWarning, stage, message, nlohmann::json());
}

}  // namespace segue
