#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace segue {

/// Without the blanks and line ends around it.
std::string_view Trimmed(std::string_view text);

/// A finite number: "12", "-3.5", "6.0E-06", "+1".
std::optional<double> ParseReal(std::string_view text);

/// "", "null", "NA", "N/A", "NaN", "None", "\N": how tables spell a missing number.
bool IsMissingMark(std::string_view text);

/// "1,234,567".
std::string WithCommas(int64_t number);

}  // namespace segue
