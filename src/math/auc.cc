#include "math/auc.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "core/check.h"

namespace segue::math {

double Auc(std::span<const float> scores, std::span<const uint8_t> positive) {
  SEGUE_CHECK(scores.size() == positive.size());
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] < scores[b]; });
  // Twice the ranks, so that midranks are whole.
  uint64_t ranks = 0, positives = 0;
  for (size_t i = 0, j = 0; i < order.size(); i = j) {
    uint64_t tied = 0;
    while (j < order.size() && scores[order[j]] == scores[order[i]]) tied += positive[order[j++]] != 0 ? 1 : 0;
    ranks += tied * (i + j + 1);
    positives += tied;
  }
  const uint64_t negatives = order.size() - positives;
  if (positives == 0 || negatives == 0) return std::numeric_limits<double>::quiet_NaN();
  return static_cast<double>(ranks - positives * (positives + 1)) / 2 / (static_cast<double>(positives) * static_cast<double>(negatives));
}

}  // namespace segue::math
