#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "core/random.h"
#include "math/forest.h"

namespace segue::math {

/// What all trees of a forest learn from.
struct ForestTable {
  std::span<const uint8_t> bins;    ///< [n x features] row by row
  size_t features = 0;
  std::span<const uint16_t> label;  ///< [n]
  size_t labels = 0;

  size_t size() const { return label.size(); }
};

/// One tree by itself. Leaves below `labels` are of that label alone; the
/// others' shares follow, each once.
struct ForestTree {
  std::vector<BinnedNode> nodes;                            ///< children count from 0
  std::vector<std::vector<std::pair<uint16_t, float>>> shares;  ///< of leaf labels + i
  std::vector<double> gain;                                 ///< [features] impurity lowered, per drawn row
  std::vector<uint64_t> drawn;                              ///< bit r: row r was drawn; empty without bootstrap
};

/// See ForestGrower (math/forest.h), of which this is one tree.
ForestTree GrowForestTree(const ForestTable& table, const ForestSettings& settings, Random random);

}  // namespace segue::math
