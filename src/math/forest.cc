#include "math/forest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "core/check.h"
#include "math/forest_tree.h"
#include "math/parallel.h"

namespace segue::math {
namespace {

/// Rows that go through a tree before the next tree has its turn: more would
/// leave the cache, fewer would fetch the trees more often.
constexpr size_t kBlock = 2048;

/// [leaves] share of label 1, of two.
std::vector<float> SharesOfOne(const LeafSharesView& leaves) {
  std::vector<float> ones(leaves.leaves(), 0.0f);
  for (size_t leaf = 0; leaf < ones.size(); ++leaf) {
    for (uint32_t i = leaves.begin[leaf]; i < leaves.begin[leaf + 1]; ++i) {
      if (leaves.label[i] == 1) ones[leaf] = leaves.share[i];
    }
  }
  return ones;
}

/// Sums of shares, in the order of their addition.
class ShareSums {
 public:
  ShareSums(const LeafSharesView& leaves, size_t labels) : leaves_(leaves), labels_(labels) {
    if (labels == 2) ones_ = SharesOfOne(leaves);
  }
  size_t width() const { return labels_ == 2 ? 1 : labels_; }
  /// sums [width]
  void Add(uint32_t leaf, float* sums) const {
    if (labels_ == 2) {
      *sums += ones_[leaf];
      return;
    }
    for (uint32_t i = leaves_.begin[leaf]; i < leaves_.begin[leaf + 1]; ++i) sums[leaves_.label[i]] += leaves_.share[i];
  }
  /// out [labels]
  void Mean(const float* sums, size_t trees, float* out) const {
    const auto n = static_cast<float>(trees);
    if (labels_ == 2) {
      out[1] = *sums / n;
      out[0] = 1 - out[1];
      return;
    }
    for (size_t c = 0; c < labels_; ++c) out[c] = sums[c] / n;
  }

 private:
  const LeafSharesView& leaves_;
  size_t labels_;
  std::vector<float> ones_;
};

}  // namespace

bool LeafSharesView::Sound(size_t labels) const {
  if (begin.empty() || begin.front() != 0 || begin.back() != label.size() || label.size() != share.size()) return false;
  for (size_t leaf = 0; leaf < leaves(); ++leaf) {
    if (begin[leaf + 1] <= begin[leaf] || begin[leaf + 1] > label.size()) return false;
    double sum = 0;
    for (uint32_t i = begin[leaf]; i < begin[leaf + 1]; ++i) {
      if (label[i] >= labels || (i > begin[leaf] && label[i] <= label[i - 1]) || !(share[i] > 0)) return false;
      sum += share[i];
    }
    if (!(std::abs(sum - 1) < 1e-3)) return false;
  }
  return true;
}

void PredictForest(const BinnedTreesView& trees, const LeafSharesView& leaves, std::span<const uint8_t> bins,
                   size_t features, size_t labels, std::span<float> out) {
  const size_t n = bins.size() / features;
  const ShareSums shares(leaves, labels);
  ParallelRanges(n, kBlock, [&](size_t first, size_t last) {
    std::vector<uint32_t> at(std::max(last - first, trees.size()));
    std::vector<float> sums((last - first) * shares.width(), 0.0f);
    if (last - first == 1) {
      LeavesOfRow(trees, bins.subspan(first * features, features), at);
      for (size_t t = 0; t < trees.size(); ++t) shares.Add(at[t], sums.data());
    } else {
      at.resize(last - first);
      for (size_t t = 0; t < trees.size(); ++t) {
        LeavesOfRows(trees, t, bins.subspan(first * features, (last - first) * features), features, at);
        for (size_t r = 0; r < at.size(); ++r) shares.Add(at[r], sums.data() + r * shares.width());
      }
    }
    for (size_t r = first; r < last; ++r) shares.Mean(sums.data() + (r - first) * shares.width(), trees.size(), out.data() + r * labels);
  });
}

class ForestGrower::Impl {
 public:
  Impl(std::span<const uint8_t> bins, size_t features, std::span<const uint16_t> label, size_t labels,
       const ForestSettings& settings, uint64_t seed)
      : label_(label.begin(), label.end()), settings_(settings), seed_(seed), gain_(features, 0.0) {
    SEGUE_CHECK(features > 0 && features <= std::numeric_limits<uint16_t>::max() && !label.empty());
    SEGUE_CHECK(bins.size() == label.size() * features && labels >= 2 && labels <= std::numeric_limits<uint16_t>::max());
    SEGUE_CHECK(std::all_of(label.begin(), label.end(), [&](uint16_t c) { return c < labels; }));
    table_ = {bins, features, label_, labels};
  }

  void Grow(size_t trees, Forest& forest) {
    const size_t before = forest.trees.roots.size();
    if (before == 0) {
      for (size_t c = 0; c < table_.labels; ++c) AddLeaf({{static_cast<uint16_t>(c), 1.0f}}, forest);
    }
    std::vector<ForestTree> grown(trees);
    ParallelFor(trees, [&](size_t t) { grown[t] = GrowForestTree(table_, settings_, Random(seed_, before + t)); });
    for (ForestTree& tree : grown) {
      std::vector<uint32_t> leaf(tree.shares.size());
      for (size_t i = 0; i < leaf.size(); ++i) leaf[i] = AddLeaf(tree.shares[i], forest);
      const auto base = static_cast<uint32_t>(forest.trees.nodes.size());
      SEGUE_CHECK(base + tree.nodes.size() < BinnedNode::kLeaf);
      forest.trees.roots.push_back(base);
      for (BinnedNode node : tree.nodes) {
        const uint32_t own = node.next & ~BinnedNode::kLeaf;
        if (!node.leaf()) {
          node.next += base;
        } else if (own >= table_.labels) {
          node.next = BinnedNode::kLeaf | leaf[own - table_.labels];
        }
        forest.trees.nodes.push_back(node);
      }
      for (size_t f = 0; f < gain_.size(); ++f) gain_[f] += tree.gain[f];
      drawn_.push_back(std::move(tree.drawn));
    }
  }

  std::vector<float> OutOfBag(const Forest& forest) const {
    if (!settings_.bootstrap) return {};
    const size_t labels = table_.labels;
    std::vector<float> out(table_.size() * labels, std::numeric_limits<float>::quiet_NaN());
    const LeafSharesView leaves = forest.leaves();
    const ShareSums shares(leaves, labels);
    ParallelRanges(table_.size(), kBlock, [&](size_t first, size_t last) {
      std::vector<float> sums((last - first) * shares.width(), 0.0f);
      std::vector<uint32_t> trees(last - first, 0), which, at;
      for (size_t t = 0; t < forest.trees.roots.size(); ++t) {
        which.clear();
        for (size_t r = first; r < last; ++r) {
          if ((drawn_[t][r / 64] >> (r % 64) & 1) == 0) which.push_back(static_cast<uint32_t>(r));
        }
        at.resize(which.size());
        LeavesOfRows(forest.trees, t, table_.bins, table_.features, which, at);
        for (size_t i = 0; i < which.size(); ++i) {
          shares.Add(at[i], sums.data() + (which[i] - first) * shares.width());
          ++trees[which[i] - first];
        }
      }
      for (size_t r = first; r < last; ++r) {
        if (trees[r - first] != 0) shares.Mean(sums.data() + (r - first) * shares.width(), trees[r - first], out.data() + r * labels);
      }
    });
    return out;
  }

  std::vector<double> Gain() const {
    std::vector<double> gain = gain_;
    for (double& of : gain) of /= std::max<double>(1, static_cast<double>(drawn_.size()));
    return gain;
  }

 private:
  uint32_t AddLeaf(const std::vector<std::pair<uint16_t, float>>& shares, Forest& forest) {
    const auto [found, fresh] = leaves_.try_emplace(shares, static_cast<uint32_t>(leaves_.size()));
    if (fresh) {
      for (const auto& [label, share] : shares) {
        forest.leaf_label.push_back(label);
        forest.leaf_share.push_back(share);
      }
      forest.leaf_begin.push_back(static_cast<uint32_t>(forest.leaf_label.size()));
    }
    return found->second;
  }

  const std::vector<uint16_t> label_;
  const ForestSettings settings_;
  const uint64_t seed_;
  ForestTable table_;
  std::vector<double> gain_;
  std::vector<std::vector<uint64_t>> drawn_;  ///< [trees]
  std::map<std::vector<std::pair<uint16_t, float>>, uint32_t> leaves_;
};

ForestGrower::ForestGrower(std::span<const uint8_t> bins, size_t features, std::span<const uint16_t> label, size_t labels,
                           const ForestSettings& settings, uint64_t seed)
    : impl_(std::make_unique<Impl>(bins, features, label, labels, settings, seed)) {}
ForestGrower::~ForestGrower() = default;

void ForestGrower::Grow(size_t trees, Forest& forest) { impl_->Grow(trees, forest); }
std::vector<double> ForestGrower::Gain() const { return impl_->Gain(); }
std::vector<float> ForestGrower::OutOfBag(const Forest& forest) const { return impl_->OutOfBag(forest); }

}  // namespace segue::math
