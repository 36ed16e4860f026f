#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"
#include "store/access.h"

namespace segue::serve {

/// Who sent a request, as serve/access.h finds out.
struct Caller {
  bool known = false;                         ///< false: the rest means nothing
  store::Role role = store::Role::kRead;
  std::string token_id;                       ///< "" without a token
  std::string name;                           ///< the token's, for people: "phone", "loopback"
  std::string listener;                       ///< whom the token belongs to; "" nobody
};

/// Names and values in their order; a name may come again.
using Parameters = std::vector<std::pair<std::string, std::string>>;

/// How much a caller may still ask (serve/rate_limit.h).
struct Allowance {
  bool granted = true;
  int64_t limit = 0;        ///< requests a minute; 0: there is no limit, and the rest means nothing
  int64_t remaining = 0;
  int64_t reset_in_s = 0;   ///< seconds until all is there again, rounded up; where refused: until one is
};

struct Request {
  std::string method;                         ///< "GET", ...
  std::string target;                         ///< as it came
  std::vector<std::string> path;              ///< decoded parts: /v1/tracks/t1 -> {"v1","tracks","t1"}
  std::map<std::string, std::string> query;   ///< decoded; of a repeated name the last
  Parameters parameters;                      ///< the query with all that is repeated
  std::string body;
  std::string authorization;
  std::string signature;                      ///< X-Segue-Signature
  std::string api_key;                        ///< X-API-Key
  std::string api_version;                    ///< X-API-Version
  std::string if_none_match;                  ///< If-None-Match
  std::string accept;                         ///< Accept
  std::string content_type;                   ///< Content-Type
  std::string host;                           ///< Host
  std::string origin;                         ///< Origin: the site whose page sent it; "" not a browser, or the same site
  bool origin_is_named = false;               ///< in serve.cors_origins
  std::string address;                        ///< the sender's, without the port
  bool loopback = false;                      ///< the sender is on this machine
  bool tls = false;
  Caller caller;
  Allowance allowance;
  std::string id;                             ///< X-Request-Id: the client's own where it is well-formed
  std::string_view route;                     ///< "/v1/tracks/{id}"; "" where nothing answers to the path
};

struct Response {
  int status = 200;
  std::string body;
  std::string type = "application/json";
  std::string allow;                          ///< for 405
  std::vector<std::pair<std::string, std::string>> headers;  ///< others
  std::string subject;                        ///< what an admin's request was about, for the audit
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

/// May an X-Request-Id be taken over from a client? 1 to 64 letters, digits, '.',
/// '_', ':' and '-': what logs and headers carry without escapes.
bool IsRequestId(std::string_view text);

/// May a body that is said to be of this type be read as JSON? Types of JSON may;
/// "" and what programs say where nobody tells them what they send (curl's -d: a form,
/// fetch: text/plain) may too.
bool MayBeJson(std::string_view content_type);

/// Does a decoded path fit "/v1/tracks/{id}"? A part in braces fits any one
/// part; "{name}" at the end, after "inbox", fits one or more.
bool Matches(std::string_view pattern, const std::vector<std::string>& path);

/// Splits and decodes path and query; kInvalid for what is not a clean path
/// ("..", empty parts, bad escapes, NUL, bytes that are no UTF-8).
Status ParseTarget(std::string_view target, Request& request);

/// The address as logs and answers may show it: values of parameters that hold
/// secrets ("token", "sk", "a", ...) are replaced by "...".
std::string ShownTarget(std::string_view target);

/// "a=1&b=2", decoded, as queries and forms have it.
/// kInvalid for bad escapes, NUL, and bytes that are no UTF-8.
Result<Parameters> ParseParameters(std::string_view text, const std::string& what);

/// The same by name; of a repeated name the last.
Result<std::map<std::string, std::string>> ParseForm(std::string_view text, const std::string& what);

/// A field of a form or query; "" where it is not there.
std::string FieldOf(const std::map<std::string, std::string>& form, const std::string& name);

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
