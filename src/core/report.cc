#include "core/report.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace segue {

std::string_view Name(Segment segment) {
  constexpr std::array<std::string_view, kSegments> kNames = {"new", "light", "heavy"};
  return kNames.at(static_cast<size_t>(segment));
}

double MeanOf(const Report& report, const std::string& figure, Segment segment) {
  const auto values = report.per_listener.find(figure);
  if (values == report.per_listener.end()) return std::nan("");
  double sum = 0;
  double count = 0;
  for (size_t i = 0; i < std::min(values->second.size(), report.segment.size()); ++i) {
    if (report.segment[i] != segment || !std::isfinite(values->second[i])) continue;
    sum += values->second[i];
    count += 1;
  }
  return count > 0 ? sum / count : std::nan("");
}

}  // namespace segue
