#include "math/binned_trees.h"

#include <algorithm>
#include <array>

namespace segue::math {
namespace {

/// Walks that go side by side; more find no registers.
constexpr size_t kLanes = 8;

/// at [lanes]: from roots to leaves.
template <size_t lanes>
void Walk(const BinnedNode* nodes, const std::array<const uint8_t*, lanes>& rows, std::array<uint32_t, lanes>& at) {
  while (true) {
    uint32_t all = BinnedNode::kLeaf;
    for (size_t i = 0; i < lanes; ++i) {
      const BinnedNode node = nodes[at[i]];
      const uint32_t next = node.next + (node.Right(rows[i]) ? 1 : 0);
      at[i] = node.leaf() ? at[i] : next;
      all &= node.next;
    }
    if (all != 0) return;
  }
}

/// n walks: the i-th from root(i) with row(i).
template <typename Root, typename Row>
void WalkAll(const BinnedTreesView& trees, size_t n, std::span<uint32_t> leaves, const Root& root, const Row& row) {
  const BinnedNode* nodes = trees.nodes.data();
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    std::array<const uint8_t*, kLanes> rows;
    std::array<uint32_t, kLanes> at;
    for (size_t k = 0; k < kLanes; ++k) {
      rows[k] = row(i + k);
      at[k] = root(i + k);
    }
    Walk(nodes, rows, at);
    for (size_t k = 0; k < kLanes; ++k) leaves[i + k] = nodes[at[k]].next & ~BinnedNode::kLeaf;
  }
  for (; i < n; ++i) {
    std::array<uint32_t, 1> at{root(i)};
    Walk<1>(nodes, {row(i)}, at);
    leaves[i] = nodes[at[0]].next & ~BinnedNode::kLeaf;
  }
}

}  // namespace

bool BinnedTreesView::Sound(size_t features, size_t leaves) const {
  if (std::any_of(roots.begin(), roots.end(), [&](uint32_t root) { return root >= nodes.size(); })) return false;
  for (size_t i = 0; i < nodes.size(); ++i) {
    const BinnedNode& node = nodes[i];
    if (node.feature >= features || node.shift > 1) return false;
    if (node.leaf()) {
      if ((node.next & ~BinnedNode::kLeaf) >= leaves) return false;
    } else if (node.next <= i || node.next >= nodes.size() - 1) {
      return false;
    }
  }
  return true;
}

void LeavesOfRows(const BinnedTreesView& trees, size_t tree, std::span<const uint8_t> bins, size_t features,
                  std::span<uint32_t> leaves) {
  WalkAll(trees, leaves.size(), leaves, [&](size_t) { return trees.roots[tree]; },
          [&](size_t i) { return bins.data() + i * features; });
}

void LeavesOfRows(const BinnedTreesView& trees, size_t tree, std::span<const uint8_t> bins, size_t features,
                  std::span<const uint32_t> which, std::span<uint32_t> leaves) {
  WalkAll(trees, which.size(), leaves, [&](size_t) { return trees.roots[tree]; },
          [&](size_t i) { return bins.data() + which[i] * features; });
}

void LeavesOfRow(const BinnedTreesView& trees, std::span<const uint8_t> row, std::span<uint32_t> leaves) {
  WalkAll(trees, trees.size(), leaves, [&](size_t i) { return trees.roots[i]; }, [&](size_t) { return row.data(); });
}

}  // namespace segue::math
