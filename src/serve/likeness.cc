#include "serve/likeness.h"

#include <algorithm>
#include <cmath>
#include <optional>

namespace segue::serve {
namespace {

float Jaccard(std::span<const uint32_t> a, std::span<const uint32_t> b) {
  size_t common = 0, i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    common += a[i] == b[j];
    const bool first = a[i] <= b[j], second = b[j] <= a[i];
    i += first;
    j += second;
  }
  return static_cast<float>(common) / static_cast<float>(a.size() + b.size() - common);
}

std::optional<float> AudioLikeness(const Ground& ground, uint32_t a, uint32_t b) {
  const FeatureMoments& moments = ground.moments();
  const float* x = ground.data().tracks.features.data() + a * kAudioFeatures.size();
  const float* y = ground.data().tracks.features.data() + b * kAudioFeatures.size();
  double dot = 0, of_x = 0, of_y = 0;
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    if (moments.deviation[f] <= 0 || !std::isfinite(x[f]) || !std::isfinite(y[f])) continue;
    const double zx = (static_cast<double>(x[f]) - moments.mean[f]) / moments.deviation[f];
    const double zy = (static_cast<double>(y[f]) - moments.mean[f]) / moments.deviation[f];
    dot += zx * zy;
    of_x += zx * zx;
    of_y += zy * zy;
  }
  if (of_x <= 0 || of_y <= 0) return std::nullopt;
  return static_cast<float>((1 + std::clamp(dot / std::sqrt(of_x * of_y), -1.0, 1.0)) / 2);
}

}  // namespace

float ContentLikeness(const Ground& ground, uint32_t a, uint32_t b) {
  const Facets& facets = ground.facets();
  float sum = 0;
  int known = 0;
  if (facets.ArtistOf(a) != Facets::kNone && facets.ArtistOf(b) != Facets::kNone) {
    sum += facets.ArtistOf(a) == facets.ArtistOf(b) ? 1.0f : 0.0f;
    ++known;
  }
  const auto tags_a = facets.TagsOf(a), tags_b = facets.TagsOf(b);
  if (!tags_a.empty() && !tags_b.empty()) {
    sum += Jaccard(tags_a, tags_b);
    ++known;
  }
  if (const auto audio = AudioLikeness(ground, a, b)) {
    sum += *audio;
    ++known;
  }
  return known == 0 ? 0 : sum / static_cast<float>(known);
}

float LikenessOf(const Snapshot& snapshot, uint32_t a, uint32_t b) {
  const auto known = snapshot.model()->Likeness(*snapshot.ModelRowOf(a), *snapshot.ModelRowOf(b));
  return known ? std::max(0.0f, *known) : ContentLikeness(*snapshot.ground(), a, b);
}

std::vector<std::pair<uint32_t, float>> Nearest(const Snapshot& snapshot, uint32_t row, size_t n) {
  std::vector<std::pair<uint32_t, float>> nearest;
  if (const auto model_row = snapshot.ModelRowOf(row)) {
    for (const auto& similar : snapshot.model()->Similar(*model_row, n)) {
      // A model older than the dataset may know one track by two ids: only the first stands for it.
      const auto other = snapshot.RowOfModel(similar.track);
      if (other && *other != row && snapshot.ModelRowOf(*other) == similar.track) nearest.emplace_back(*other, similar.score);
    }
  }
  if (!nearest.empty()) return nearest;
  for (uint32_t other = 0; other < snapshot.data().tracks.size(); ++other) {
    if (other == row || !snapshot.ModelRowOf(other)) continue;
    if (const float likeness = ContentLikeness(*snapshot.ground(), row, other); likeness > 0) nearest.emplace_back(other, likeness);
  }
  const auto kept = static_cast<std::ptrdiff_t>(std::min(n, nearest.size()));
  std::partial_sort(nearest.begin(), nearest.begin() + kept, nearest.end(),
                    [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  nearest.resize(static_cast<size_t>(kept));
  return nearest;
}

Neighbourhood::Near Neighbourhood::Of(const Snapshot& snapshot, uint32_t row) {
  constexpr size_t kMostKept = 4096;
  const std::string made_of = snapshot.model_id() + " " + snapshot.dataset_id();
  {
    const std::lock_guard lock(mutex_);
    if (made_of_ != made_of || kept_.size() >= kMostKept) kept_.clear();
    made_of_ = made_of;
    if (const auto it = kept_.find(row); it != kept_.end()) return it->second;
  }
  const auto near = std::make_shared<const std::vector<std::pair<uint32_t, float>>>(Nearest(snapshot, row, kNear));
  const std::lock_guard lock(mutex_);
  if (made_of_ == made_of) kept_[row] = near;
  return near;
}

}  // namespace segue::serve
