#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "math/bins.h"
#include "math/binned_trees.h"

namespace segue::math {

struct ForestSettings {
  size_t tried = 0;              ///< features drawn at each split; 0: the root of their number, rounded
  size_t min_leaf_rows = 1;      ///< drawn rows (a row that is drawn twice counts twice) on either side of a split
  size_t max_depth = 0;          ///< levels of splits; 0: no limit
  bool random_cuts = false;      ///< extra trees: one random cut a feature, not the best
  bool bootstrap = true;         ///< rows drawn with replacement; else each row once
  size_t most_rows = 0;          ///< drawn for one tree; 0: as many as there are
};

/// What leaves say. Leaf numbers are shared by the trees: equal shares have one.
struct LeafSharesView {
  std::span<const uint32_t> begin;  ///< [leaves + 1] into what follows
  std::span<const uint16_t> label;  ///< ascending within a leaf
  std::span<const float> share;     ///< in (0, 1], sum 1 within a leaf

  size_t leaves() const { return begin.empty() ? 0 : begin.size() - 1; }
  bool Sound(size_t labels) const;
};

/// A forest over binned rows.
struct Forest {
  BinnedTrees trees;
  std::vector<uint32_t> leaf_begin{0};
  std::vector<uint16_t> leaf_label;
  std::vector<float> leaf_share;

  LeafSharesView leaves() const { return {leaf_begin, leaf_label, leaf_share}; }
};

/// Mean of the trees' shares for each row.
///   bins  [n x features] row by row
///   out   [n x labels]
/// Threads share out blocks of rows; a row's sum runs in the order of the trees.
void PredictForest(const BinnedTreesView& trees, const LeafSharesView& leaves, std::span<const uint8_t> bins,
                   size_t features, size_t labels, std::span<float> out);

/// Grows random forests (and, with random cuts, extra trees) for classes.
///
///   Each tree draws n rows with replacement. Each node draws `tried` features
///   and takes the cut that lowers the Gini impurity most:
///
///     Σ_side w(side) · (1 - Σ_label share(label)²)  ->  least
///
///   until a node is of one label, has no two different rows, or is as small or
///   deep as the settings say. Only where all drawn features are constant are
///   more drawn. A cut between two bins that the node has is put half-way
///   between them. Missing values try both sides; where the node has none they
///   go with the most rows.
///
/// Sources: Breiman, "Random Forests", Machine Learning 45, 2001; Geurts, Ernst,
/// Wehenkel, "Extremely randomized trees", Machine Learning 63, 2006.
/// Departures: features are binned to a byte each; an extra tree's cut is drawn
/// among the bins between the node's least and most, that is evenly by rows of
/// the whole table, not by value.
///
/// The trick: one histogram of 256 slots a feature serves nodes of any size,
/// because a bitmap of the slots that were touched lets a node of ten rows scan
/// and clear ten slots. Two labels share a slot of 64 bits, so that a row costs
/// one addition. Rows of a node lie together and are partitioned in place.
/// More labels: rows are sorted by bin through the same histogram and the sums
/// of squares follow row by row, O(rows) for any number of labels.
///
/// Tree t draws from its own stream (seed, t): same bytes for any number of
/// threads. O(trees · n · tried · depth).
class ForestGrower {
 public:
  /// bins [n x features] row by row (math/bins.h); label [n] below `labels`, at
  /// most 65,535 of them (CHECK). Borrows the bins.
  ForestGrower(std::span<const uint8_t> bins, size_t features, std::span<const uint16_t> label, size_t labels,
               const ForestSettings& settings, uint64_t seed);
  ~ForestGrower();
  ForestGrower(const ForestGrower&) = delete;
  ForestGrower& operator=(const ForestGrower&) = delete;

  /// Adds this many trees; threads share them out. In one call or in several:
  /// the same forest.
  void Grow(size_t trees, Forest& forest);

  /// [features] how much the splits so far lowered the impurity, per tree and row.
  std::vector<double> Gain() const;
  /// What the trees that did not draw a row say of it: [n x labels], NaN where
  /// all drew it. An honest estimate of the forest on new rows (Breiman 2001,
  /// section 3.1). Empty without bootstrap. `forest` as Grow left it.
  std::vector<float> OutOfBag(const Forest& forest) const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::math
