#include "serve/openapi.h"

#include <algorithm>
#include <cctype>
#include <string>

#include <nlohmann/json.hpp>

#include "core/check.h"
#include "serve/conditional.h"

namespace segue::serve {
namespace {

using json = nlohmann::ordered_json;

json Reference(const std::string& what) { return {{"$ref", "#/components/" + what}}; }

/// Who may, as "x-role" tells it.
std::string_view RoleOf(Access access) {
  switch (access) {
    case Access::kOpen: return "none";
    case Access::kRead: return "read";
    case Access::kOwn: return "read, or listen for its own listener";
    case Access::kOwner: return "admin, or listen for its own listener";
    case Access::kOwnChange: return "listen, for its own listener where it has one";
    case Access::kAny: return "any; listen for its own listener where it has one";
    case Access::kListen: return "listen";
    case Access::kAdmin: return "admin";
    case Access::kItself: return "as described";
  }
  return "";
}

/// Adds each member of `from`, which `into` must not have.
void Merge(json& into, const json& from) {
  for (const auto& [name, value] : from.items()) {
    SEGUE_CHECK(!into.contains(name));
    into[name] = value;
  }
}

json Merged() {
  json document = json::object(), paths = json::object(), components = json::object();
  for (const std::string_view source : kOpenApiSources) {
    json part = json::parse(source);
    if (part.contains("openapi")) {
      document = std::move(part);
      continue;
    }
    for (auto& [path, operations] : part["paths"].items()) {
      for (auto& [method, operation] : operations.items()) operation["tags"] = json::array({part["tag"]});
    }
    Merge(paths, part["paths"]);
    for (const char* kind : {"parameters", "headers", "schemas"}) {
      if (part.contains(kind)) Merge(components[kind], part[kind]);
    }
  }
  document["paths"] = std::move(paths);
  for (const auto& [kind, named] : components.items()) Merge(document["components"][kind], named);
  return document;
}

/// Has it a parameter there ("path", "query")?
bool HasParameter(const json& document, const json& operation, std::string_view where) {
  if (!operation.contains("parameters")) return false;
  const json& parameters = operation["parameters"];
  return std::any_of(parameters.begin(), parameters.end(), [&](const json& one) {
    const json& parameter = one.contains("$ref") ? document.at(json::json_pointer(one["$ref"].get<std::string>().substr(1))) : one;
    return parameter["in"] == where;
  });
}

void AddAnswers(const Route& route, const json& document, json& operation) {
  json& answers = operation["responses"];
  const auto add = [&](const std::string& status, const char* name) {
    if (!answers.contains(status)) answers[status] = Reference(std::string("responses/") + name);
  };
  const bool body = operation.contains("requestBody");
  if (body || HasParameter(document, operation, "query")) add("400", "BadRequest");
  if (route.access != Access::kOpen && route.access != Access::kItself) {
    add("401", "Unauthorized");
    add("403", "Forbidden");
    add("429", "TooManyRequests");
  }
  if (HasParameter(document, operation, "path")) add("404", "NotFound");
  if (body) add("413", "TooLarge");
  if (body && operation["requestBody"]["content"].contains("application/json")) add("415", "NotJson");
  add("default", "Failed");
}

void AddHeaders(const Route& route, json& operation) {
  const bool kept = route.method == "GET" && IsKept(route.pattern);
  if (kept) {
    operation["parameters"].push_back(Reference("parameters/IfNoneMatch"));
    operation["responses"]["304"] = {{"description", "Nothing has changed since the answer with that ETag."}};
  }
  for (auto& [status, answer] : operation["responses"].items()) {
    if (answer.contains("$ref")) continue;
    json& headers = answer["headers"];
    headers["X-Request-Id"] = Reference("headers/X-Request-Id");
    if (kept) headers["ETag"] = Reference("headers/ETag");
    if (route.access == Access::kOpen) continue;
    for (const char* name : {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset-In", "X-RateLimit-Reset"}) {
      headers[name] = Reference(std::string("headers/") + name);
    }
  }
}

}  // namespace

json OpenApiDocument(std::span<const Route> routes) {
  json document = Merged();
  for (const Route& route : routes) {
    std::string method(route.method);
    std::transform(method.begin(), method.end(), method.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const std::string path(route.pattern);
    if (!document["paths"].contains(path) || !document["paths"][path].contains(method)) continue;
    json& operation = document["paths"][path][method];
    if (!operation.contains("x-role")) operation["x-role"] = RoleOf(route.access);
    if (route.access == Access::kOpen) operation["security"] = json::array();
    AddAnswers(route, document, operation);
    AddHeaders(route, operation);
  }
  return document;
}

}  // namespace segue::serve
