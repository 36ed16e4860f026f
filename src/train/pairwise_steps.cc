#include "train/pairwise_steps.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"

namespace segue::train {
namespace {

constexpr size_t kMostBlocks = 16;
constexpr size_t kTracksABlock = 64;   ///< at least; fewer are a poor sample of the catalogue
constexpr size_t kPairsATask = 128;    ///< at least, on average
constexpr size_t kTries = 8;           ///< to draw a track that is not wanted
constexpr size_t kTrials = 20;         ///< WARP: to find one above the margin
constexpr float kMargin = 1;
constexpr double kFirstScale = 0.1;
/// BPR's unwanted tracks are drawn by their listeners to this power. Uniform ones
/// soon teach nothing: Rendle, Freudenthaler, "Improving Pairwise Learning for Item
/// Recommendation from Implicit Feedback", WSDM 2014. NDCG@10 on a fifth of
/// lastfm-2k's train: .155 uniform, .170 with 0.5, .159 with 0.75.
constexpr double kBprPopularity = 0.5;

enum Stream : uint64_t { kListeners = 1, kTracks, kDeal, kTask };

size_t BlocksFor(size_t listeners, size_t tracks, size_t pairs) {
  const auto by_pairs = static_cast<size_t>(std::sqrt(static_cast<double>(pairs / kPairsATask)));
  return std::clamp<size_t>(std::min({by_pairs, tracks / kTracksABlock, listeners}), 1, kMostBlocks);
}

void FirstRows(std::vector<float>& rows, size_t stride, size_t d, float last, uint64_t seed) {
  const double scale = kFirstScale / std::sqrt(static_cast<double>(d));
  for (size_t r = 0; r * stride < rows.size(); ++r) {
    Random random(seed, r);
    for (size_t j = 0; j < d; ++j) rows[r * stride + j] = static_cast<float>(scale * random.Normal());
    rows[r * stride + d] = last;
  }
}

float Dot(const float* a, const float* b, size_t stride) {
  float out;
  math::BestKernels().dots(a, 1, stride, b, &out);
  return out;
}

/// 1 for the first gradient of a row, less for each that follows.
float Scale(float& past, float square) {
  past += square;
  return past > 0 ? 1 / std::sqrt(past) : 0;
}

}  // namespace

PairwiseFactors::PairwiseFactors(size_t listeners, size_t tracks, size_t factors, uint64_t seed)
    : d(factors), stride(math::PaddedTo(factors + 1)), x(listeners * stride), y(tracks * stride), x_past(listeners, 0.0f),
      y_past(tracks, 0.0f), bias_past(tracks, 0.0f) {
  FirstRows(x, stride, d, 1, Random::Mix(seed + kListeners));
  FirstRows(y, stride, d, 0, Random::Mix(seed + kTracks));
}

void MoveApart(PairwiseFactors& factors, size_t u, size_t i, size_t j, float pull, PairwiseStep step, std::span<float> apart) {
  const size_t stride = factors.stride;
  const size_t d = factors.d;
  float* __restrict x = factors.x.data() + u * stride;
  float* __restrict yi = factors.y.data() + i * stride;
  float* __restrict yj = factors.y.data() + j * stride;
  float* __restrict z = apart.data();
  const float bi = yi[d];
  const float bj = yj[d];
  for (size_t k = 0; k < stride; ++k) z[k] = yi[k] - yj[k];
  z[d] = 0;
  const float square = pull * pull;
  const float of_y = square * (Dot(x, x, stride) - 1) / static_cast<float>(d);  // less the bias's 1
  const float rate_x = step.rate * Scale(factors.x_past[u], square * Dot(z, z, stride) / static_cast<float>(d));
  const float rate_i = step.rate * Scale(factors.y_past[i], std::max(0.0f, of_y));
  const float rate_j = step.rate * Scale(factors.y_past[j], std::max(0.0f, of_y));
  const float bias_i = step.rate * Scale(factors.bias_past[i], square);
  const float bias_j = step.rate * Scale(factors.bias_past[j], square);
  const float keep_x = 1 / (1 + rate_x * step.regularization);
  const float keep_i = 1 / (1 + rate_i * step.regularization);
  const float keep_j = 1 / (1 + rate_j * step.regularization);
  const float pull_x = rate_x * pull, pull_i = rate_i * pull, pull_j = rate_j * pull;
  for (size_t k = 0; k < stride; ++k) {
    const float was = x[k];
    x[k] = (was + pull_x * z[k]) * keep_x;
    yi[k] = (yi[k] + pull_i * was) * keep_i;
    yj[k] = (yj[k] - pull_j * was) * keep_j;
  }
  x[d] = 1;
  yi[d] = (bi + bias_i * pull) / (1 + bias_i * step.regularization);
  yj[d] = (bj - bias_j * pull) / (1 + bias_j * step.regularization);
}

std::vector<float> RankWeights(size_t tracks, size_t trials) {
  std::vector<double> sums(std::max<size_t>(2, tracks), 0.0);  // L(k)
  for (size_t k = 1; k < sums.size(); ++k) sums[k] = sums[k - 1] + 1 / static_cast<double>(k);
  std::vector<float> weights(trials);
  for (size_t t = 1; t <= trials; ++t) {
    weights[t - 1] = static_cast<float>(sums[std::max<size_t>(1, (sums.size() - 1) / t)] / sums.back());
  }
  return weights;
}

PairwiseDescent::PairwiseDescent(PairwiseLoss loss, const Csr& wanted, size_t tracks, uint64_t seed)
    : loss_(loss), wanted_(wanted), tracks_(tracks), seed_(seed), blocks_(BlocksFor(wanted.rows(), tracks, wanted.size())),
      chance_(tracks, loss == PairwiseLoss::kBpr ? 0.0 : 1.0), dealt_(tracks), drawn_below_(tracks), block_of_(tracks),
      pairs_(wanted.size()), begin_(blocks_ * blocks_ + 1) {
  first_listener_.push_back(0);
  for (size_t b = 1; b < blocks_; ++b) {
    const auto at = std::lower_bound(wanted.begin.begin(), wanted.begin.end() - 1, wanted.size() * b / blocks_);
    first_listener_.push_back(static_cast<size_t>(at - wanted.begin.begin()));
  }
  first_listener_.push_back(wanted.rows());
  if (loss == PairwiseLoss::kBpr) {
    for (const uint32_t track : wanted.column) ++chance_[track];
    for (double& chance : chance_) chance = std::pow(chance, kBprPopularity);
  } else {
    rank_weights_ = RankWeights(tracks, kTrials);
  }
}

void PairwiseDescent::Deal(uint64_t epoch) {
  for (uint32_t i = 0; i < tracks_; ++i) dealt_[i] = i;
  Random random(Random::Mix(seed_ + kDeal), epoch);
  Shuffle<uint32_t>(dealt_, random);
  for (size_t b = 0; b < blocks_; ++b) {
    double sum = 0;
    for (size_t k = FirstTrack(b); k < FirstTrack(b + 1); ++k) {
      block_of_[dealt_[k]] = static_cast<uint32_t>(b);
      drawn_below_[k] = sum += chance_[dealt_[k]];
    }
  }
  math::ParallelRanges(blocks_, 1, [&](size_t a, size_t) {
    const size_t first = wanted_.begin[first_listener_[a]];
    const size_t last = wanted_.begin[first_listener_[a + 1]];
    std::vector<size_t> next(blocks_ + 1, 0);
    for (size_t k = first; k < last; ++k) ++next[block_of_[wanted_.column[k]] + 1];
    next[0] = first;
    for (size_t b = 0; b < blocks_; ++b) {
      begin_[a * blocks_ + b] = next[b];
      next[b + 1] += next[b];
    }
    for (size_t u = first_listener_[a]; u < first_listener_[a + 1]; ++u) {
      for (size_t k = wanted_.begin[u]; k < wanted_.begin[u + 1]; ++k) {
        const uint32_t track = wanted_.column[k];
        pairs_[next[block_of_[track]]++] = {static_cast<uint32_t>(u), track, wanted_.value[k]};
      }
    }
  });
  begin_.back() = pairs_.size();
}

int64_t PairwiseDescent::Draw(uint32_t listener, size_t tracks, Random& random) const {
  const size_t first = FirstTrack(tracks);
  const size_t count = FirstTrack(tracks + 1) - first;
  const auto his = wanted_.Columns(listener);
  for (size_t t = 0; t < kTries; ++t) {
    size_t at = first;
    if (loss_ == PairwiseLoss::kWarp) {
      at += random.Below(count);
    } else {
      const double* sums = drawn_below_.data() + first;
      at += std::min<size_t>(count - 1, static_cast<size_t>(std::upper_bound(sums, sums + count, random.Uniform() * sums[count - 1]) - sums));
    }
    if (!std::binary_search(his.begin(), his.end(), dealt_[at])) return dealt_[at];
  }
  return -1;
}

void PairwiseDescent::Task(PairwiseFactors& factors, size_t listeners, size_t tracks, Random random, PairwiseStep step) {
  const size_t stride = factors.stride;
  const size_t task = listeners * blocks_ + tracks;
  const std::span<Pair> pairs{pairs_.data() + begin_[task], pairs_.data() + begin_[task + 1]};
  Shuffle(pairs, random);
  std::vector<float> apart(stride);
  for (const Pair& pair : pairs) {
    const float* x = factors.x.data() + pair.listener * stride;
    const float score = Dot(factors.y.data() + pair.track * stride, x, stride);
    if (loss_ == PairwiseLoss::kBpr) {
      const int64_t other = Draw(pair.listener, tracks, random);
      if (other < 0) continue;
      const auto j = static_cast<size_t>(other);
      const float ahead = score - Dot(factors.y.data() + j * stride, x, stride);
      MoveApart(factors, pair.listener, pair.track, j, pair.weight / (1 + std::exp(ahead)), step, apart);
      continue;
    }
    for (const float rank_weight : rank_weights_) {
      const int64_t other = Draw(pair.listener, tracks, random);
      if (other < 0) break;
      const auto j = static_cast<size_t>(other);
      if (Dot(factors.y.data() + j * stride, x, stride) <= score - kMargin) continue;
      MoveApart(factors, pair.listener, pair.track, j, pair.weight * rank_weight, step, apart);
      break;
    }
  }
}

void PairwiseDescent::Epoch(PairwiseFactors& factors, uint64_t epoch, PairwiseStep step) {
  Deal(epoch);
  const uint64_t seed = Random::Mix(seed_ + kTask);
  for (size_t round = 0; round < blocks_; ++round) {
    math::ParallelRanges(blocks_, 1, [&](size_t a, size_t) {
      const size_t b = (a + round) % blocks_;
      Task(factors, a, b, Random(seed, (epoch * blocks_ + a) * blocks_ + b), step);
    });
  }
}

}  // namespace segue::train
