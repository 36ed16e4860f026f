#include "serve/paging.h"

#include <charconv>

#include <nlohmann/json.hpp>

namespace segue::serve {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string Encoded(std::string_view text) {
  std::string hex;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    hex += kHex[byte >> 4];
    hex += kHex[byte & 15];
  }
  return hex;
}

/// "" where it is not what Encoded gives.
std::string Decoded(std::string_view hex) {
  std::string text;
  if (hex.size() % 2 != 0) return text;
  for (size_t i = 0; i < hex.size(); i += 2) {
    const size_t high = kHex.find(hex[i]), low = kHex.find(hex[i + 1]);
    if (high == std::string_view::npos || low == std::string_view::npos) return "";
    text += static_cast<char>(high << 4 | low);
  }
  return text;
}

}  // namespace

Result<Page> PageOf(const Request& request, std::string_view list, int64_t missing, int64_t most) {
  SEGUE_TRY(const int64_t n, QueryNumber(request, "n", missing, 1, most));
  SEGUE_TRY(const int64_t limit, QueryNumber(request, "limit", n, 1, most));
  Page page{.limit = limit};
  const std::string cursor = FieldOf(request.query, "cursor");
  if (cursor.empty()) return page;
  const std::string text = Decoded(cursor), start = std::string(list) + ":";
  if (!text.starts_with(start)) {
    return Error{ErrorCode::kInvalid, "parameter 'cursor' is none of this list's: give what its next_cursor was"};
  }
  page.after = text.substr(start.size());
  return page;
}

Result<int64_t> NumberAfter(const Page& page, int64_t missing) {
  if (page.after.empty()) return missing;
  int64_t value = -1;
  const auto [end, error] = std::from_chars(page.after.data(), page.after.data() + page.after.size(), value);
  if (error == std::errc() && end == page.after.data() + page.after.size() && value >= 0) return value;
  return Error{ErrorCode::kInvalid, "parameter 'cursor' is none of this list's: give what its next_cursor was"};
}

nlohmann::json NextCursor(std::string_view list, std::string_view after, bool more) {
  return more ? nlohmann::json(Encoded(std::string(list) + ":" + std::string(after))) : nlohmann::json();
}

}  // namespace segue::serve
