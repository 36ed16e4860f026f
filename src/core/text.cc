#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace segue {
namespace {

constexpr const char* kNothing = "–";

}  // namespace

std::string_view Trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

bool IsMissingMark(std::string_view text) {
  static constexpr std::array<std::string_view, 10> kMarks = {"",    "null", "NULL", "NA",   "N/A",
                                                              "NaN", "nan",  "None", "none", "\\N"};
  return std::find(kMarks.begin(), kMarks.end(), Trimmed(text)) != kMarks.end();
}

std::optional<double> ParseReal(std::string_view text) {
  text = Trimmed(text);
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (end != text.data() + text.size() || text.empty()) return std::nullopt;
  const bool tiny = text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
  // Closer to zero than any double is zero to us; larger than all of them is no number.
  if (error == std::errc::result_out_of_range && tiny) return 0.0;
  if (error != std::errc() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::string Joined(std::span<const std::string> parts) {
  std::string all;
  for (const std::string& part : parts) all += (all.empty() ? "" : ", ") + part;
  return all;
}

std::string WithCommas(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string Significant(double value, int digits) {
  if (std::isnan(value)) return kNothing;
  if (std::isinf(value)) return value > 0 ? "∞" : "-∞";
  if (value == 0) return "0";
  char text[64];
  const double size = std::fabs(value);
  if (size < 1e-4 || size >= 1e15) {
    std::snprintf(text, sizeof text, "%.*e", digits - 1, value);
    return text;
  }
  // What rounding to `digits` makes of it decides: 999.96 is 1,000 with four.
  std::snprintf(text, sizeof text, "%.*e", digits - 1, size);
  const int exponent = std::atoi(std::strchr(text, 'e') + 1);
  const bool whole = value == std::round(value);
  std::snprintf(text, sizeof text, "%.*f", whole ? 0 : std::max(0, digits - 1 - exponent), value);
  std::string plain = text;
  const size_t point = std::min(plain.find('.'), plain.size());
  const size_t first = plain.front() == '-' ? 1 : 0;
  for (size_t at = point; at > first + 3;) plain.insert(at -= 3, ",");
  return plain;
}

std::string Fixed(double value, int places) {
  if (std::isnan(value)) return kNothing;
  char text[400];
  std::snprintf(text, sizeof text, "%.*f", places, value);
  // "-0.00" says nothing that "0.00" does not.
  return std::strspn(text, "-0.") == std::strlen(text) && text[0] == '-' ? text + 1 : text;
}

std::string FromLog10(double log10) {
  if (std::isnan(log10)) return kNothing;
  if (std::isinf(log10)) return "0";
  char text[64];
  if (log10 >= -3) {
    std::snprintf(text, sizeof text, "%.2g", std::pow(10, log10));
    return text;
  }
  double exponent = std::floor(log10);
  double lead = std::round(std::pow(10, log10 - exponent) * 10) / 10;
  if (lead >= 10) {
    lead = 1;
    ++exponent;
  }
  std::snprintf(text, sizeof text, "%.1fe%.0f", lead, exponent);
  return text;
}

}  // namespace segue
