#include "serve/conditional.h"

#include <algorithm>
#include <array>

#include "core/hash.h"
#include "core/text.h"

namespace segue::serve {
namespace {

constexpr std::array<std::string_view, 7> kKept = {"/openapi.json", "/v1/datasets/{id}/quality", "/v1/datasets/{id}/rejected", "/v1/models/{id}",
                                                   "/v1/models/{id}/lineage",   "/v1/runs/{id}",              "/v1/runs/{id}/logs"};

/// Is the tag among those of an If-None-Match? Weak ones count as well (RFC 9110, 13.1.2).
bool Names(std::string_view tags, std::string_view tag) {
  while (!tags.empty()) {
    const size_t comma = std::min(tags.find(','), tags.size());
    std::string_view one = Trimmed(tags.substr(0, comma));
    if (one.starts_with("W/")) one.remove_prefix(2);
    if (one == tag || one == "*") return true;
    tags.remove_prefix(std::min(comma + 1, tags.size()));
  }
  return false;
}

}  // namespace

bool IsKept(std::string_view route) { return std::find(kKept.begin(), kKept.end(), route) != kKept.end(); }

void AnswerOnce(const Request& request, Response& response) {
  if (response.status != 200 || response.later) return;
  const std::string tag = "\"" + Sha256Hex(response.body).substr(0, 32) + "\"";
  response.headers.emplace_back("ETag", tag);
  response.headers.emplace_back("Cache-Control", "private, no-cache");
  if (!Names(request.if_none_match, tag)) return;
  response.status = 304;
  response.body.clear();
}

}  // namespace segue::serve
