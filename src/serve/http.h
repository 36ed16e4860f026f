#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"

namespace segue::serve {

struct Request {
  std::string method;                         ///< "GET", ...
  std::string target;                         ///< as it came
  std::vector<std::string> path;              ///< decoded parts: /v1/tracks/t1 -> {"v1","tracks","t1"}
  std::map<std::string, std::string> query;   ///< decoded
  std::string body;
  std::string authorization;
  std::string signature;                      ///< X-Segue-Signature
  std::string id;                             ///< X-Request-Id
  std::string_view route;                     ///< "/v1/tracks/{id}"; "" where nothing answers to the path
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::string allow;                          ///< for 405
  /// Where set, the answer is not there yet: asked each few milliseconds
  /// without holding a thread, until it gives one.
  std::function<std::optional<Response>()> later;
};

/// application/problem+json (RFC 9457).
Response Problem(int status, std::string_view title, std::string_view detail);

/// The problem that stands for an Error: its status by code.
Response ProblemOf(const Error& error);

/// Where the response is a problem: adds "instance", the address as it was
/// asked for, and "request_id".
void NameInstance(Response& response, const Request& request);

/// Does a decoded path fit "/v1/tracks/{id}"? A part in braces fits any one
/// part; "{name}" at the end, after "inbox", fits one or more.
bool Matches(std::string_view pattern, const std::vector<std::string>& path);

/// Splits and decodes path and query; kInvalid for what is not a clean path
/// ("..", empty parts, bad escapes, NUL, bytes that are no UTF-8).
Status ParseTarget(std::string_view target, Request& request);

/// A JSON object; kInvalid with the byte at which the text stops to be JSON.
Result<nlohmann::json> ParseObject(std::string_view body);

/// Percent escapes decoded, and '+' as a blank where told; kInvalid for broken
/// escapes, NUL, and bytes that are no UTF-8. `what` names the text in errors.
Result<std::string> DecodePercent(std::string_view text, bool plus_is_space, const std::string& what);

/// A whole number from the query; `missing` where it is not given; kInvalid,
/// naming it, where it is not one or out of range.
Result<int64_t> QueryNumber(const Request& request, const std::string& name, int64_t missing, int64_t least,
                            int64_t most);

}  // namespace segue::serve
