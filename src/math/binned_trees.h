#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace segue::math {

/// One node of a tree over binned rows (math/bins.h), 8 bytes. A split sends a
/// row whose feature has bin b to the right where
///
///   uint8(b + shift) > bin,
///
/// else to the left. kMissingBin is 255: shift 0 sends it to the right, shift 1
/// wraps it to 0 and so to the left, without a branch (`bin` is one more then).
struct BinnedNode {
  static constexpr uint32_t kLeaf = uint32_t{1} << 31;

  uint32_t next = kLeaf;  ///< split: the left child, the right is next + 1; leaf: kLeaf | number of the leaf
  uint16_t feature = 0;
  uint8_t bin = 0;
  uint8_t shift = 0;

  bool leaf() const { return (next & kLeaf) != 0; }
  bool Right(const uint8_t* row) const { return static_cast<uint8_t>(row[feature] + shift) > bin; }
};
static_assert(sizeof(BinnedNode) == 8, "no padding: the bytes are the same everywhere");

/// Bins up to `bin` go left, and the missing where `missing_left`.
inline BinnedNode SplitNode(uint32_t left, uint16_t feature, uint8_t bin, bool missing_left) {
  const uint8_t shift = missing_left ? 1 : 0;
  return {left, feature, static_cast<uint8_t>(bin + shift), shift};
}

/// An ensemble of trees, flat, the root of each first; children behind their
/// parent, left and right beside each other. What a leaf says is its number's
/// owner's business: a share of classes, or a value.
struct BinnedTrees {
  std::vector<uint32_t> roots;  ///< [trees]
  std::vector<BinnedNode> nodes;
};

/// Borrowed: of BinnedTrees or a mapped artifact.
struct BinnedTreesView {
  std::span<const uint32_t> roots;
  std::span<const BinnedNode> nodes;

  BinnedTreesView() = default;
  BinnedTreesView(const BinnedTrees& trees) : roots(trees.roots), nodes(trees.nodes) {}  // NOLINT: a view

  size_t size() const { return roots.size(); }
  /// Do all nodes point behind themselves and into the array, to features and
  /// leaves below these? Else a walk would be wild or have no end.
  bool Sound(size_t features, size_t leaves) const;
};

/// The leaves that one tree has for many rows: a few rows walk at once, so that
/// one's wait for memory is another's step.
///   bins [n x features] row by row;  leaves [n]
void LeavesOfRows(const BinnedTreesView& trees, size_t tree, std::span<const uint8_t> bins, size_t features,
                  std::span<uint32_t> leaves);
/// The same of rows that are given by number. leaves [which.size()]
void LeavesOfRows(const BinnedTreesView& trees, size_t tree, std::span<const uint8_t> bins, size_t features,
                  std::span<const uint32_t> which, std::span<uint32_t> leaves);
/// The leaves that all trees have for one row. leaves [trees]
void LeavesOfRow(const BinnedTreesView& trees, std::span<const uint8_t> row, std::span<uint32_t> leaves);

}  // namespace segue::math
