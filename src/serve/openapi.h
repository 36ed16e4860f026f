#pragma once

#include <span>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "serve/access.h"

// The description of the native API, in OpenAPI 3.1. Its sources are the files of
// serve/openapi/, which are compiled in: base.json has what all share, each other
// file the operations of one tag:
//   {"tag": "Tracks", "paths": {"/v1/tracks": {"get": {...}}}, "schemas": {"Track": {...}}}
// or, as wishes.json, only what several of them share: "parameters", "headers", "schemas".
namespace segue::serve {

/// serve/openapi/*.json.
extern const std::span<const std::string_view> kOpenApiSources;

/// An address that the server answers.
struct Route {
  std::string_view method, pattern;
  Access access;
};

/// The sources as one document. What can be told from the routes is added to each
/// operation, so that the sources need not repeat it: its tag; "x-role" and how to
/// send a token; the answers 400, 401, 403, 404, 413, 415, 429 and the default one, as
/// far as they can occur; the headers of each answer; and for answers that have an
/// ETag, If-None-Match and 304. What a source says itself stays. Operations without a
/// route, and routes without an operation, are left as they are: a test compares them.
/// A source that is no JSON, or tells of a path or component again, is a bug.
nlohmann::ordered_json OpenApiDocument(std::span<const Route> routes);

}  // namespace segue::serve
