#include "train/boosting_rounds.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/random.h"
#include "math/parallel.h"
#include "models/softmax.h"

namespace segue::train {
namespace {

constexpr size_t kBlock = 4096;  ///< rows that one thread takes at a time

/// `most` of `of`, drawn without replacement, ascending.
std::vector<uint32_t> Sample(std::span<const uint32_t> of, size_t most, Random& random) {
  std::vector<uint32_t> drawn;
  drawn.reserve(most);
  // Selection sampling (Knuth, "The Art of Computer Programming" 2, 3.4.2, algorithm S).
  for (size_t i = 0; i < of.size() && drawn.size() < most; ++i) {
    if (random.Below(of.size() - i) < most - drawn.size()) drawn.push_back(of[i]);
  }
  return drawn;
}

size_t Share(double share, size_t of) {
  return std::clamp<size_t>(static_cast<size_t>(std::lround(share * static_cast<double>(of))), 1, of);
}

class Rounds {
 public:
  Rounds(const BoostingData& data, const BoostingSettings& settings, uint64_t seed)
      : data_(data), settings_(settings), seed_(seed), n_(data.label.size()), wide_(data.outputs()),
        grower_(data.table, {.depth = static_cast<int>(settings.depth), .leaves = static_cast<size_t>(settings.leaves),
                             .learning_rate = settings.learning_rate, .l2 = settings.l2,
                             .min_child_hessian = settings.min_child_hessian,
                             .min_child_rows = static_cast<size_t>(settings.min_child_rows)}),
        columns_(data.table->features()) {
    std::iota(columns_.begin(), columns_.end(), 0u);
    for (size_t r = 0; r < n_; ++r) {
      if (data.held.empty() || data.held[r] == 0) rows_.push_back(static_cast<uint32_t>(r));
    }
    result_.base = Base();
    for (size_t o = 0; o < wide_; ++o) {
      f_.emplace_back(n_, result_.base[o]);
      gradient_.emplace_back(n_);
      hessian_.emplace_back(n_);
    }
  }

  std::optional<Boosted> Run(size_t rounds, Instruments& instruments) {
    double best = std::numeric_limits<double>::infinity();
    for (size_t round = 0; round < rounds; ++round) {
      if (instruments.Cancelled()) return std::nullopt;
      Gradients();
      Random random(seed_, round);
      const auto rows = Sample(rows_, Share(settings_.rows, rows_.size()), random);
      for (size_t o = 0; o < wide_; ++o) {
        const auto columns = Sample(columns_, Share(settings_.columns, columns_.size()), random);
        grower_.Grow(gradient_[o], hessian_[o], result_.trees, f_[o], {rows, columns});
      }
      if (round % 50 == 0) instruments.Progress("train", round, rounds, "rounds");
      if (rows_.size() == n_) {
        result_.best = round + 1;
        continue;
      }
      const double loss = HeldLoss();
      if (loss < best) {
        best = loss;
        result_.best = round + 1;
      }
      if (round + 1 >= result_.best + static_cast<size_t>(settings_.patience)) break;
    }
    result_.loss = rows_.size() == n_ ? 0 : best;
    result_.gain = grower_.gain();
    return std::move(result_);
  }

 private:
  /// Logarithms of the labels' shares; a label that no row has counts half a row.
  std::vector<float> Base() const {
    std::vector<double> count(data_.labels, 0.5);
    for (const uint32_t row : rows_) ++count[static_cast<size_t>(data_.label[row])];
    if (wide_ == 1) return {static_cast<float>(std::log(count[1] / count[0]))};
    std::vector<float> base;
    for (const double c : count) base.push_back(static_cast<float>(std::log(c / (static_cast<double>(rows_.size()) + 0.5 * static_cast<double>(count.size())))));
    return base;
  }

  void Gradients() {
    math::ParallelRanges(n_, kBlock, [&](size_t first, size_t last) {
      std::vector<float> p(wide_);
      for (size_t r = first; r < last; ++r) {
        const auto label = static_cast<size_t>(data_.label[r]);
        if (wide_ == 1) {
          const float one = 1 / (1 + std::exp(-f_[0][r]));
          gradient_[0][r] = one - static_cast<float>(label);
          hessian_[0][r] = one * (1 - one);
          continue;
        }
        for (size_t o = 0; o < wide_; ++o) p[o] = f_[o][r];
        models::Softmax(p.data(), wide_);
        for (size_t o = 0; o < wide_; ++o) {
          gradient_[o][r] = p[o] - (o == label ? 1.0f : 0.0f);
          hessian_[o][r] = p[o] * (1 - p[o]);
        }
      }
    });
  }

  /// Mean over the held rows, in their order.
  double HeldLoss() const {
    double sum = 0;
    size_t count = 0;
    for (size_t r = 0; r < n_; ++r) {
      if (data_.held[r] == 0) continue;
      const auto label = static_cast<size_t>(data_.label[r]);
      if (wide_ == 1) {
        const double margin = label == 1 ? f_[0][r] : -f_[0][r];
        sum += margin > 0 ? std::log1p(std::exp(-margin)) : std::log1p(std::exp(margin)) - margin;
      } else {
        float most = f_[0][r];
        for (size_t o = 1; o < wide_; ++o) most = std::max(most, f_[o][r]);
        double all = 0;
        for (size_t o = 0; o < wide_; ++o) all += std::exp(static_cast<double>(f_[o][r] - most));
        sum += std::log(all) - (f_[label][r] - most);
      }
      ++count;
    }
    return sum / static_cast<double>(count);
  }

  const BoostingData& data_;
  const BoostingSettings& settings_;
  const uint64_t seed_;
  const size_t n_, wide_;
  math::TreeGrower grower_;
  std::vector<uint32_t> columns_, rows_;
  std::vector<std::vector<float>> f_, gradient_, hessian_;  ///< [outputs][rows]
  Boosted result_;
};

}  // namespace

std::optional<Boosted> Boost(const BoostingData& data, const BoostingSettings& settings, size_t rounds, uint64_t seed,
                             Instruments& instruments) {
  return Rounds(data, settings, seed).Run(rounds, instruments);
}

}  // namespace segue::train
