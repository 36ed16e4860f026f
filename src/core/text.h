#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace segue {

/// Without the blanks and line ends around it.
std::string_view Trimmed(std::string_view text);

/// A finite number: "12", "-3.5", "6.0E-06", "+1".
std::optional<double> ParseReal(std::string_view text);

/// "", "null", "NA", "N/A", "NaN", "None", "\N": how tables spell a missing number.
bool IsMissingMark(std::string_view text);

/// "a, b, c".
std::string Joined(std::span<const std::string> parts);

/// "1,234,567".
std::string WithCommas(int64_t number);

/// With so many significant digits, whole numbers in full: 0.0123, 12.3, "12,345"
/// (never in powers of ten from 1e-4 to 1e15); "–" for NaN.
std::string Significant(double value, int digits);
/// With so many places: "-0.50"; "–" for NaN.
std::string Fixed(double value, int places);
/// The number whose logarithm to base 10 is given, for p values that underflow:
/// "0.043", "1.2e-1650"; "–" for NaN.
std::string FromLog10(double log10);

}  // namespace segue
