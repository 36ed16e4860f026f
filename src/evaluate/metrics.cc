#include "evaluate/metrics.h"

#include <algorithm>
#include <cmath>

namespace segue::evaluate {
namespace {

double Count(std::span<const uint8_t> hits, size_t n) {
  const auto end = hits.begin() + static_cast<std::ptrdiff_t>(std::min(n, hits.size()));
  return static_cast<double>(std::count(hits.begin(), end, uint8_t{1}));
}

double Discount(size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1); }

}  // namespace

double ReciprocalRank(std::span<const uint8_t> hits) {
  const auto first = std::find(hits.begin(), hits.end(), uint8_t{1});
  return first == hits.end() ? 0 : 1.0 / static_cast<double>(first - hits.begin() + 1);
}

double HitRate(std::span<const uint8_t> hits, size_t n) { return Count(hits, n) > 0 ? 1 : 0; }

double Precision(std::span<const uint8_t> hits, size_t n) { return Count(hits, n) / static_cast<double>(n); }

double Recall(std::span<const uint8_t> hits, size_t n, size_t relevant) {
  return relevant == 0 ? 0 : Count(hits, n) / static_cast<double>(relevant);
}

double Ndcg(std::span<const uint8_t> hits, size_t n, size_t relevant) {
  double gain = 0;
  double ideal = 0;
  for (size_t rank = 1; rank <= std::min(n, hits.size()); ++rank) gain += hits[rank - 1] != 0 ? Discount(rank) : 0;
  for (size_t rank = 1; rank <= std::min(n, relevant); ++rank) ideal += Discount(rank);
  return ideal == 0 ? 0 : gain / ideal;
}

double AveragePrecision(std::span<const uint8_t> hits, size_t n, size_t relevant) {
  double sum = 0;
  double found = 0;
  for (size_t rank = 1; rank <= std::min(n, hits.size()); ++rank) {
    if (hits[rank - 1] == 0) continue;
    sum += ++found / static_cast<double>(rank);
  }
  const size_t most = std::min(n, relevant);
  return most == 0 ? 0 : sum / static_cast<double>(most);
}

}  // namespace segue::evaluate
