#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

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
  int depth = 6;                    ///< levels of splits
  double learning_rate = 0.1;       ///< leaves are shrunk by this
  double l2 = 1;                    ///< λ: added to a leaf's hessian
  double min_child_hessian = 1;     ///< a split leaves at least so much on either side
  size_t min_child_rows = 20;
};

/// Grows regression trees on gradients, one at a time: second-order boosting
/// over histograms of features that are binned to a byte each.
///
///   leaf = -Σg / (Σh + λ),   gain = GL²/(HL+λ) + GR²/(HR+λ) - G²/(H+λ)
///
/// Source: Chen, Guestrin, "XGBoost", KDD 2016, eq. 5 and 7; missing values
/// learn the side they go to: their algorithm 3. Histograms: Ke et al.,
/// "LightGBM", NIPS 2017, with the sibling by subtraction.
/// Departure: a feature's histogram is summed by one thread in the order of
/// the rows, threads share out features, so that trees are the same, byte for
/// byte, for any number of threads (libraries sum by blocks of rows).
class TreeGrower {
 public:
  /// rows [n x features], row by row; NaN is missing. Bins hold about the same
  /// number of rows each, 255 at most. Copies what it needs.
  TreeGrower(std::span<const float> rows, size_t features, const TreeSettings& settings);
  ~TreeGrower();
  TreeGrower(const TreeGrower&) = delete;
  TreeGrower& operator=(const TreeGrower&) = delete;

  /// One tree that lowers the loss of these gradients and hessians [n]:
  /// appended to `trees`, its values added to `predictions` [n].
  /// O(n · features · depth / 2).
  void Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees, std::span<float> predictions);

  /// [features] gain of all splits so far: which features matter.
  const std::vector<double>& gain() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace segue::math
