#include "serve/openapi.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <set>

#include "serve/api.h"
#include "serve/conditional.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

std::set<std::string> Described(const json& document) {
  std::set<std::string> operations;
  for (const auto& [path, methods] : document["paths"].items()) {
    for (const auto& [method, operation] : methods.items()) operations.insert(method + " " + path);
  }
  return operations;
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

/// Calls `see` with every value of a JSON tree.
void Walk(const json& value, const std::function<void(const json&)>& see) {
  see(value);
  if (!value.is_structured()) return;
  for (const json& inner : value) Walk(inner, see);
}

TEST_F(Serving, TheDescriptionHasEveryRouteAndNoOther) {
  Start();
  const Answer answer = Ask("GET", "/openapi.json");
  ASSERT_EQ(answer.status, 200);
  EXPECT_NE(answer.head.find("Content-Type: application/json"), std::string::npos) << answer.head;
  std::set<std::string> routes;
  for (const Route& route : Api::OwnRoutes()) routes.insert(Lower(route.method) + " " + std::string(route.pattern));
  EXPECT_EQ(Described(answer.Json()), routes);
}

TEST_F(Serving, EachOperationOfTheDescriptionSaysWhoMayAndWhatItsAddressTakes) {
  Start();
  const json document = Get("/openapi.json");
  std::set<std::string> tags, ids;
  for (const json& tag : document["tags"]) tags.insert(tag["name"].get<std::string>());
  for (const Route& route : Api::OwnRoutes()) {
    const std::string where = std::string(route.method) + " " + std::string(route.pattern);
    const json& operation = document["paths"][std::string(route.pattern)][Lower(route.method)];
    EXPECT_TRUE(tags.contains(operation["tags"][0])) << where;
    EXPECT_TRUE(ids.insert(operation["operationId"]).second) << where;
    EXPECT_FALSE(operation["summary"].get<std::string>().empty()) << where;
    EXPECT_EQ(operation["x-role"] == "admin", route.access == Access::kAdmin) << where;
    EXPECT_TRUE(route.access != Access::kOpen || operation["x-role"] == "none") << where;
    EXPECT_EQ(operation["responses"].contains("304"), route.method == "GET" && IsKept(route.pattern)) << where;
    EXPECT_TRUE(route.pattern.find('{') == std::string_view::npos || operation["responses"].contains("404")) << where;
  }
}

/// What a reference leads to.
const json& Resolved(const json& document, const json& value) {
  if (!value.contains("$ref")) return value;
  return Resolved(document, document.at(json::json_pointer(value["$ref"].get<std::string>().substr(1))));
}

/// The names of an address's query, those of an object that is spread over it among them.
std::set<std::string> QueryNames(const json& document, const json& operation) {
  std::set<std::string> names;
  for (const json& one : operation["parameters"]) {
    const json& parameter = Resolved(document, one);
    if (parameter["in"] != "query") continue;
    const json& schema = Resolved(document, parameter["schema"]);
    if (!schema.contains("properties")) names.insert(parameter["name"].get<std::string>());
    else for (const auto& [name, property] : schema["properties"].items()) names.insert(name);
  }
  return names;
}

/// The names in a refusal: "... there are n, mode, and _min and _max of energy, key".
std::set<std::string> KnownNames(const std::string& detail) {
  const std::string begin = "there are ", ranges = "and _min and _max of ";
  std::set<std::string> names;
  bool features = false;
  for (size_t at = detail.find(begin) + begin.size(); at < detail.size();) {
    const size_t comma = std::min(detail.find(", ", at), detail.size());
    std::string name = detail.substr(at, comma - at);
    if (name.starts_with(ranges)) {
      features = true;
      name = name.substr(ranges.size());
    }
    if (features) names.insert({name + "_min", name + "_max"});
    else names.insert(name);
    at = comma + 2;
  }
  return names;
}

TEST_F(Serving, TheDescriptionNamesTheWishesThatAreReadAndNoOther) {
  Start();
  const json document = Get("/openapi.json");
  const Answer refused = Ask("GET", "/v1/listeners/anna/recommendations?odd=1");
  ASSERT_EQ(refused.status, 400);
  std::set<std::string> known = KnownNames(refused.Json()["detail"]);
  ASSERT_TRUE(known.contains("energy_min")) << refused.body;
  known.insert("format");
  EXPECT_EQ(QueryNames(document, document["paths"]["/v1/listeners/{id}/recommendations"]["get"]), known);
  for (const char* not_of_radios : {"seeds", "diversity", "novelty"}) known.erase(not_of_radios);
  known.insert({"seed", "listener"});
  EXPECT_EQ(QueryNames(document, document["paths"]["/v1/tracks/{id}/radio"]["get"]), known);
}

TEST_F(Serving, EveryReferenceOfTheDescriptionLeadsSomewhere) {
  Start();
  const json document = Get("/openapi.json");
  std::set<std::string> used;
  Walk(document, [&](const json& value) {
    if (!value.is_object() || !value.contains("$ref") || !value["$ref"].is_string()) return;
    const std::string pointer = value["$ref"].get<std::string>().substr(1);
    EXPECT_TRUE(document.contains(json::json_pointer(pointer))) << pointer;
    used.insert(pointer);
  });
  for (const auto& [name, schema] : document["components"]["schemas"].items()) {
    EXPECT_TRUE(used.contains("/components/schemas/" + name)) << name << " is used by nothing";
  }
}

TEST_F(Serving, TheReadableDescriptionAsksNoOtherHostAndNeedsNoToken) {
  settings_.token = "of the test";
  Start();
  const Answer page = Ask("GET", "/docs");
  ASSERT_EQ(page.status, 200);
  EXPECT_NE(page.head.find("Content-Type: text/html"), std::string::npos);
  for (const char* outside : {"http://", "https://", "src=\"//", "@import", "url("}) EXPECT_EQ(page.body.find(outside), std::string::npos) << outside;
  EXPECT_NE(page.body.find("openapi.json"), std::string::npos);
  EXPECT_EQ(Ask("GET", "/openapi.json").status, 200);
}

TEST_F(Serving, AnUnchangedDescriptionIsNotSentAgain) {
  Start();
  const Answer first = Ask("GET", "/openapi.json");
  const size_t at = first.head.find("ETag: ");
  ASSERT_NE(at, std::string::npos);
  const std::string tag = first.head.substr(at + 6, first.head.find('\r', at) - at - 6);
  EXPECT_EQ(Ask("GET", "/openapi.json", "", "If-None-Match: " + tag + "\r\n").status, 304);
}

}  // namespace
}  // namespace segue::serve
