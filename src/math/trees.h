#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "math/bins.h"

namespace segue::math {

/// An ensemble of regression trees, flat: a row's value is the sum of the
/// leaves that it falls into. Nodes of a tree lie together, the root first;
/// children always behind their parent, left and right beside each other.
struct Trees {
  std::vector<uint32_t> roots;     ///< [trees] first node of each
  std::vector<int32_t> feature;    ///< [nodes] -1: a leaf
  std::vector<float> threshold;    ///< [nodes] x <= threshold goes left
  std::vector<uint32_t> left;      ///< [nodes] the right child is left + 1
  std::vector<uint8_t> missing_left;  ///< [nodes] 1: NaN goes left
  std::vector<float> value;        ///< [nodes] of leaves

  size_t size() const { return roots.size(); }
};

/// Borrowed Trees: what a mapped artifact has. Prediction is O(trees · depth).
struct TreesView {
  std::span<const uint32_t> roots;
  std::span<const int32_t> feature;
  std::span<const float> threshold;
  std::span<const uint32_t> left;
  std::span<const uint8_t> missing_left;
  std::span<const float> value;

  TreesView() = default;
  TreesView(const Trees& trees);  // NOLINT: a view

  /// Do all nodes point behind themselves and into the arrays, and is each
  /// feature below `features`? Else Predict would be wild.
  bool Sound(size_t features) const;
  /// row [features]; NaN is missing.
  float Predict(const float* row) const;
};

struct TreeSettings {
  int depth = 6;                    ///< levels of splits, at most
  size_t leaves = 0;                ///< most of them, the best splits first; 0: as many as the depth allows
  double learning_rate = 0.1;       ///< leaves are shrunk by this
  double l2 = 1;                    ///< λ: added to a leaf's hessian
  double min_child_hessian = 1;     ///< a split leaves at least so much on either side
  size_t min_child_rows = 20;
};

/// A table that trees grow on, binned once for any number of growers.
struct BinnedColumns {
  BinEdges edges;
  std::vector<uint8_t> bins;  ///< [features x rows] a column each
  size_t rows = 0;

  size_t features() const { return edges.view().features(); }
  /// rows [n x features], row by row; NaN is missing.
  static std::shared_ptr<const BinnedColumns> Of(std::span<const float> rows, size_t features);
  /// Of rows that are binned already: bins [n x features] row by row. Thresholds
  /// of trees are then halfway between two bins.
  static std::shared_ptr<const BinnedColumns> OfBins(std::span<const uint8_t> bins, size_t features);
};

/// What one tree may see. Empty: all.
struct TreeSample {
  std::span<const uint32_t> rows;      ///< no row twice
  std::span<const uint32_t> features;  ///< ascending
};

/// Grows regression trees on gradients, one at a time: second-order boosting
/// over histograms of features that are binned to a byte each.
///
///   leaf = -Σg / (Σh + λ),   gain = GL²/(HL+λ) + GR²/(HR+λ) - G²/(H+λ)
///
/// Source: Chen, Guestrin, "XGBoost", KDD 2016, eq. 5 and 7; missing values
/// learn the side they go to: their algorithm 3. Histograms: Ke et al.,
/// "LightGBM", NIPS 2017, with the sibling by subtraction.
/// Departure: gradients and hessians are whole numbers, scaled by a power of two
/// so that the sum of all sizes stays below 2³¹ (Shi et al., "Quantized Training
/// of Gradient Boosting Decision Trees", NeurIPS 2022, but with all the bits that
/// fit: 15 of a mean row where there are 30,000). Sums are exact, so that trees
/// are the same, byte for byte, for any number of threads, and a row costs one
/// addition of 16 bytes.
class TreeGrower {
 public:
  TreeGrower(std::shared_ptr<const BinnedColumns> table, const TreeSettings& settings);
  /// rows [n x features], row by row; NaN is missing.
  TreeGrower(std::span<const float> rows, size_t features, const TreeSettings& settings);
  ~TreeGrower();
  TreeGrower(const TreeGrower&) = delete;
  TreeGrower& operator=(const TreeGrower&) = delete;

  /// One tree that lowers the loss of these gradients and hessians [n] of the
  /// sample: appended to `trees`, its values added to the predictions [n] of all
  /// rows, those outside the sample too. Gradients that are not finite: a tree of
  /// one leaf that says 0. O(n · features · depth / 2).
  void Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees, std::span<float> predictions,
            const TreeSample& sample = {});

  /// [features] gain of all splits so far: which features matter.
  const std::vector<double>& gain() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::math
