#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"

namespace segue::train {

/// An algorithm as part of another model, with its settings where they differ.
struct ListedMember {
  std::string name;       ///< as written
  std::string algorithm;
  Settings settings;
};

/// Parts between `separator`s outside of brackets, without blanks around them.
std::vector<std::string> SplitList(std::string_view text, char separator);

/// "ials(factors=32;alpha=4)": the algorithm and, in brackets, settings of its
/// own on top of `settings`, named as for --set. kInvalid where a bracket or a
/// setting is wrong; whether there is such an algorithm is for the caller to see.
Result<ListedMember> ReadMember(const std::string& text, const Settings& settings);

}  // namespace segue::train
