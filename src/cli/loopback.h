#pragma once

#include <string>

#include "core/result.h"

namespace segue::cli {

struct Reply {
  int status = 0;
  std::string body;
};

/// One GET to a Segue on this machine. `address` as serve.listen. Waits
/// `timeout_s` at most. kUnavailable where nobody answers.
Result<Reply> GetFrom(const std::string& address, const std::string& path, const std::string& token,
                      int timeout_s = 5);

}  // namespace segue::cli
