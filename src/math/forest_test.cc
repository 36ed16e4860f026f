#include "math/forest.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/forest_tree.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

struct Table {
  std::vector<uint8_t> bins;
  std::vector<uint16_t> label;
  size_t features = 0;
  size_t labels = 0;
  size_t size() const { return label.size(); }
  ForestTable view() const { return {bins, features, label, labels}; }
};

/// Feature 0 tells the label most of the time, others are noise; few values, so
/// that nodes have ties; some missing.
Table RandomTable(size_t n, size_t features, size_t labels, double missing, uint64_t seed) {
  Table table{{}, {}, features, labels};
  Random random(seed);
  for (size_t r = 0; r < n; ++r) {
    const auto label = static_cast<uint16_t>(random.Below(labels));
    table.label.push_back(label);
    for (size_t f = 0; f < features; ++f) {
      const size_t value = f == 0 && random.Uniform() < 0.7 ? label * 9 + random.Below(9) : random.Below(f + 1 == features ? 2 : 40);
      table.bins.push_back(random.Uniform() < missing ? kMissingBin : static_cast<uint8_t>(value));
    }
  }
  return table;
}

/// Σ_side w(side)·(1 - Σ share²) by its definition.
double Impurity(const Table& table, std::span<const uint32_t> rows, const BinnedNode& split) {
  double sum = 0;
  for (const bool side : {false, true}) {
    std::vector<double> count(table.labels, 0);
    double w = 0;
    for (const uint32_t r : rows) {
      if (split.Right(table.bins.data() + r * table.features) != side) continue;
      ++count[table.label[r]];
      ++w;
    }
    if (w == 0) return std::numeric_limits<double>::infinity();
    double squares = 0;
    for (const double c : count) squares += (c / w) * (c / w);
    sum += w * (1 - squares);
  }
  return sum;
}

/// Every cut of every feature, with the missing on either side.
double BestImpurity(const Table& table, std::span<const uint32_t> rows, size_t least) {
  double best = std::numeric_limits<double>::infinity();
  for (uint16_t f = 0; f < table.features; ++f) {
    for (int bin = 0; bin < 255; ++bin) {
      for (const bool missing_left : {false, true}) {
        const BinnedNode split = SplitNode(0, f, static_cast<uint8_t>(bin), missing_left);
        size_t right = 0;
        for (const uint32_t r : rows) right += split.Right(table.bins.data() + r * table.features) ? 1 : 0;
        if (right < least || rows.size() - right < least) continue;
        best = std::min(best, Impurity(table, rows, split));
      }
    }
  }
  return best;
}

/// Looks at every node of a tree that saw each row once and tried all features.
void ExpectBestEverywhere(const Table& table, size_t least) {
  const ForestSettings settings{.tried = table.features, .min_leaf_rows = least, .bootstrap = false};
  const ForestTree tree = GrowForestTree(table.view(), settings, Random(1));
  std::vector<std::vector<uint32_t>> rows(tree.nodes.size());
  rows[0].resize(table.size());
  std::iota(rows[0].begin(), rows[0].end(), 0u);
  double lowered = 0;
  for (size_t i = 0; i < tree.nodes.size(); ++i) {
    const BinnedNode& node = tree.nodes[i];
    const double best = BestImpurity(table, rows[i], least);
    if (node.leaf()) {
      std::vector<double> count(table.labels, 0);
      for (const uint32_t r : rows[i]) count[table.label[r]] += 1;
      const uint32_t leaf = node.next & ~BinnedNode::kLeaf;
      const bool pure = *std::max_element(count.begin(), count.end()) == static_cast<double>(rows[i].size());
      EXPECT_EQ(leaf < table.labels, pure);
      EXPECT_TRUE(pure || std::isinf(best)) << "a node that could be split is a leaf";
      if (pure) {
        EXPECT_EQ(leaf, table.label[rows[i][0]]);
      } else {
        for (const auto& [label, share] : tree.shares[leaf - table.labels]) {
          EXPECT_FLOAT_EQ(share, static_cast<float>(count[label] / static_cast<double>(rows[i].size())));
        }
      }
      continue;
    }
    const double is = Impurity(table, rows[i], node);
    EXPECT_NEAR(is, best, 1e-9 * static_cast<double>(rows[i].size())) << "node " << i;
    lowered += Impurity(table, rows[i], node);
    for (const uint32_t r : rows[i]) rows[node.next + (node.Right(table.bins.data() + r * table.features) ? 1 : 0)].push_back(r);
  }
  EXPECT_GT(lowered, 0);
}

TEST(Forest, EverySplitIsTheBestThatBruteForceFindsOfTwoLabels) {
  ExpectBestEverywhere(RandomTable(300, 4, 2, 0, 1), 1);
  ExpectBestEverywhere(RandomTable(300, 4, 2, 0, 2), 5);
}

TEST(Forest, EverySplitIsTheBestThatBruteForceFindsOfManyLabels) { ExpectBestEverywhere(RandomTable(300, 4, 7, 0, 3), 2); }

TEST(Forest, EverySplitSendsMissingValuesWhereBruteForceWould) {
  ExpectBestEverywhere(RandomTable(200, 3, 2, 0.3, 4), 1);
  ExpectBestEverywhere(RandomTable(200, 3, 4, 0.3, 5), 1);
}

TEST(Forest, TwoLabelsAreSplitAsIfThereMightBeMore) {
  // A third label that no row has takes the other path through the code.
  const Table two = RandomTable(400, 5, 2, 0.1, 6);
  Table three = two;
  three.labels = 3;
  for (const bool random_cuts : {false, true}) {
    const ForestSettings settings{.random_cuts = random_cuts};
    const ForestTree a = GrowForestTree(two.view(), settings, Random(9));
    const ForestTree b = GrowForestTree(three.view(), settings, Random(9));
    ASSERT_EQ(a.nodes.size(), b.nodes.size());
    for (size_t i = 0; i < a.nodes.size(); ++i) {
      EXPECT_EQ(a.nodes[i].feature, b.nodes[i].feature);
      EXPECT_EQ(a.nodes[i].bin, b.nodes[i].bin);
    }
  }
}

TEST(Forest, OutOfBagIsTheMeanOfTheTreesThatDidNotDrawTheRow) {
  for (const size_t labels : {2, 5}) {
    const Table table = RandomTable(150, 4, labels, 0.1, 7);
    constexpr size_t kTrees = 12;
    const ForestSettings settings;
    ForestGrower grower(table.bins, table.features, table.label, labels, settings, 11);
    Forest forest;
    grower.Grow(kTrees, forest);
    const auto fast = grower.OutOfBag(forest);
    std::vector<double> sum(table.size() * labels, 0), trees(table.size(), 0);
    for (size_t t = 0; t < kTrees; ++t) {
      const ForestTree tree = GrowForestTree(table.view(), settings, Random(11, t));
      for (size_t r = 0; r < table.size(); ++r) {
        if ((tree.drawn[r / 64] >> (r % 64) & 1) != 0) continue;
        ++trees[r];
        uint32_t at = 0;
        while (!tree.nodes[at].leaf()) at = tree.nodes[at].next + (tree.nodes[at].Right(table.bins.data() + r * table.features) ? 1 : 0);
        const uint32_t leaf = tree.nodes[at].next & ~BinnedNode::kLeaf;
        if (leaf < labels) {
          ++sum[r * labels + leaf];
        } else {
          for (const auto& [label, share] : tree.shares[leaf - labels]) sum[r * labels + label] += share;
        }
      }
    }
    for (size_t r = 0; r < table.size(); ++r) {
      for (size_t c = 0; c < labels; ++c) {
        if (trees[r] == 0) {
          EXPECT_TRUE(std::isnan(fast[r * labels + c]));
        } else {
          EXPECT_NEAR(fast[r * labels + c], sum[r * labels + c] / trees[r], 1e-6);
        }
      }
    }
  }
}

TEST(Forest, TheSameForestForAnyNumberOfThreadsAndInAnyNumberOfCalls) {
  const Table table = RandomTable(500, 6, 3, 0.1, 8);
  const auto grow = [&](int threads, size_t calls) {
    Forest forest;
    WithThreads(threads, [&] {
      ForestGrower grower(table.bins, table.features, table.label, 3, {.min_leaf_rows = 3}, 5);
      for (size_t i = 0; i < calls; ++i) grower.Grow(12 / calls, forest);
    });
    return forest;
  };
  const Forest one = grow(1, 1);
  for (const Forest& other : {grow(2, 1), grow(3, 4)}) {
    EXPECT_EQ(other.trees.roots, one.trees.roots);
    ASSERT_EQ(other.trees.nodes.size(), one.trees.nodes.size());
    EXPECT_EQ(std::memcmp(other.trees.nodes.data(), one.trees.nodes.data(), one.trees.nodes.size() * sizeof(BinnedNode)), 0);
    EXPECT_EQ(other.leaf_share, one.leaf_share);
    EXPECT_EQ(other.leaf_label, one.leaf_label);
  }
}

TEST(Forest, OneRowIsPredictedAsItIsAmongMany) {
  for (const size_t labels : {2, 4}) {
    const Table table = RandomTable(333, 5, labels, 0.1, 9);
    ForestGrower grower(table.bins, table.features, table.label, labels, {.min_leaf_rows = 2}, 5);
    Forest forest;
    grower.Grow(21, forest);
    EXPECT_TRUE(BinnedTreesView(forest.trees).Sound(table.features, forest.leaves().leaves()));
    EXPECT_TRUE(forest.leaves().Sound(labels));
    std::vector<float> all(table.size() * labels), one(labels);
    PredictForest(forest.trees, forest.leaves(), table.bins, table.features, labels, all);
    for (size_t r = 0; r < table.size(); ++r) {
      PredictForest(forest.trees, forest.leaves(), std::span(table.bins).subspan(r * 5, 5), 5, labels, one);
      EXPECT_EQ(std::vector<float>(all.begin() + static_cast<std::ptrdiff_t>(r * labels), all.begin() + static_cast<std::ptrdiff_t>((r + 1) * labels)), one);
      EXPECT_NEAR(std::accumulate(one.begin(), one.end(), 0.0), 1, 1e-5);
    }
  }
}

TEST(Forest, TheFeatureThatTellsGainsMost) {
  const Table table = RandomTable(800, 5, 2, 0, 10);
  for (const bool random_cuts : {false, true}) {
    ForestGrower grower(table.bins, table.features, table.label, 2, {.min_leaf_rows = 20, .random_cuts = random_cuts}, 5);
    Forest forest;
    grower.Grow(30, forest);
    const auto gain = grower.Gain();
    for (size_t f = 1; f < 5; ++f) EXPECT_GT(gain[0], 3 * gain[f]);
  }
}

TEST(Forest, RowsThatAreAllAlikeAreOneLeafOfTheirShares) {
  Table table{std::vector<uint8_t>(40, 7), {}, 2, 2};
  for (size_t r = 0; r < 20; ++r) table.label.push_back(r < 5 ? 1 : 0);
  const ForestTree tree = GrowForestTree(table.view(), {.bootstrap = false}, Random(1));
  ASSERT_EQ(tree.nodes.size(), 1u);
  ASSERT_EQ(tree.shares.size(), 1u);
  EXPECT_FLOAT_EQ(tree.shares[0][1].second, 0.25f);
}

TEST(Forest, DepthAndRowsOfATreeAreLimited) {
  const Table table = RandomTable(1000, 4, 2, 0, 12);
  const ForestTree shallow = GrowForestTree(table.view(), {.max_depth = 2}, Random(1));
  EXPECT_LE(shallow.nodes.size(), 7u);
  const ForestTree few = GrowForestTree(table.view(), {.most_rows = 50}, Random(1));
  uint64_t drawn = 0;
  for (const uint64_t word : few.drawn) drawn += static_cast<uint64_t>(__builtin_popcountll(word));
  EXPECT_LE(drawn, 50u);
  EXPECT_GT(drawn, 30u);
}

TEST(Forest, WildNodesAndLeavesAreNotSound) {
  const Table table = RandomTable(100, 3, 3, 0, 13);
  ForestGrower grower(table.bins, 3, table.label, 3, {.min_leaf_rows = 5}, 5);
  Forest forest;
  grower.Grow(2, forest);
  const size_t leaves = forest.leaves().leaves();
  ASSERT_TRUE(BinnedTreesView(forest.trees).Sound(3, leaves));
  const auto damaged = [&](auto damage) {
    Forest copy = forest;
    damage(copy);
    return !BinnedTreesView(copy.trees).Sound(3, leaves) || !copy.leaves().Sound(3);
  };
  EXPECT_TRUE(damaged([](Forest& f) { f.trees.nodes[0].next = 0; })) << "itself: a walk without end";
  EXPECT_TRUE(damaged([](Forest& f) { f.trees.nodes[0].next = static_cast<uint32_t>(f.trees.nodes.size() - 1); }));
  EXPECT_TRUE(damaged([](Forest& f) { f.trees.nodes[0].feature = 3; }));
  EXPECT_TRUE(damaged([](Forest& f) { f.trees.nodes[0].shift = 2; }));
  EXPECT_TRUE(damaged([&](Forest& f) { f.trees.nodes.back().next = BinnedNode::kLeaf | static_cast<uint32_t>(leaves); }));
  EXPECT_TRUE(damaged([](Forest& f) { f.trees.roots[1] = static_cast<uint32_t>(f.trees.nodes.size()); }));
  EXPECT_TRUE(damaged([](Forest& f) { f.leaf_label[0] = 3; }));
  EXPECT_TRUE(damaged([](Forest& f) { f.leaf_share[0] = std::nanf(""); }));
  EXPECT_TRUE(damaged([](Forest& f) { f.leaf_begin[1] = 1'000'000; }));
}

}  // namespace
}  // namespace segue::math
