#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace segue {

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

std::string WithCommas(int64_t number) {
  std::string digits = std::to_string(number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

}  // namespace segue
