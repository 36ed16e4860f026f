#include "evaluate/metrics.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/check.h"

namespace segue::evaluate {
namespace {

double Count(std::span<const uint8_t> hits, size_t n) {
  const auto end = hits.begin() + static_cast<std::ptrdiff_t>(std::min(n, hits.size()));
  return static_cast<double>(std::count(hits.begin(), end, uint8_t{1}));
}

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

double Discount(size_t rank) { return 1.0 / std::log2(static_cast<double>(rank) + 1); }

}  // namespace

std::vector<uint8_t> MarkHits(std::span<const TrackIx> ranked, std::span<const TrackIx> relevant) {
  std::vector<uint8_t> hits(ranked.size(), 0);
  for (size_t i = 0; i < ranked.size(); ++i) {
    hits[i] = std::binary_search(relevant.begin(), relevant.end(), ranked[i]) ? 1 : 0;
  }
  return hits;
}

double ReciprocalRank(std::span<const uint8_t> hits) {
  const auto first = std::find(hits.begin(), hits.end(), uint8_t{1});
  return first == hits.end() ? 0 : 1.0 / static_cast<double>(first - hits.begin() + 1);
}

double HitRate(std::span<const uint8_t> hits, size_t n) { return Count(hits, n) > 0 ? 1 : 0; }

double Precision(std::span<const uint8_t> hits, size_t n) { return Count(hits, n) / static_cast<double>(n); }

double Recall(std::span<const uint8_t> hits, size_t n, size_t relevant) {
  return relevant == 0 ? 0 : Count(hits, n) / static_cast<double>(relevant);
}

double RecallTruncated(std::span<const uint8_t> hits, size_t n, size_t relevant) {
  const size_t most = std::min(n, relevant);
  return most == 0 ? 0 : Count(hits, n) / static_cast<double>(most);
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

double Rmse(std::span<const double> predicted, std::span<const double> actual) {
  SEGUE_CHECK(predicted.size() == actual.size());
  if (actual.empty()) return kNaN;
  double sum = 0;
  for (size_t i = 0; i < actual.size(); ++i) sum += (predicted[i] - actual[i]) * (predicted[i] - actual[i]);
  return std::sqrt(sum / static_cast<double>(actual.size()));
}

double Mae(std::span<const double> predicted, std::span<const double> actual) {
  SEGUE_CHECK(predicted.size() == actual.size());
  if (actual.empty()) return kNaN;
  double sum = 0;
  for (size_t i = 0; i < actual.size(); ++i) sum += std::abs(predicted[i] - actual[i]);
  return sum / static_cast<double>(actual.size());
}

double Novelty(std::span<const TrackIx> ranked, size_t n, std::span<const uint32_t> heard_by, uint64_t listeners) {
  const size_t end = std::min(n, ranked.size());
  if (end == 0 || listeners == 0) return kNaN;
  double bits = 0;
  for (size_t i = 0; i < end; ++i) {
    const uint32_t heard = std::max<uint32_t>(1, heard_by[Raw(ranked[i])]);
    bits += std::log2(static_cast<double>(listeners) / heard);
  }
  return bits / static_cast<double>(end);
}

std::vector<float> PopularityRanks(std::span<const uint32_t> heard_by) {
  std::vector<uint32_t> ascending;
  for (const uint32_t heard : heard_by) {
    if (heard > 0) ascending.push_back(heard);
  }
  std::sort(ascending.begin(), ascending.end());
  std::vector<float> ranks(heard_by.size(), 1);
  for (size_t track = 0; track < ranks.size(); ++track) {
    if (heard_by[track] == 0) continue;
    const auto above = std::upper_bound(ascending.begin(), ascending.end(), heard_by[track]);
    ranks[track] = static_cast<float>(static_cast<double>(ascending.end() - above) /
                                      static_cast<double>(ascending.size()));
  }
  return ranks;
}

double MeanPopularityRank(std::span<const TrackIx> ranked, size_t n, std::span<const float> ranks) {
  const size_t end = std::min(n, ranked.size());
  if (end == 0) return kNaN;
  double sum = 0;
  for (size_t i = 0; i < end; ++i) sum += ranks[Raw(ranked[i])];
  return sum / static_cast<double>(end);
}

}  // namespace segue::evaluate
