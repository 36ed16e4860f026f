#include "math/trees.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "math/parallel.h"

namespace segue::math {
namespace {

constexpr uint8_t kMissingBin = 255;
constexpr size_t kMostBins = 255;  ///< numbered 0 to 254
constexpr size_t kSlots = 256;     ///< with the missing ones
constexpr size_t kSampleRows = 200'000;  ///< that the bins' edges are read from

struct Sums {
  double gradient = 0;
  double hessian = 0;
  uint64_t rows = 0;

  Sums& operator+=(const Sums& other) {
    gradient += other.gradient;
    hessian += other.hessian;
    rows += other.rows;
    return *this;
  }
  Sums operator-(const Sums& other) const {
    return {gradient - other.gradient, hessian - other.hessian, rows - other.rows};
  }
};

struct Split {
  double gain = 0;
  int feature = -1;
  int bin = 0;  ///< bins up to this go left
  bool missing_left = false;
  Sums left;
};

/// Upper edges of the bins: [bins - 1], the last bin has none.
std::vector<float> Edges(std::vector<float> values) {
  std::sort(values.begin(), values.end());
  std::vector<float> distinct = values;
  distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
  std::vector<float> edges;
  if (distinct.size() <= kMostBins) {
    for (size_t i = 0; i + 1 < distinct.size(); ++i) edges.push_back(distinct[i] + (distinct[i + 1] - distinct[i]) / 2);
  } else {
    for (size_t b = 1; b < kMostBins; ++b) edges.push_back(values[b * values.size() / kMostBins]);
    edges.erase(std::unique(edges.begin(), edges.end()), edges.end());
  }
  return edges;
}

}  // namespace

TreesView::TreesView(const Trees& trees)
    : roots(trees.roots),
      feature(trees.feature),
      threshold(trees.threshold),
      left(trees.left),
      missing_left(trees.missing_left),
      value(trees.value) {}

bool TreesView::Sound(size_t features) const {
  const size_t nodes = feature.size();
  if (threshold.size() != nodes || left.size() != nodes || missing_left.size() != nodes || value.size() != nodes) return false;
  if (std::any_of(roots.begin(), roots.end(), [&](uint32_t root) { return root >= nodes; })) return false;
  for (size_t i = 0; i < nodes; ++i) {
    if (feature[i] < 0) {
      if (!std::isfinite(value[i])) return false;
    } else if (static_cast<size_t>(feature[i]) >= features || left[i] <= i || left[i] >= nodes - 1) {
      return false;
    }
  }
  return true;
}

float TreesView::Predict(const float* row) const {
  float sum = 0;
  for (uint32_t node : roots) {
    while (feature[node] >= 0) {
      const float x = row[feature[node]];
      const bool goes_left = std::isnan(x) ? missing_left[node] != 0 : x <= threshold[node];
      node = left[node] + (goes_left ? 0 : 1);
    }
    sum += value[node];
  }
  return sum;
}

class TreeGrower::Impl {
 public:
  Impl(std::span<const float> rows, size_t features, const TreeSettings& settings)
      : settings_(settings), n_(features == 0 ? 0 : rows.size() / features), bins_(features), edges_(features), gain_(features) {
    ParallelFor(features, [&](size_t f) {
      const size_t step = std::max<size_t>(1, n_ / kSampleRows);
      std::vector<float> sample;
      for (size_t r = 0; r < n_; r += step) {
        if (!std::isnan(rows[r * features + f])) sample.push_back(rows[r * features + f]);
      }
      edges_[f] = Edges(std::move(sample));
      bins_[f].resize(n_);
      for (size_t r = 0; r < n_; ++r) {
        const float x = rows[r * features + f];
        bins_[f][r] = std::isnan(x) ? kMissingBin
                                    : static_cast<uint8_t>(std::lower_bound(edges_[f].begin(), edges_[f].end(), x) - edges_[f].begin());
      }
    });
  }

  void Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees, std::span<float> predictions) {
    order_.resize(n_);
    for (size_t r = 0; r < n_; ++r) order_[r] = static_cast<uint32_t>(r);
    trees.roots.push_back(static_cast<uint32_t>(trees.feature.size()));
    Open root{AddNode(trees), 0, n_, {}, nullptr};
    for (size_t r = 0; r < n_; ++r) root.sums += {gradient[r], hessian[r], 1};
    std::vector<Open> level;
    level.push_back(std::move(root));
    for (int depth = 0; depth < settings_.depth && !level.empty(); ++depth) {
      std::vector<Open> next;
      for (Open& node : level) {
        if (node.histogram == nullptr) node.histogram = Histogram(node, gradient, hessian);
        const Split split = Best(node);
        if (split.feature < 0) {
          Close(node, trees, predictions);
          continue;
        }
        gain_[static_cast<size_t>(split.feature)] += split.gain;
        auto [left, right] = Part(node, split, trees);
        // Only the smaller child's rows are summed; the other's are what is left.
        if (depth + 1 < settings_.depth) {
          Open& smaller = left.sums.rows <= right.sums.rows ? left : right;
          Open& larger = left.sums.rows <= right.sums.rows ? right : left;
          smaller.histogram = Histogram(smaller, gradient, hessian);
          larger.histogram = std::move(node.histogram);
          for (size_t i = 0; i < larger.histogram->size(); ++i) {
            (*larger.histogram)[i] = (*larger.histogram)[i] - (*smaller.histogram)[i];
          }
        }
        next.push_back(std::move(left));
        next.push_back(std::move(right));
      }
      level = std::move(next);
    }
    for (Open& node : level) Close(node, trees, predictions);
  }

  const std::vector<double>& gain() const { return gain_; }

 private:
  /// A node that may still be split: rows order_[begin, end).
  struct Open {
    uint32_t node = 0;
    size_t begin = 0;
    size_t end = 0;
    Sums sums;
    std::unique_ptr<std::vector<Sums>> histogram;  ///< [features x kSlots]
  };

  static uint32_t AddNode(Trees& trees) {
    trees.feature.push_back(-1);
    trees.threshold.push_back(0);
    trees.left.push_back(0);
    trees.missing_left.push_back(0);
    trees.value.push_back(0);
    return static_cast<uint32_t>(trees.feature.size() - 1);
  }

  std::unique_ptr<std::vector<Sums>> Histogram(const Open& node, std::span<const float> gradient,
                                               std::span<const float> hessian) const {
    auto histogram = std::make_unique<std::vector<Sums>>(bins_.size() * kSlots);
    ParallelFor(bins_.size(), [&](size_t f) {
      Sums* slots = histogram->data() + f * kSlots;
      const uint8_t* bins = bins_[f].data();
      for (size_t at = node.begin; at < node.end; ++at) {
        const uint32_t row = order_[at];
        Sums& slot = slots[bins[row]];
        slot.gradient += gradient[row];
        slot.hessian += hessian[row];
        ++slot.rows;
      }
    });
    return histogram;
  }

  double Score(const Sums& sums) const { return sums.gradient * sums.gradient / (sums.hessian + settings_.l2); }
  bool Enough(const Sums& sums) const {
    return sums.rows >= settings_.min_child_rows && sums.hessian >= settings_.min_child_hessian;
  }

  Split Best(const Open& node) const {
    Split best;
    const double whole = Score(node.sums);
    for (size_t f = 0; f < bins_.size(); ++f) {
      const Sums* slots = node.histogram->data() + f * kSlots;
      const Sums& missing = slots[kMissingBin];
      for (const bool missing_left : {false, true}) {
        if (missing_left && missing.rows == 0) continue;
        Sums left = missing_left ? missing : Sums{};
        for (size_t b = 0; b < edges_[f].size(); ++b) {
          left += slots[b];
          const Sums right = node.sums - left;
          if (!Enough(left) || !Enough(right)) continue;
          const double gain = Score(left) + Score(right) - whole;
          if (gain > best.gain + 1e-12) best = {gain, static_cast<int>(f), static_cast<int>(b), missing_left, left};
        }
      }
    }
    return best;
  }

  std::pair<Open, Open> Part(const Open& node, const Split& split, Trees& trees) {
    const auto f = static_cast<size_t>(split.feature);
    const uint8_t* bins = bins_[f].data();
    const auto goes_left = [&](uint32_t row) {
      return bins[row] == kMissingBin ? split.missing_left : bins[row] <= split.bin;
    };
    const auto first = order_.begin() + static_cast<std::ptrdiff_t>(node.begin);
    const auto last = order_.begin() + static_cast<std::ptrdiff_t>(node.end);
    const auto middle = static_cast<size_t>(std::stable_partition(first, last, goes_left) - order_.begin());
    const uint32_t left = AddNode(trees);
    const uint32_t right = AddNode(trees);
    trees.feature[node.node] = split.feature;
    trees.threshold[node.node] = edges_[f][static_cast<size_t>(split.bin)];
    trees.left[node.node] = left;
    trees.missing_left[node.node] = split.missing_left ? 1 : 0;
    return {Open{left, node.begin, middle, split.left, nullptr},
            Open{right, middle, node.end, node.sums - split.left, nullptr}};
  }

  void Close(const Open& node, Trees& trees, std::span<float> predictions) const {
    const double leaf = -node.sums.gradient / (node.sums.hessian + settings_.l2) * settings_.learning_rate;
    const auto value = static_cast<float>(std::isfinite(leaf) ? leaf : 0);
    trees.value[node.node] = value;
    for (size_t at = node.begin; at < node.end; ++at) predictions[order_[at]] += value;
  }

  const TreeSettings settings_;
  const size_t n_;
  std::vector<std::vector<uint8_t>> bins_;  ///< a column each
  std::vector<std::vector<float>> edges_;
  std::vector<double> gain_;
  std::vector<uint32_t> order_;             ///< rows, those of a node together
};

TreeGrower::TreeGrower(std::span<const float> rows, size_t features, const TreeSettings& settings)
    : impl_(std::make_unique<Impl>(rows, features, settings)) {}
TreeGrower::~TreeGrower() = default;

void TreeGrower::Grow(std::span<const float> gradient, std::span<const float> hessian, Trees& trees,
                      std::span<float> predictions) {
  impl_->Grow(gradient, hessian, trees, predictions);
}

const std::vector<double>& TreeGrower::gain() const { return impl_->gain(); }

}  // namespace segue::math
