#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "serve/http.h"

// Last.fm's answers: one tree, which clients get as XML or, with format=json,
// as the JSON that Last.fm derives from it.
namespace segue::serve {

struct Element {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;
  std::vector<Element> children;
  bool list = false;  ///< in JSON its children of one name are an array, were it one or none
  std::string of;     ///< the name of a list's children
};

/// <?xml ...?><lfm status="ok">...</lfm>, or {"name": ...}. In JSON an element
/// with neither attributes nor children is its text; attributes go beside
/// "#text", or into "@attr" where the element has children; several children of
/// one name are an array.
Response LastFmAnswer(const Element& element, bool as_json);

/// <lfm status="failed"><error code="6">why</error></lfm>, or {"error":6,"message":why},
/// with the HTTP status that Last.fm has for the code.
Response LastFmError(int code, std::string_view why, bool as_json);

}  // namespace segue::serve
