#include "core/dataset.h"

#include <algorithm>

namespace segue {
namespace {
constexpr std::array<std::string_view, kEventKinds> kKindNames = {"play",    "skip",   "like",
                                                                  "dislike", "rating", "review"};
}

std::string_view Name(EventKind kind) { return kKindNames.at(static_cast<size_t>(kind)); }

std::optional<EventKind> ParseEventKind(std::string_view name) {
  for (size_t i = 0; i < kKindNames.size(); ++i) {
    if (kKindNames[i] == name) return static_cast<EventKind>(i);
  }
  return std::nullopt;
}

std::optional<uint32_t> FindSorted(std::span<const std::string> sorted, std::string_view name) {
  const auto it = std::lower_bound(sorted.begin(), sorted.end(), name,
                                   [](const std::string& a, std::string_view b) { return a < b; });
  if (it == sorted.end() || *it != name) return std::nullopt;
  return static_cast<uint32_t>(it - sorted.begin());
}

}  // namespace segue
