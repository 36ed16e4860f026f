#include "math/forest_tree.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

namespace segue::math {
namespace {

/// A row that was drawn.
struct Item {
  uint32_t row;
  uint16_t weight;  ///< how often
  uint16_t label;
};

/// Sums of one bin of a node. Two labels: the weight in the upper half, that of
/// label 1 in the lower; more: the weight, and the number of items.
struct BinSum {
  uint64_t sum;
  uint32_t bin;
};

uint64_t Weight(uint64_t sum) { return sum >> 32; }
uint64_t Lower(uint64_t sum) { return sum & 0xffffffffu; }

struct Cut {
  double impurity = std::numeric_limits<double>::infinity();
  int feature = -1;
  uint32_t bin = 0;  ///< bins up to this go left
  bool missing_left = false;
};

class TreeBuilder {
 public:
  TreeBuilder(const ForestTable& table, const ForestSettings& settings, Random random)
      : table_(table), settings_(settings), random_(random), two_(table.labels == 2), order_(table.features),
        least_(std::max<uint64_t>(1, settings.min_leaf_rows)) {
    std::iota(order_.begin(), order_.end(), 0u);
    tried_ = settings.tried != 0 ? settings.tried : static_cast<size_t>(std::lround(std::sqrt(static_cast<double>(table.features))));
    tried_ = std::clamp<size_t>(tried_, 1, table.features);
    tree_.gain.assign(table.features, 0.0);
    if (!two_) {
      node_count_.assign(table.labels, 0);
      left_count_.assign(table.labels, 0);
    }
  }

  ForestTree Build() {
    Draw();
    spare_.resize(items_.size());
    tree_.nodes.emplace_back();
    std::vector<Pending> open{{0, 0, items_.size(), 0}};
    while (!open.empty()) {
      const Pending node = open.back();
      open.pop_back();
      CountLabels(node);
      const Cut cut = pure_ || Total(node) < 2 * least_ || (settings_.max_depth != 0 && node.depth >= settings_.max_depth) ? Cut{} : Best(node);
      if (cut.feature < 0) {
        Close(node);
        continue;
      }
      tree_.gain[static_cast<size_t>(cut.feature)] += node_impurity_ - cut.impurity;
      const size_t middle = Part(node, cut);
      const auto left = static_cast<uint32_t>(tree_.nodes.size());
      tree_.nodes.resize(tree_.nodes.size() + 2);
      tree_.nodes[node.node] = SplitNode(left, static_cast<uint16_t>(cut.feature), static_cast<uint8_t>(cut.bin), cut.missing_left);
      open.push_back({left + 1, middle, node.end, node.depth + 1});
      open.push_back({left, node.begin, middle, node.depth + 1});
    }
    for (double& gain : tree_.gain) gain /= static_cast<double>(total_drawn_);
    return std::move(tree_);
  }

 private:
  struct Pending {
    uint32_t node;
    size_t begin, end;  ///< of items_
    size_t depth;
  };

  void Draw() {
    const size_t n = table_.size();
    const size_t draws = settings_.most_rows == 0 ? n : std::min(n, settings_.most_rows);
    std::vector<uint16_t> times(n, 0);
    if (settings_.bootstrap) {
      for (size_t i = 0; i < draws; ++i) {
        uint16_t& of = times[random_.Below(n)];
        of = static_cast<uint16_t>(std::min<uint32_t>(of + 1u, std::numeric_limits<uint16_t>::max()));
      }
      tree_.drawn.assign((n + 63) / 64, 0);
    } else {
      // Selection sampling (Knuth, "The Art of Computer Programming" 2, 3.4.2, algorithm S).
      for (size_t r = 0, left = draws; r < n && left > 0; ++r) {
        if (draws == n || random_.Below(n - r) < left) {
          times[r] = 1;
          --left;
        }
      }
    }
    for (size_t r = 0; r < n; ++r) {
      if (times[r] == 0) continue;
      items_.push_back({static_cast<uint32_t>(r), times[r], table_.label[r]});
      total_drawn_ += times[r];
      if (settings_.bootstrap) tree_.drawn[r / 64] |= uint64_t{1} << (r % 64);
    }
  }

  /// Sets sum_ or node_count_, pure_ and node_impurity_.
  void CountLabels(const Pending& node) {
    if (two_) {
      sum_ = 0;
      for (size_t i = node.begin; i < node.end; ++i) sum_ += TwoLabels(items_[i]);
      const double w = static_cast<double>(Weight(sum_));
      const double ones = static_cast<double>(Lower(sum_));
      pure_ = Lower(sum_) == 0 || Lower(sum_) == Weight(sum_);
      node_impurity_ = 2 * ones * (w - ones) / w;
      return;
    }
    std::fill(node_count_.begin(), node_count_.end(), 0u);
    uint64_t w = 0;
    for (size_t i = node.begin; i < node.end; ++i) {
      node_count_[items_[i].label] += items_[i].weight;
      w += items_[i].weight;
    }
    node_squares_ = 0;
    for (const uint32_t c : node_count_) node_squares_ += static_cast<double>(c) * c;
    sum_ = w << 32;
    pure_ = node_count_[items_[node.begin].label] == w;
    node_impurity_ = static_cast<double>(w) - node_squares_ / static_cast<double>(w);
  }

  static uint64_t TwoLabels(const Item& item) {
    return (uint64_t{item.weight} << 32) | (item.label != 0 ? item.weight : 0u);
  }
  uint64_t Total(const Pending&) const { return Weight(sum_); }

  Cut Best(const Pending& node) {
    Cut best;
    bool varied = false;
    for (size_t k = 0; k < order_.size() && (k < tried_ || !varied); ++k) {
      std::swap(order_[k], order_[k + random_.Below(order_.size() - k)]);
      const uint32_t feature = order_[k];
      if (!Gather(node, feature)) continue;
      varied = true;
      if (missing_ == 0) {
        Try(node, feature, false, best);
      } else {
        Try(node, feature, true, best);
        Try(node, feature, false, best);
      }
    }
    return best;
  }

  /// Fills touched_ with the known bins, ascending, and missing_; leaves the
  /// histogram clear. False where the feature is constant.
  bool Gather(const Pending& node, uint32_t feature) {
    const uint8_t* bins = table_.bins.data() + feature;
    const size_t width = table_.features;
    const Item* first = items_.data() + node.begin;
    const Item* last = items_.data() + node.end;
    std::array<uint64_t, 4> marks{};
    if (two_) {
      for (const Item* item = first; item != last; ++item) {
        const uint8_t b = bins[item->row * width];
        histogram_[b] += TwoLabels(*item);
        marks[b >> 6] |= uint64_t{1} << (b & 63);
      }
    } else {
      for (const Item* item = first; item != last; ++item) {
        const uint8_t b = bins[item->row * width];
        histogram_[b] += (uint64_t{item->weight} << 32) | 1;
        marks[b >> 6] |= uint64_t{1} << (b & 63);
      }
    }
    missing_ = histogram_[kMissingBin];
    histogram_[kMissingBin] = 0;
    marks[3] &= ~(uint64_t{1} << 63);
    touched_count_ = 0;
    for (uint32_t word = 0; word < 4; ++word) {
      for (uint64_t bits = marks[word]; bits != 0; bits &= bits - 1) {
        const uint32_t b = word * 64 + static_cast<uint32_t>(std::countr_zero(bits));
        touched_[touched_count_++] = {histogram_[b], b};
        histogram_[b] = 0;
      }
    }
    if (touched_count_ + (missing_ != 0 ? 1 : 0) < 2) return false;
    if (!two_) SortByBin(node, bins);
    return true;
  }

  /// sorted_: the node's items by bin, the missing last.
  void SortByBin(const Pending& node, const uint8_t* bins) {
    uint32_t at = 0;
    for (size_t i = 0; i < touched_count_; ++i) {
      place_[touched_[i].bin] = at;
      at += static_cast<uint32_t>(Lower(touched_[i].sum));
    }
    place_[kMissingBin] = at;
    sorted_.resize(std::max(sorted_.size(), node.end - node.begin));
    for (size_t i = node.begin; i < node.end; ++i) sorted_[place_[bins[items_[i].row * table_.features]]++] = items_[i];
  }

  /// The cuts of what Gather left, missing values on one side.
  void Try(const Pending& node, uint32_t feature, bool missing_left, Cut& best) {
    // Without known bins on the right, missing values alone are there.
    const size_t last = missing_ != 0 && !missing_left ? touched_count_ : touched_count_ - 1;
    size_t from = 0;
    if (settings_.random_cuts && touched_count_ > 1) {
      const uint32_t low = touched_[0].bin;
      const uint32_t high = touched_[touched_count_ - 1].bin;
      const auto cut = low + static_cast<uint32_t>(random_.Below(high - low));
      while (touched_[from + 1].bin <= cut) ++from;
      two_ ? TryTwo(feature, missing_left, from, from + 1, best) : TryMany(node, feature, missing_left, from, from + 1, best);
    } else {
      two_ ? TryTwo(feature, missing_left, 0, last, best) : TryMany(node, feature, missing_left, 0, last, best);
    }
  }

  void Offer(uint32_t feature, bool missing_left, size_t i, double impurity, Cut& best) const {
    if (!(impurity < best.impurity)) return;
    // Behind the last known bin: the missing are parted from all others.
    const uint32_t bin = i + 1 < touched_count_ ? (touched_[i].bin + touched_[i + 1].bin) / 2 : kMissingBin - 1u;
    const bool side = missing_ != 0 ? missing_left : 2 * left_weight_ > Weight(sum_);
    best = {impurity, static_cast<int>(feature), bin, side};
  }

  /// Cuts behind touched_[from .. to - 1].
  void TryTwo(uint32_t feature, bool missing_left, size_t from, size_t to, Cut& best) {
    const double whole = static_cast<double>(Weight(sum_));
    const double ones = static_cast<double>(Lower(sum_));
    uint64_t left = missing_left ? missing_ : 0;
    for (size_t i = 0; i < to; ++i) {
      left += touched_[i].sum;
      if (i < from || Weight(left) < least_ || Weight(sum_) - Weight(left) < least_) continue;
      const double l = static_cast<double>(Weight(left));
      const double l1 = static_cast<double>(Lower(left));
      const double r = whole - l;
      const double r1 = ones - l1;
      const double impurity = 2 * (l1 * (l - l1) * r + r1 * (r - r1) * l) / (l * r);
      left_weight_ = Weight(left);
      Offer(feature, missing_left, i, impurity, best);
    }
  }

  void TryMany(const Pending& node, uint32_t feature, bool missing_left, size_t from, size_t to, Cut& best) {
    const uint64_t whole = Weight(sum_);
    const auto items = static_cast<size_t>(node.end - node.begin);
    double left_squares = 0;
    double right_squares = node_squares_;
    uint64_t left = 0;
    const auto move = [&](const Item& item) {
      const double w = item.weight;
      const double l = left_count_[item.label];
      const double r = node_count_[item.label] - l;
      left_squares += w * (2 * l + w);
      right_squares -= w * (2 * r - w);
      left_count_[item.label] += item.weight;
      left += item.weight;
    };
    const auto known = items - static_cast<size_t>(Lower(missing_));
    if (missing_left) std::for_each(sorted_.begin() + static_cast<std::ptrdiff_t>(known), sorted_.begin() + static_cast<std::ptrdiff_t>(items), move);
    size_t at = 0;
    for (size_t i = 0; i < to; ++i) {
      for (const size_t end = at + Lower(touched_[i].sum); at < end; ++at) move(sorted_[at]);
      if (i < from || left < least_ || whole - left < least_) continue;
      const double impurity = static_cast<double>(whole) - left_squares / static_cast<double>(left) - right_squares / static_cast<double>(whole - left);
      left_weight_ = left;
      Offer(feature, missing_left, i, impurity, best);
    }
    for (size_t i = 0; i < items; ++i) left_count_[sorted_[i].label] = 0;
  }

  /// Left items first, in their order. Returns the first of the right.
  size_t Part(const Pending& node, const Cut& cut) {
    const BinnedNode split = SplitNode(0, static_cast<uint16_t>(cut.feature), static_cast<uint8_t>(cut.bin), cut.missing_left);
    size_t left = node.begin;
    size_t right = 0;
    for (size_t i = node.begin; i < node.end; ++i) {
      // Written to both: no branch, which would be guessed wrong half of the time.
      const Item item = items_[i];
      const size_t goes_right = split.Right(table_.bins.data() + item.row * table_.features) ? 1 : 0;
      items_[left] = item;
      spare_[right] = item;
      left += 1 - goes_right;
      right += goes_right;
    }
    std::copy_n(spare_.begin(), right, items_.begin() + static_cast<std::ptrdiff_t>(left));
    return left;
  }

  void Close(const Pending& node) {
    uint32_t leaf = items_[node.begin].label;
    if (!pure_) {
      std::vector<std::pair<uint16_t, float>> shares;
      const double w = static_cast<double>(Weight(sum_));
      if (two_) {
        const double ones = static_cast<double>(Lower(sum_));
        shares = {{uint16_t{0}, static_cast<float>((w - ones) / w)}, {uint16_t{1}, static_cast<float>(ones / w)}};
      } else {
        for (size_t c = 0; c < node_count_.size(); ++c) {
          if (node_count_[c] != 0) shares.push_back({static_cast<uint16_t>(c), static_cast<float>(node_count_[c] / w)});
        }
      }
      const auto [found, fresh] = known_.try_emplace(shares, static_cast<uint32_t>(table_.labels + tree_.shares.size()));
      if (fresh) tree_.shares.push_back(std::move(shares));
      leaf = found->second;
    }
    tree_.nodes[node.node].next = BinnedNode::kLeaf | leaf;
  }

  const ForestTable& table_;
  const ForestSettings& settings_;
  Random random_;
  const bool two_;
  std::vector<uint32_t> order_;  ///< features; the drawn are in front
  const uint64_t least_;
  size_t tried_ = 0;
  uint64_t total_drawn_ = 0;
  std::vector<Item> items_, spare_, sorted_;
  ForestTree tree_;
  std::map<std::vector<std::pair<uint16_t, float>>, uint32_t> known_;

  // Of the node at hand:
  uint64_t sum_ = 0;  ///< as BinSum::sum
  bool pure_ = false;
  double node_impurity_ = 0;
  double node_squares_ = 0;
  std::vector<uint32_t> node_count_, left_count_;  ///< [labels] more than two; left_count_ is 0 between uses

  // Of the feature at hand:
  std::array<uint64_t, kBinSlots> histogram_{};  ///< 0 between uses
  std::array<BinSum, kBinSlots> touched_;
  std::array<uint32_t, kBinSlots> place_;
  size_t touched_count_ = 0;
  uint64_t missing_ = 0;
  uint64_t left_weight_ = 0;
};

}  // namespace

ForestTree GrowForestTree(const ForestTable& table, const ForestSettings& settings, Random random) {
  return TreeBuilder(table, settings, random).Build();
}

}  // namespace segue::math
