#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace segue {

/// A request that was answered, or given up. Nothing of what was asked for but
/// the pattern of its address: no listener, no query, no header, no body.
struct AnsweredRequest {
  std::string_view id;      ///< X-Request-Id
  std::string_view method;
  std::string_view route;   ///< "/v1/tracks/{id}"; "" where nothing answers to the address
  int status = 0;
  uint64_t microseconds = 0;
  uint64_t bytes = 0;       ///< of the answer's body
};

/// Who is told of what the server does; monitor/ implements it. Thread-safe;
/// never waits for a disk or a lock that is held for long.
class RequestObserver {
 public:
  virtual ~RequestObserver() = default;
  virtual void Answered(const AnsweredRequest& request) = 0;
  /// What it knows, in Prometheus' text format, for /metrics.
  virtual std::string Exposition() const = 0;
};

}  // namespace segue
