#include "math/bin_pairs.h"

#include <algorithm>
#include <array>

#include "core/check.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr size_t kGrain = 1024;
constexpr int kMostRank = kMostBins - 1;

}  // namespace

bool BinPairsView::Sound(size_t columns) const {
  if (rank.size() != columns * kBinSlots) return false;
  for (size_t i = 0; i < rank.size(); ++i) {
    if ((rank[i] == kMissingBin) != (i % kBinSlots == kMissingBin)) return false;
  }
  return std::all_of(pairs.begin(), pairs.end(), [&](const BinPair& pair) {
    return pair.first < columns && pair.second < columns && pair.difference <= 1;
  });
}

void BinPairsView::Append(std::span<const uint8_t> bins, size_t columns, std::span<uint8_t> out) const {
  const size_t n = bins.size() / columns;
  const size_t width = columns + pairs.size();
  SEGUE_CHECK(out.size() == n * width);
  ParallelRanges(n, kGrain, [&](size_t first, size_t last) {
    std::vector<uint8_t> ranks(columns);
    for (size_t r = first; r < last; ++r) {
      const uint8_t* from = bins.data() + r * columns;
      uint8_t* to = out.data() + r * width;
      for (size_t c = 0; c < columns; ++c) {
        to[c] = from[c];
        ranks[c] = rank[c * kBinSlots + from[c]];
      }
      for (size_t p = 0; p < pairs.size(); ++p) {
        const int a = ranks[pairs[p].first];
        const int b = ranks[pairs[p].second];
        const int value = pairs[p].difference != 0 ? (a - b + kMostRank) / 2 : (a + b) / 2;
        to[columns + p] = a == kMissingBin || b == kMissingBin ? kMissingBin : static_cast<uint8_t>(value);
      }
    }
  });
}

std::vector<uint8_t> RanksOfBins(std::span<const uint8_t> bins, size_t columns) {
  std::vector<uint8_t> rank(columns * kBinSlots, kMissingBin);
  for (size_t c = 0; c < columns; ++c) {
    std::array<uint64_t, kBinSlots> rows{};
    for (size_t i = c; i < bins.size(); i += columns) ++rows[bins[i]];
    uint64_t known = 0;
    for (size_t b = 0; b < kMostBins; ++b) known += rows[b];
    uint64_t below = 0;
    for (size_t b = 0; b < kMostBins; ++b) {
      rank[c * kBinSlots + b] = static_cast<uint8_t>(known == 0 ? 0 : (2 * below + rows[b]) * kMostRank / (2 * known));
      below += rows[b];
    }
  }
  return rank;
}

}  // namespace segue::math
