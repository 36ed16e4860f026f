#include "models/rating_scale.h"

#include <algorithm>
#include <cmath>

namespace segue::models {
namespace {

constexpr double kRatedShare = 0.1;  ///< from here on ratings are what is learnt

/// Larger is no rating; below, differences and products stay numbers.
constexpr float kLargest = 1e30f;

bool Rated(const Preference& item) { return std::abs(item.rating) <= kLargest; }

std::optional<float> RawTarget(const Preference& item, RatingScale::Kind kind) {
  if (kind == RatingScale::Kind::kRatings) return Rated(item) ? std::optional(item.rating) : std::nullopt;
  return item.strength > 0 && std::isfinite(item.strength) ? std::optional(std::log1p(item.strength)) : std::nullopt;
}

}  // namespace

bool RatingScale::Chosen(const Preference& item) { return item.strength > 0 || Rated(item); }

std::optional<float> RatingScale::Target(const Preference& item) const {
  auto target = RawTarget(item, kind);
  if (item.strength < 0) target = lowest;
  if (!target) return std::nullopt;
  return (std::clamp(*target, lowest, highest) - mean) / deviation;
}

float RatingScale::Rating(float z) const {
  const float target = std::clamp(mean + deviation * z, lowest, highest);
  return kind == Kind::kRatings ? target : std::expm1(target);
}

bool RatingScale::Valid() const {
  return (kind == Kind::kRatings || kind == Kind::kLogPlays) && std::isfinite(lowest) && std::isfinite(highest) &&
         lowest <= highest && std::isfinite(mean) && std::isfinite(deviation) && deviation > 0;
}

std::optional<RatingScale> ScaleOf(std::span<const Preference> items) {
  const auto rated = std::count_if(items.begin(), items.end(), Rated);
  const auto chosen = std::count_if(items.begin(), items.end(), RatingScale::Chosen);
  if (chosen == 0) return std::nullopt;
  RatingScale scale;
  if (static_cast<double>(rated) < kRatedShare * static_cast<double>(chosen)) scale.kind = RatingScale::Kind::kLogPlays;
  double sum = 0;
  double count = 0;
  for (const Preference& item : items) {
    const auto target = RawTarget(item, scale.kind);
    if (!target) continue;
    scale.lowest = count == 0 ? *target : std::min(scale.lowest, *target);
    scale.highest = count == 0 ? *target : std::max(scale.highest, *target);
    sum += *target;
    ++count;
  }
  if (count == 0) return std::nullopt;
  double squares = 0;
  for (const Preference& item : items) {
    if (const auto target = RawTarget(item, scale.kind)) squares += std::pow(*target - sum / count, 2);
  }
  scale.mean = static_cast<float>(sum / count);
  const auto deviation = static_cast<float>(std::sqrt(squares / count));
  if (std::isnormal(deviation)) scale.deviation = deviation;
  return scale;
}

}  // namespace segue::models
