#include "math/bins.h"

#include <algorithm>
#include <cmath>

#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr size_t kSampleRows = 200'000;  ///< that edges are read from
constexpr size_t kGrain = 1024;

/// An edge that parts a from b, a < b: between them where floats have room
/// there, else a itself (infinities have no middle).
float Between(float a, float b) {
  const float middle = a + (b - a) / 2;
  return std::isfinite(middle) && middle > a && middle < b ? middle : a;
}

/// Upper edges of the bins: the last bin has none.
std::vector<float> EdgesOf(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  std::vector<float> distinct = values;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<float> edges;
  if (distinct.size() <= kMostBins) {
    for (size_t i = 0; i + 1 < distinct.size(); ++i) edges.push_back(Between(distinct[i], distinct[i + 1]));
  } else {
    for (size_t b = 1; b < kMostBins; ++b) edges.push_back(values[b * values.size() / kMostBins]);
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  }
  return edges;
}

}  // namespace

uint8_t BinEdgesView::Bin(size_t feature, float x) const {
  if (std::isnan(x)) return kMissingBin;
  const auto own = Of(feature);
  return static_cast<uint8_t>(std::lower_bound(own.begin(), own.end(), x) - own.begin());
}

bool BinEdgesView::Sound() const {
  if (begin.empty() || begin.front() != 0 || begin.back() != edges.size()) return false;
  for (size_t f = 0; f < features(); ++f) {
    if (begin[f + 1] < begin[f] || begin[f + 1] - begin[f] > kMostBins - 1 || begin[f + 1] > edges.size()) return false;
    for (size_t e = begin[f]; e < begin[f + 1]; ++e) {
      if (std::isnan(edges[e]) || (e > begin[f] && !(edges[e - 1] < edges[e]))) return false;
    }
  }
  return true;
}

BinEdges FindEdges(std::span<const float> rows, size_t features) {
  const size_t n = features == 0 ? 0 : rows.size() / features;
  std::vector<std::vector<float>> of(features);
  ParallelFor(features, [&](size_t f) {
    const size_t step = std::max<size_t>(1, n / kSampleRows);
    std::vector<float> sample;
    for (size_t r = 0; r < n; r += step) {
      if (!std::isnan(rows[r * features + f])) sample.push_back(rows[r * features + f]);
    }
    of[f] = EdgesOf(std::move(sample));
  });
  BinEdges edges;
  edges.begin.push_back(0);
  for (const auto& own : of) {
    edges.edges.insert(edges.edges.end(), own.begin(), own.end());
    edges.begin.push_back(static_cast<uint32_t>(edges.edges.size()));
  }
  return edges;
}

std::vector<uint8_t> BinColumns(const BinEdgesView& edges, std::span<const float> rows) {
  const size_t features = edges.features();
  const size_t n = features == 0 ? 0 : rows.size() / features;
  std::vector<uint8_t> bins(n * features);
  ParallelFor(features, [&](size_t f) {
    for (size_t r = 0; r < n; ++r) bins[f * n + r] = edges.Bin(f, rows[r * features + f]);
  });
  return bins;
}

void BinRows(const BinEdgesView& edges, std::span<const float> rows, std::span<uint8_t> bins) {
  const size_t features = edges.features();
  if (features == 0) return;
  ParallelRanges(rows.size() / features, kGrain, [&](size_t first, size_t last) {
    for (size_t r = first; r < last; ++r) {
      for (size_t f = 0; f < features; ++f) bins[r * features + f] = edges.Bin(f, rows[r * features + f]);
    }
  });
}

}  // namespace segue::math
