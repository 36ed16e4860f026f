#include "models/liking.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace segue::models {
namespace {

void SetByMean(std::span<Preference> history) {
  double sum = 0;
  size_t rated = 0;
  for (const Preference& item : history) {
    if (std::isnan(item.rating)) continue;
    sum += item.rating;
    ++rated;
  }
  const double mean = rated > 0 ? sum / static_cast<double>(rated) : 0;
  for (Preference& item : history) {
    if (!std::isnan(item.rating) && item.rating < mean && item.strength > 0) item.strength = 0;
  }
}

}  // namespace

Liked LikedRule(std::string_view setting, const Preferences& preferences) {
  if (setting == "all") return Liked::kAll;
  if (setting == "above_mean") return Liked::kAboveMean;
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -lowest;
  for (const Preference& item : preferences.items) {
    if (std::isnan(item.rating)) continue;
    lowest = std::min(lowest, item.rating);
    highest = std::max(highest, item.rating);
  }
  return lowest <= highest / 2 ? Liked::kAboveMean : Liked::kAll;
}

std::vector<Preference> ByLiking(std::span<const Preference> history, Liked rule) {
  std::vector<Preference> result(history.begin(), history.end());
  if (rule == Liked::kAboveMean) SetByMean(result);
  return result;
}

void ApplyLiking(Preferences& preferences, Liked rule) {
  if (rule == Liked::kAll) return;
  for (size_t u = 0; u + 1 < preferences.begin.size(); ++u) {
    SetByMean({preferences.items.data() + preferences.begin[u], preferences.items.data() + preferences.begin[u + 1]});
  }
}

}  // namespace segue::models
