#include "core/result.h"

namespace segue {

std::string_view Name(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return "invalid";
    case ErrorCode::kNotFound: return "not_found";
    case ErrorCode::kCorrupt: return "corrupt";
    case ErrorCode::kIo: return "io";
    case ErrorCode::kNoSpace: return "no_space";
    case ErrorCode::kPermission: return "permission";
    case ErrorCode::kConflict: return "conflict";
    case ErrorCode::kCancelled: return "cancelled";
    case ErrorCode::kUnavailable: return "unavailable";
  }
  return "unknown";
}

Error Error::In(std::string_view doing) const {
  return {code, std::string(doing) + ": " + message};
}

void FailCheck(const char* condition, const char* file, int line, std::string_view detail) {
  std::string message = "bug: expected " + std::string(condition) + " at " + file + ":" +
                        std::to_string(line);
  if (!detail.empty()) message += " (" + std::string(detail) + ")";
  throw Bug(message);
}

}  // namespace segue
