#include "serve/http.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "core/text.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kLongestRequestId = 64;

int Digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Status ParsePath(std::string_view path, Request& request) {
  if (path.empty() || path.front() != '/') return Error{ErrorCode::kInvalid, "the address does not start with /"};
  path.remove_prefix(1);
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    SEGUE_TRY(std::string part, DecodePercent(path.substr(0, slash), false, "the address"));
    if (part.empty() || part == "." || part == "..") {
      return Error{ErrorCode::kInvalid, "the path has an empty, '.' or '..' part"};
    }
    request.path.push_back(std::move(part));
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return {};
}

int StatusOf(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalid: return 400;
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kConflict: return 409;
    case ErrorCode::kPermission: return 403;
    case ErrorCode::kNoSpace: return 507;
    case ErrorCode::kUnavailable:
    case ErrorCode::kCancelled: return 503;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo: return 500;
  }
  return 500;
}

const char* TitleOf(int status) {
  switch (status) {
    case 400: return "Bad request";
    case 401: return "Unauthorized";
    case 403: return "Not allowed";
    case 404: return "Not found";
    case 409: return "Conflict";
    case 503: return "Not available now";
    case 507: return "The disk is full";
    default: return "Something went wrong";
  }
}

}  // namespace

Result<std::string> DecodePercent(std::string_view text, bool plus_is_space, const std::string& what) {
  std::string decoded;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] == '%') {
      const int high = i + 2 < text.size() ? Digit(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? Digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) return Error{ErrorCode::kInvalid, what + " has a broken % escape"};
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    } else {
      decoded += text[i];
    }
  }
  if (decoded.find('\0') != std::string::npos) return Error{ErrorCode::kInvalid, what + " has a NUL"};
  bool changed = false;
  ToUtf8(decoded, &changed);
  if (changed) return Error{ErrorCode::kInvalid, what + " is not UTF-8"};
  return decoded;
}

Response Problem(int status, std::string_view title, std::string_view detail) {
  const json body = {{"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  return {.status = status,
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace),
          .type = "application/problem+json"};
}

Response ProblemOf(const Error& error) {
  const int status = StatusOf(error.code);
  return Problem(status, TitleOf(status), error.message);
}

void NameInstance(Response& response, const Request& request) {
  if (response.type != "application/problem+json") return;
  json body = json::parse(response.body, nullptr, false);
  if (!body.is_object()) return;
  body["instance"] = ShownTarget(request.target);
  body["request_id"] = request.id;
  response.body = body.dump(-1, ' ', false, json::error_handler_t::replace);
}

bool IsRequestId(std::string_view text) {
  const auto fits = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '_' || c == ':' || c == '-'; };
  return !text.empty() && text.size() <= kLongestRequestId && std::all_of(text.begin(), text.end(), fits);
}

bool MayBeJson(std::string_view content_type) {
  std::string type(Trimmed(content_type.substr(0, content_type.find(';'))));
  std::transform(type.begin(), type.end(), type.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  static constexpr std::array<std::string_view, 4> kTypes = {"", "application/json", "application/x-www-form-urlencoded", "text/plain"};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end() || (type.starts_with("application/") && type.ends_with("+json"));
}

std::string ShownTarget(std::string_view target) {
  // Tokens and session keys of the dialects, in the names that these give them.
  static constexpr std::array<std::string_view, 9> kSecrets = {"token", "sk", "s", "a", "api_sig", "password", "authToken", "api_key", "key"};
  const size_t mark = std::min(target.find('?'), target.size());
  std::string shown(target.substr(0, mark));
  for (std::string_view rest = target.substr(mark); !rest.empty();) {
    const size_t end = std::min(rest.find('&', 1), rest.size());
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view name = pair.substr(1, equals - std::min<size_t>(equals, 1));
    const bool secret = std::find(kSecrets.begin(), kSecrets.end(), name) != kSecrets.end();
    shown += secret ? std::string(pair.substr(0, equals)) + "=..." : std::string(pair);
    rest.remove_prefix(end);
  }
  return shown;
}

bool Matches(std::string_view pattern, const std::vector<std::string>& path) {
  pattern.remove_prefix(1);
  size_t i = 0;
  for (; !pattern.empty(); ++i) {
    const std::string_view part = pattern.substr(0, pattern.find('/'));
    pattern.remove_prefix(std::min(part.size() + 1, pattern.size()));
    if (i == path.size()) return false;
    if (part == "{name}") return true;
    if (part.front() != '{' && part != path[i]) return false;
  }
  return i == path.size();
}

Result<json> ParseObject(std::string_view body) {
  try {
    json parsed = json::parse(body);
    if (parsed.is_object()) return parsed;
    return Error{ErrorCode::kInvalid, "the body is not a JSON object"};
  } catch (const json::parse_error& error) {
    return Error{ErrorCode::kInvalid, "the body is not JSON: byte " + std::to_string(error.byte) + " does not fit"};
  }
}

Status ParseTarget(std::string_view target, Request& request) {
  request.target = std::string(target);
  target = target.substr(0, target.find('#'));
  const size_t mark = std::min(target.find('?'), target.size());
  SEGUE_RETURN_IF_ERROR(ParsePath(target.substr(0, mark), request));
  SEGUE_TRY(request.parameters, ParseParameters(target.substr(std::min(mark + 1, target.size())), "the address"));
  for (const auto& [name, value] : request.parameters) request.query[name] = value;
  return {};
}

Result<Parameters> ParseParameters(std::string_view text, const std::string& what) {
  Parameters parameters;
  while (!text.empty()) {
    const size_t end = std::min(text.find('&'), text.size());
    const std::string_view pair = text.substr(0, end);
    const size_t equals = std::min(pair.find('='), pair.size());
    SEGUE_TRY(std::string name, DecodePercent(pair.substr(0, equals), true, what));
    SEGUE_TRY(std::string value, DecodePercent(pair.substr(std::min(equals + 1, pair.size())), true, what));
    parameters.emplace_back(std::move(name), std::move(value));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parameters;
}

Result<std::map<std::string, std::string>> ParseForm(std::string_view text, const std::string& what) {
  SEGUE_TRY(Parameters parameters, ParseParameters(text, what));
  std::map<std::string, std::string> form;
  for (auto& [name, value] : parameters) form[std::move(name)] = std::move(value);
  return form;
}

std::string FieldOf(const std::map<std::string, std::string>& form, const std::string& name) {
  const auto it = form.find(name);
  return it == form.end() ? std::string() : it->second;
}

Result<int64_t> QueryNumber(const Request& request, const std::string& name, int64_t missing, int64_t least, int64_t most) {
  const auto it = request.query.find(name);
  if (it == request.query.end()) return missing;
  int64_t value = 0;
  const std::string& text = it->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < least || value > most) {
    return Error{ErrorCode::kInvalid, "parameter '" + name + "' is '" + text + "', expected a whole number from " +
                                          std::to_string(least) + " to " + std::to_string(most)};
  }
  return value;
}

}  // namespace segue::serve
