#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segue::math {

inline constexpr uint8_t kMissingBin = 255;
inline constexpr size_t kMostBins = 255;  ///< of known values, numbered 0 to 254
inline constexpr size_t kBinSlots = 256;  ///< with the missing ones

/// Where the bins of each feature end. Borrowed: of BinEdges or a mapped artifact.
///
///   bin(x) = how many edges are below x;  x <= edge(b) exactly where bin(x) <= b
///
/// NaN is kMissingBin; infinities are what lies furthest out.
struct BinEdgesView {
  std::span<const uint32_t> begin;  ///< [features + 1] into edges
  std::span<const float> edges;     ///< ascending within a feature, at most kMostBins - 1 each

  size_t features() const { return begin.empty() ? 0 : begin.size() - 1; }
  std::span<const float> Of(size_t feature) const { return edges.subspan(begin[feature], begin[feature + 1] - begin[feature]); }
  uint8_t Bin(size_t feature, float x) const;

  /// Can Bin be asked without reading elsewhere, and is each feature ascending?
  bool Sound() const;
};

struct BinEdges {
  std::vector<uint32_t> begin;
  std::vector<float> edges;

  BinEdgesView view() const { return {begin, edges}; }
};

/// Edges halfway between neighbouring values where a feature has at most
/// kMostBins of them, else so that bins hold about the same number of rows.
/// Read from at most 200,000 rows, evenly spread.
///   rows [n x features] row by row, NaN missing
/// O(n · features · log n).
BinEdges FindEdges(std::span<const float> rows, size_t features);

/// [features x n] a column each: for what sums one feature of many rows.
std::vector<uint8_t> BinColumns(const BinEdgesView& edges, std::span<const float> rows);
/// bins [n x features] row by row: for what looks at several features of one row.
void BinRows(const BinEdgesView& edges, std::span<const float> rows, std::span<uint8_t> bins);

}  // namespace segue::math
