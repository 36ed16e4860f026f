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

/// Of all ratings.
struct Scale {
  float lowest = std::numeric_limits<float>::infinity();
  float highest = -std::numeric_limits<float>::infinity();

  void Take(float rating) {
    if (!std::isfinite(rating)) return;
    lowest = std::min(lowest, rating);
    highest = std::max(highest, rating);
  }
};

Liked Rule(std::string_view setting, const Scale& scale) {
  if (setting == "all") return Liked::kAll;
  if (setting == "above_mean") return Liked::kAboveMean;
  return scale.lowest <= scale.highest / 2 ? Liked::kAboveMean : Liked::kAll;
}

}  // namespace

Liked LikedRule(std::string_view setting, const Preferences& preferences) {
  Scale scale;
  for (const Preference& item : preferences.items) scale.Take(item.rating);
  return Rule(setting, scale);
}

Liked LikedRule(std::string_view setting, const Dataset& data) {
  Scale scale;
  for (const Event& event : data.events) {
    if (event.kind == EventKind::kRating) scale.Take(event.value);
  }
  return Rule(setting, scale);
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
