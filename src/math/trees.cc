#include "math/trees.h"

#include <algorithm>
#include <cmath>

namespace segue::math {

TreesView::TreesView(const Trees& trees)
    : roots(trees.roots),
      feature(trees.feature),
      threshold(trees.threshold),
      left(trees.left),
      missing_left(trees.missing_left),
      value(trees.value) {}

bool TreesView::Sound(size_t features) const {
  const size_t nodes = feature.size();
  if (threshold.size() != nodes || left.size() != nodes || missing_left.size() != nodes || value.size() != nodes) return false;
  if (std::any_of(roots.begin(), roots.end(), [&](uint32_t root) { return root >= nodes; })) return false;
  for (size_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (!std::isfinite(value[i])) return false;
    } else if (static_cast<size_t>(feature[i]) >= features || left[i] <= i || left[i] >= nodes - 1) {
      return false;
    }
  }
  return true;
}

float TreesView::Predict(const float* row) const {
  float sum = 0;
  for (uint32_t node : roots) {
    while (feature[node] >= 0) {
      const float x = row[feature[node]];
      const bool goes_left = std::isnan(x) ? missing_left[node] != 0 : x <= threshold[node];
      node = left[node] + (goes_left ? 0 : 1);
    }
    sum += value[node];
  }
  return sum;
}

}  // namespace segue::math
