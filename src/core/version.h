#pragma once

#include <string_view>

namespace segue {

inline constexpr std::string_view kVersion = "0.1.0";

/// Part of every model's id. Raise it when training or scoring changes what it
/// computes, so that the old id never names new bytes.
inline constexpr std::string_view kTrainingVersion = "3";

}  // namespace segue
