#include "serve/dialects/lastfm_answer.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "serve/record_json.h"

namespace segue::serve {
namespace {

using nlohmann::json;

std::string Escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '"': out += "&quot;"; break;
      default:
        // XML 1.0 has no other control characters, escaped or not.
        if (static_cast<unsigned char>(c) >= 0x20 || c == '\t' || c == '\n' || c == '\r') out += c;
    }
  }
  return out;
}

void AppendXml(const Element& element, std::string& out) {
  out += "<" + element.name;
  for (const auto& [name, value] : element.attributes) out += " " + name + "=\"" + Escaped(value) + "\"";
  out += ">" + Escaped(element.text);
  for (const Element& child : element.children) AppendXml(child, out);
  out += "</" + element.name + ">";
}

/// Counts are numbers in Last.fm's JSON, all else is text.
json ValueJson(const std::string& name, const std::string& value) {
  if (name == "accepted" || name == "ignored") return std::stoll(value);
  return value;
}

json ToJson(const Element& element) {
  if (element.attributes.empty() && element.children.empty() && !element.list) return element.text;
  json object = json::object();
  if (element.children.empty() && !element.list) {
    for (const auto& [name, value] : element.attributes) object[name] = value;
    object["#text"] = element.text;
    return object;
  }
  if (element.list) object[element.of] = json::array();
  for (const Element& child : element.children) {
    json value = ToJson(child);
    const auto same = object.find(child.name);
    if (same == object.end()) {
      object[child.name] = std::move(value);
      continue;
    }
    if (!same->is_array()) *same = json::array({*same});
    same->push_back(std::move(value));
  }
  for (const auto& [name, value] : element.attributes) object["@attr"][name] = ValueJson(name, value);
  return object;
}

int StatusOf(int code) {
  switch (code) {
    case 4: case 9: case 10: case 13: case 14: case 15: case 17: case 26: return 403;
    case 29: return 429;
    case 8: return 500;
    case 11: case 16: return 503;
    default: return 400;
  }
}

Response Xml(std::string_view status, const std::string& body) {
  return {.body = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<lfm status=\"" + std::string(status) + "\">" + body + "</lfm>\n",
          .type = "text/xml; charset=utf-8"};
}

}  // namespace

Response LastFmAnswer(const Element& element, bool as_json) {
  if (as_json) return Json({{element.name, ToJson(element)}});
  std::string body;
  AppendXml(element, body);
  return Xml("ok", body);
}

Response LastFmError(int code, std::string_view why, bool as_json) {
  if (as_json) return Json({{"error", code}, {"message", why}}, StatusOf(code));
  std::string body;
  AppendXml({.name = "error", .attributes = {{"code", std::to_string(code)}}, .text = std::string(why)}, body);
  Response response = Xml("failed", body);
  response.status = StatusOf(code);
  return response;
}

}  // namespace segue::serve
