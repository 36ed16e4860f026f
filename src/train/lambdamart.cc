#include "train/lambdamart.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "math/parallel.h"

namespace segue::train {
namespace {

double Discount(size_t rank) { return 1 / std::log2(static_cast<double>(rank) + 2); }

double IdealDcg(size_t relevant, size_t n) {
  double sum = 0;
  for (size_t r = 0; r < std::min(relevant, n); ++r) sum += Discount(r);
  return sum;
}

/// Rows of the list, best score first, ties by row.
std::vector<uint32_t> Order(std::span<const float> scores) {
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return scores[a] != scores[b] ? scores[a] > scores[b] : a < b; });
  return order;
}

/// Rows before row r, best score first, ties by row. Counting is cheaper than
/// sorting where few rows are relevant.
uint32_t RankOf(const float* scores, uint32_t n, uint32_t r) {
  const float own = scores[r];
  uint32_t before = 0;
  for (uint32_t k = 0; k < r; ++k) before += scores[k] >= own ? 1 : 0;
  for (uint32_t k = r; k < n; ++k) before += scores[k] > own ? 1 : 0;
  return before;
}

size_t CountRelevant(const RankingData& data, size_t list) {
  size_t relevant = data.missing[list];
  for (uint64_t r = data.begin[list]; r < data.begin[list + 1]; ++r) relevant += data.relevant[r];
  return relevant;
}

void OfList(const RankingData& data, size_t list, std::span<const float> all_scores, size_t truncation,
            std::span<float> gradient, std::span<float> hessian) {
  const uint64_t begin = data.begin[list];
  const size_t n = data.begin[list + 1] - begin;
  const auto scores = all_scores.subspan(begin, n);
  std::fill_n(gradient.begin() + static_cast<std::ptrdiff_t>(begin), n, 0.0f);
  std::fill_n(hessian.begin() + static_cast<std::ptrdiff_t>(begin), n, 0.0f);
  const double ideal = IdealDcg(CountRelevant(data, list), n);
  if (ideal == 0) return;
  const auto order = Order(scores);
  std::vector<double> g(n, 0), h(n, 0);
  double total = 0;
  for (size_t a = 0; a < n; ++a) {
    const uint32_t i = order[a];
    if (data.relevant[begin + i] == 0) continue;
    for (size_t b = 0; b < n; ++b) {
      if (std::min(a, b) >= truncation) break;  // b only grows
      const uint32_t j = order[b];
      if (data.relevant[begin + j] != 0) continue;
      const double delta = std::fabs(Discount(a) - Discount(b)) / ideal;
      const double rho = 1 / (1 + std::exp(static_cast<double>(scores[i]) - scores[j]));
      g[i] -= delta * rho;
      g[j] += delta * rho;
      h[i] += delta * rho * (1 - rho);
      h[j] += delta * rho * (1 - rho);
      total += 2 * delta * rho;
    }
  }
  const double scale = total > 0 ? std::log2(1 + total) / total : 0;
  for (size_t i = 0; i < n; ++i) {
    gradient[begin + i] = static_cast<float>(g[i] * scale);
    hessian[begin + i] = static_cast<float>(h[i] * scale);
  }
}

}  // namespace

void LambdaGradients(const RankingData& data, std::span<const float> scores, size_t truncation, std::span<float> gradient,
                     std::span<float> hessian) {
  math::ParallelFor(data.lists(), [&](size_t list) { OfList(data, list, scores, truncation, gradient, hessian); });
}

std::vector<double> ListQualities(const RankingData& data, std::span<const float> all_scores) {
  std::vector<double> qualities(data.lists(), 0.0);
  for (size_t list = 0; list < data.lists(); ++list) {
    const uint64_t begin = data.begin[list];
    const auto n = static_cast<uint32_t>(data.begin[list + 1] - begin);
    const float* scores = all_scores.data() + begin;
    double dcg10 = 0;
    double dcg100 = 0;
    for (uint32_t r = 0; r < n; ++r) {
      if (data.relevant[begin + r] == 0) continue;
      const uint32_t rank = RankOf(scores, n, r);
      if (rank < 10) dcg10 += Discount(rank);
      if (rank < 100) dcg100 += Discount(rank);
    }
    const size_t relevant = CountRelevant(data, list);
    if (relevant > 0) qualities[list] = (dcg10 / IdealDcg(relevant, 10) + dcg100 / IdealDcg(relevant, 100)) / 2;
  }
  return qualities;
}

double ListQuality(const RankingData& data, std::span<const float> scores) {
  double sum = 0;
  for (const double quality : ListQualities(data, scores)) sum += quality;
  return data.lists() == 0 ? 0 : sum / static_cast<double>(data.lists());
}

}  // namespace segue::train
