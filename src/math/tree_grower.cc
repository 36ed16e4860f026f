#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "core/check.h"
#include "math/parallel.h"
#include "math/trees.h"

namespace segue::math {
namespace {

constexpr double kMostSum = 1 << 30;     ///< of scaled sizes, so that any sum fits 32 bits with its sign
constexpr size_t kWorthSharing = 20'000;  ///< additions, below which threads cost more than they save

/// Sums of a bin, or of a node: scaled, exact. Four numbers, so that the
/// compiler adds them at once.
struct alignas(16) Sums {
  int32_t gradient = 0;
  int32_t hessian = 0;
  uint32_t rows = 0;
  uint32_t unused = 0;

  Sums& operator+=(const Sums& other) {
    gradient += other.gradient;
    hessian += other.hessian;
    rows += other.rows;
    unused += other.unused;
    return *this;
  }
  Sums operator-(const Sums& other) const {
    return {gradient - other.gradient, hessian - other.hessian, rows - other.rows, unused - other.unused};
  }
};

struct Item {
  uint32_t row;
  int32_t gradient;
  int32_t hessian;
};

struct Split {
  double gain = 0;
  int feature = -1;
  int bin = 0;  ///< bins up to this go left
  bool missing_left = false;
  Sums left;
};

using Histogram = std::vector<Sums>;  ///< [features x kBinSlots]

/// A node that may still be split: items [begin, end), other rows [rest_begin, rest_end).
struct Open {
  uint32_t node = 0;
  int depth = 0;
  size_t begin = 0, end = 0;
  size_t rest_begin = 0, rest_end = 0;
  Sums sums;
  Split split;  ///< the best
  Histogram histogram;
};

/// The largest power of two that keeps values which add up to `sum` within kMostSum.
double ScaleOf(double sum) { return sum > 0 ? std::exp2(std::floor(std::log2(kMostSum / sum))) : 1; }

/// Left ones first, in their order, without a branch. Returns the first of the right.
template <typename T, typename Right>
size_t Part(std::vector<T>& of, std::vector<T>& spare, size_t begin, size_t end, const Right& right) {
  spare.resize(std::max(spare.size(), end - begin));
  size_t l = begin;
  size_t r = 0;
  for (size_t i = begin; i < end; ++i) {
    const T item = of[i];
    const size_t goes_right = right(item) ? 1 : 0;
    of[l] = item;
    spare[r] = item;
    l += 1 - goes_right;
    r += goes_right;
  }
  std::copy_n(spare.begin(), r, of.begin() + static_cast<std::ptrdiff_t>(l));
  return l;
}

uint32_t AddNode(Trees& trees) {
  trees.feature.push_back(-1);
  trees.threshold.push_back(0);
  trees.left.push_back(0);
  trees.missing_left.push_back(0);
  trees.value.push_back(0);
  return static_cast<uint32_t>(trees.feature.size() - 1);
}

}  // namespace

std::shared_ptr<const BinnedColumns> BinnedColumns::Of(std::span<const float> rows, size_t features) {
  BinnedColumns table;
  table.edges = FindEdges(rows, features);
  table.bins = BinColumns(table.edges.view(), rows);
  table.rows = features == 0 ? 0 : rows.size() / features;
  return std::make_shared<const BinnedColumns>(std::move(table));
}

std::shared_ptr<const BinnedColumns> BinnedColumns::OfBins(std::span<const uint8_t> bins, size_t features) {
  BinnedColumns table;
  table.rows = features == 0 ? 0 : bins.size() / features;
  table.bins.resize(bins.size());
  table.edges.begin.push_back(0);
  for (size_t f = 0; f < features; ++f) {
    uint8_t most = 0;
    for (size_t r = 0; r < table.rows; ++r) {
      const uint8_t bin = bins[r * features + f];
      table.bins[f * table.rows + r] = bin;
      if (bin != kMissingBin) most = std::max(most, bin);
    }
    for (int b = 0; b < most; ++b) table.edges.edges.push_back(static_cast<float>(b) + 0.5f);
    table.edges.begin.push_back(static_cast<uint32_t>(table.edges.edges.size()));
  }
  return std::make_shared<const BinnedColumns>(std::move(table));
}

class TreeGrower::Impl {
 public:
  Impl(std::shared_ptr<const BinnedColumns> table, const TreeSettings& settings)
      : settings_(settings), table_(std::move(table)), gain_(table_->features()), all_(table_->features()),
        smaller_best_(table_->features()), larger_best_(table_->features()) {
    std::iota(all_.begin(), all_.end(), 0u);
  }

  void Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees, std::span<float> predictions,
            const TreeSample& sample) {
    features_ = sample.features.empty() ? std::span<const uint32_t>(all_) : sample.features;
    trees.roots.push_back(static_cast<uint32_t>(trees.feature.size()));
    std::vector<Open> open;
    Open root;
    root.node = AddNode(trees);
    if (!Fill(gradient, hessian, sample.rows, root)) return;
    if (settings_.depth > 0) {
      root.histogram = Take();
      Look(root, nullptr);
    }
    open.push_back(std::move(root));
    for (size_t leaves = 1; !open.empty();) {
      // With a limit the best split is next; without, the newest, whose sums are in the cache.
      size_t next = open.size() - 1;
      if (settings_.leaves != 0) {
        for (size_t i = next; i-- > 0;) next = open[i].split.gain >= open[next].split.gain ? i : next;
      }
      Open node = std::move(open[next]);
      open.erase(open.begin() + static_cast<std::ptrdiff_t>(next));
      if (node.split.feature < 0 || (settings_.leaves != 0 && leaves >= settings_.leaves)) {
        Close(node, trees, predictions);
        continue;
      }
      ++leaves;
      gain_[static_cast<size_t>(node.split.feature)] += node.split.gain;
      auto [left, right] = Divide(node, trees);
      const bool left_is_smaller = left.sums.rows <= right.sums.rows;
      Open& smaller = left_is_smaller ? left : right;
      Open& larger = left_is_smaller ? right : left;
      if (node.depth + 1 < settings_.depth) {
        // Only the smaller child's rows are summed; the other's are what is left.
        smaller.histogram = Take();
        larger.histogram = std::move(node.histogram);
        Look(smaller, &larger);
      } else {
        spare_.push_back(std::move(node.histogram));
      }
      open.push_back(std::move(right));
      open.push_back(std::move(left));
    }
  }

  const std::vector<double>& gain() const { return gain_; }

 private:
  const uint8_t* Column(size_t feature) const { return table_->bins.data() + feature * table_->rows; }

  Histogram Take() {
    if (spare_.empty()) return Histogram(table_->features() * kBinSlots);
    Histogram histogram = std::move(spare_.back());
    spare_.pop_back();
    return histogram;
  }

  /// False where the gradients are no numbers.
  bool Fill(std::span<const float> gradient, std::span<const float> hessian, std::span<const uint32_t> rows, Open& root) {
    const size_t n = table_->rows;
    items_.clear();
    rest_.clear();
    if (rows.empty()) {
      items_.resize(n);
      for (size_t r = 0; r < n; ++r) items_[r].row = static_cast<uint32_t>(r);
    } else {
      std::vector<uint8_t> in(n, 0);
      for (const uint32_t row : rows) {
        SEGUE_CHECK(row < n && in[row] == 0);
        in[row] = 1;
      }
      for (size_t r = 0; r < n; ++r) {
        if (in[r] != 0) {
          items_.push_back({static_cast<uint32_t>(r), 0, 0});
        } else {
          rest_.push_back(static_cast<uint32_t>(r));
        }
      }
    }
    double gradients = 0;
    double hessians = 0;
    for (const Item& item : items_) {
      gradients += std::abs(static_cast<double>(gradient[item.row]));
      hessians += std::abs(static_cast<double>(hessian[item.row]));
    }
    if (!std::isfinite(gradients) || !std::isfinite(hessians)) return false;
    gradient_scale_ = ScaleOf(gradients + static_cast<double>(items_.size()) * std::numeric_limits<float>::min());
    hessian_scale_ = ScaleOf(hessians + static_cast<double>(items_.size()) * std::numeric_limits<float>::min());
    for (Item& item : items_) {
      item.gradient = static_cast<int32_t>(std::lrint(gradient[item.row] * gradient_scale_));
      item.hessian = static_cast<int32_t>(std::lrint(hessian[item.row] * hessian_scale_));
      root.sums += {item.gradient, item.hessian, 1};
    }
    root.end = items_.size();
    root.rest_end = rest_.size();
    return true;
  }

  /// Fills smaller.histogram and takes it from larger's (the parent's so far);
  /// the best splits of both. One feature's sums stay in the cache for all of it.
  void Look(Open& smaller, Open* larger) {
    const auto one = [&](size_t k) {
      const size_t f = features_[k];
      Sums* slots = smaller.histogram.data() + f * kBinSlots;
      std::fill_n(slots, kBinSlots, Sums{});
      const uint8_t* bins = Column(f);
      for (size_t i = smaller.begin; i < smaller.end; ++i) {
        const Item& item = items_[i];
        slots[bins[item.row]] += {item.gradient, item.hessian, 1, 0};
      }
      smaller_best_[k] = Best(smaller.sums, slots, f);
      if (larger == nullptr) return;
      Sums* others = larger->histogram.data() + f * kBinSlots;
      for (size_t b = 0; b < kBinSlots; ++b) others[b] = others[b] - slots[b];
      larger_best_[k] = Best(larger->sums, others, f);
    };
    if ((smaller.end - smaller.begin) * features_.size() < kWorthSharing) {
      for (size_t k = 0; k < features_.size(); ++k) one(k);
    } else {
      ParallelFor(features_.size(), one);
    }
    for (size_t k = 0; k < features_.size(); ++k) {
      if (smaller_best_[k].gain > smaller.split.gain) smaller.split = smaller_best_[k];
      if (larger != nullptr && larger_best_[k].gain > larger->split.gain) larger->split = larger_best_[k];
    }
  }

  double Gradient(const Sums& sums) const { return sums.gradient / gradient_scale_; }
  double Hessian(const Sums& sums) const { return sums.hessian / hessian_scale_; }

  Split Best(const Sums& node, const Sums* slots, size_t feature) const {
    Split best;
    const Sums missing = slots[kMissingBin];
    const size_t edges = table_->edges.view().Of(feature).size();
    // Divisions are dear: the scales are taken out of sums by products.
    const double g_unit = 1 / gradient_scale_;
    const double h_unit = 1 / hessian_scale_;
    const double l2 = settings_.l2;
    const double whole_gradient = node.gradient * g_unit;
    const double whole_hessian = node.hessian * h_unit + l2;
    const double whole = whole_hessian > 0 ? whole_gradient * whole_gradient / whole_hessian : 0;
    for (const bool missing_left : {false, true}) {
      if (missing_left && missing.rows == 0) continue;
      Sums left = missing_left ? missing : Sums{};
      // Behind the last edge: the missing are parted from all others.
      const size_t last = missing.rows != 0 && !missing_left ? edges + 1 : edges;
      for (size_t b = 0; b < last; ++b) {
        if (slots[b].rows == 0) continue;
        left += slots[b];
        if (left.rows < settings_.min_child_rows) continue;
        if (node.rows - left.rows < settings_.min_child_rows) break;
        const double hl = left.hessian * h_unit;
        const double hr = (node.hessian - left.hessian) * h_unit;
        if (hl < settings_.min_child_hessian || hr < settings_.min_child_hessian) continue;
        const double gl = left.gradient * g_unit;
        const double gr = whole_gradient - gl;
        const double l = hl + l2;
        const double r = hr + l2;
        if (!(l * r > 0)) continue;
        const double gain = (gl * gl * r + gr * gr * l) / (l * r) - whole;
        if (gain > best.gain + 1e-12) best = {gain, static_cast<int>(feature), static_cast<int>(b), missing_left, left};
      }
    }
    return best;
  }

  std::pair<Open, Open> Divide(const Open& node, Trees& trees) {
    const Split& split = node.split;
    const auto f = static_cast<size_t>(split.feature);
    const uint8_t* bins = Column(f);
    const auto right = [&](uint32_t row) { return bins[row] == kMissingBin ? !split.missing_left : bins[row] > split.bin; };
    const size_t middle = Part(items_, spare_items_, node.begin, node.end, [&](const Item& item) { return right(item.row); });
    const size_t rest = Part(rest_, spare_rest_, node.rest_begin, node.rest_end, right);
    const uint32_t first = AddNode(trees);
    AddNode(trees);
    const auto edges = table_->edges.view().Of(f);
    const auto bin = static_cast<size_t>(split.bin);
    trees.feature[node.node] = split.feature;
    trees.threshold[node.node] = bin < edges.size() ? edges[bin] : std::numeric_limits<float>::infinity();
    trees.left[node.node] = first;
    trees.missing_left[node.node] = split.missing_left ? 1 : 0;
    Open l, r;
    l.node = first;
    r.node = first + 1;
    l.depth = r.depth = node.depth + 1;
    l.begin = node.begin;
    l.end = r.begin = middle;
    r.end = node.end;
    l.rest_begin = node.rest_begin;
    l.rest_end = r.rest_begin = rest;
    r.rest_end = node.rest_end;
    l.sums = split.left;
    r.sums = node.sums - split.left;
    return {std::move(l), std::move(r)};
  }

  void Close(Open& node, Trees& trees, std::span<float> predictions) {
    const double leaf = -Gradient(node.sums) / (Hessian(node.sums) + settings_.l2) * settings_.learning_rate;
    const auto value = static_cast<float>(std::isfinite(leaf) ? leaf : 0);
    trees.value[node.node] = value;
    for (size_t i = node.begin; i < node.end; ++i) predictions[items_[i].row] += value;
    for (size_t i = node.rest_begin; i < node.rest_end; ++i) predictions[rest_[i]] += value;
    if (!node.histogram.empty()) spare_.push_back(std::move(node.histogram));
  }

  const TreeSettings settings_;
  const std::shared_ptr<const BinnedColumns> table_;
  std::vector<double> gain_;
  std::vector<uint32_t> all_;                       ///< features
  std::vector<Split> smaller_best_, larger_best_;   ///< [features of the tree]
  std::vector<Histogram> spare_;                    ///< to use again
  std::span<const uint32_t> features_;              ///< of the tree at hand
  std::vector<Item> items_, spare_items_;           ///< rows of the sample, those of a node together
  std::vector<uint32_t> rest_, spare_rest_;         ///< the others, likewise
  double gradient_scale_ = 1;
  double hessian_scale_ = 1;
};

TreeGrower::TreeGrower(std::shared_ptr<const BinnedColumns> table, const TreeSettings& settings)
    : impl_(std::make_unique<Impl>(std::move(table), settings)) {}
TreeGrower::TreeGrower(std::span<const float> rows, size_t features, const TreeSettings& settings)
    : TreeGrower(BinnedColumns::Of(rows, features), settings) {}
TreeGrower::~TreeGrower() = default;

void TreeGrower::Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees,
                      std::span<float> predictions, const TreeSample& sample) {
  impl_->Grow(gradient, hessian, trees, predictions, sample);
}

const std::vector<double>& TreeGrower::gain() const { return impl_->gain(); }

}  // namespace segue::math
