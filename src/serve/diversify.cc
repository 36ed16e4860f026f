#include "serve/diversify.h"

#include <algorithm>
#include <numeric>

namespace segue::serve {

std::vector<float> Wanted(std::span<const float> scores, std::span<const float> novelty, double dial) {
  std::vector<float> wanted(scores.size());
  if (scores.empty()) return wanted;
  const auto [least, most] = std::minmax_element(scores.begin(), scores.end());
  const double low = static_cast<double>(*least), range = static_cast<double>(*most) - low;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const double relevance = range > 0 ? (static_cast<double>(scores[i]) - low) / range : 1;
    wanted[i] = static_cast<float>((1 - dial) * relevance + dial * static_cast<double>(novelty[i]));
  }
  return wanted;
}

std::vector<size_t> Diversify(std::span<const float> wanted, size_t n, double diversity, const std::function<float(size_t, size_t)>& likeness,
                              const std::function<bool(size_t)>& take) {
  const auto relevance = static_cast<float>(1 - diversity), redundancy = static_cast<float>(diversity);
  std::vector<size_t> taken;
  std::vector<size_t> left(wanted.size());
  std::iota(left.begin(), left.end(), size_t{0});
  std::vector<float> alike(wanted.size(), 0.0f);  // to the most alike of those taken
  const auto value = [&](size_t i) { return relevance * wanted[i] - redundancy * alike[i]; };
  if (diversity == 0) {
    std::stable_sort(left.begin(), left.end(), [&](size_t a, size_t b) { return wanted[a] > wanted[b]; });
    for (const size_t i : left) {
      if (taken.size() == n) break;
      if (take(i)) taken.push_back(i);
    }
    return taken;
  }
  while (taken.size() < n && !left.empty()) {
    const auto best = std::max_element(left.begin(), left.end(), [&](size_t a, size_t b) { return value(a) < value(b); });
    const size_t chosen = *best;
    left.erase(best);
    if (!take(chosen)) continue;
    taken.push_back(chosen);
    for (const size_t i : left) alike[i] = std::max(alike[i], likeness(i, chosen));
  }
  return taken;
}

}  // namespace segue::serve
