#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "math/bins.h"

namespace segue::math {

/// A column made of two others: the mean of their ranks, or half of how much
/// the first is above the second.
struct BinPair {
  uint16_t first = 0;
  uint16_t second = 0;
  uint32_t difference = 0;  ///< 1: the difference, 0: the sum
};
static_assert(sizeof(BinPair) == 8, "no padding: the bytes are the same everywhere");

/// A tree cuts along one column at a time, and needs a staircase of cuts for
/// "loud for its energy". Sums and differences of two columns let one cut do it.
///
///   r_f(b) = the share of training rows below the middle of bin b, as 0 ... 254
///   sum    = (r_first + r_second) / 2            0 ... 254
///   difference = (r_first - r_second + 254) / 2  0 ... 254
///
/// rounded down; missing where either is. Ranks make all columns alike and the
/// sums bins themselves: bytes in, bytes out, no edges to search. Linear
/// combinations as splits: Breiman, "Random Forests", 2001, section 5 (Forest-RC),
/// there drawn at random, here of two columns and equal weights.
struct BinPairsView {
  std::span<const uint8_t> rank;   ///< [columns x kBinSlots]; kMissingBin of itself
  std::span<const BinPair> pairs;

  /// Do all pairs name columns, below `columns`, and are ranks where they belong?
  bool Sound(size_t columns) const;
  /// bins [n x columns] -> out [n x (columns + pairs)], the pairs behind.
  void Append(std::span<const uint8_t> bins, size_t columns, std::span<uint8_t> out) const;
};

/// [columns x kBinSlots] r of each bin, from rows [n x columns].
std::vector<uint8_t> RanksOfBins(std::span<const uint8_t> bins, size_t columns);

}  // namespace segue::math
