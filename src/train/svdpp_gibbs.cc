#include "train/svdpp_gibbs.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "math/parallel.h"
#include "models/liking.h"
#include "models/svd.h"
#include "train/popularity.h"
#include "train/rating_data.h"

namespace segue::train {
namespace {

constexpr double kFirstScale = 0.1;  ///< deviation of the first factors
constexpr size_t kGrain = 64;        ///< rows that a thread takes at once
/// How wide the priors of unused factors stay. 1, as in libFM, leaves them room
/// to fit noise; much less, and factors in use are drawn to zero before they
/// have found anything. On ML-100k, RMSE inside train, 32 factors: 1 .889,
/// 0.3 .883, 0.1 .887, 0.05 .894.
constexpr double kPriorRate = 0.3;
/// Kinds of draws, each with its own random streams.
enum Draw : uint64_t { kFirst, kOwn, kImplicit, kHyper, kNoise };

/// Gamma(shape, rate), shape >= 1. Marsaglia, Tsang, TOMS 2000.
double DrawGamma(double shape, double rate, Random& random) {
  const double d = shape - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.Normal();
    const double v = std::pow(1 + c * x, 3);
    if (v <= 0) continue;
    if (std::log(1 - random.Uniform()) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v / rate;
  }
}

/// The prior of one factor of one kind of parameters.
struct Prior {
  double mean = 0;
  double precision = 1;

  /// Given the parameters. Normal-gamma: mean 0 with the weight of one value.
  void DrawGiven(std::span<const float> values, Random random) {
    const auto n = static_cast<double>(values.size());
    double sum = 0;
    double squares = 0;
    for (const float value : values) {
      sum += value;
      squares += (value - mean) * (value - mean);
    }
    precision = DrawGamma((n + 2) / 2, (squares + mean * mean + kPriorRate) / 2, random);
    mean = sum / (n + 1) + random.Normal() / std::sqrt((n + 1) * precision);
  }
};

/// Listeners, or tracks. Values are by factor: [factors][rows].
struct Side {
  Csr ratings;                               ///< by row, the other side's; value unused
  std::vector<uint64_t> place;               ///< of each of these ratings among the residuals; empty: its own
  Csr chosen_by;                             ///< by row of the other side, the rows of this that have it in their N
  std::vector<float> root;                   ///< [rows] |N|^-½
  std::vector<std::vector<float>> own;       ///< p or q
  std::vector<std::vector<float>> implicit;  ///< y or w, [factors][other side's rows]
  std::vector<std::vector<float>> sum;       ///< P or Q
  std::vector<Prior> own_prior;
  std::vector<Prior> implicit_prior;
  size_t constant = 0;  ///< the factor that is 1 for all rows

  size_t rows() const { return ratings.rows(); }
};

class Sampler {
 public:
  Sampler(const RatingData& data, size_t tracks, size_t d, uint64_t seed)
      : seed_(seed), d_(d), target_(data.ratings.value) {
    const Csr by_track = Transposed(data.chosen, tracks);
    Init(listeners_, data.ratings, by_track, d + 1, 0);
    Init(tracks_, Transposed(data.ratings, tracks), data.chosen, d, 1);
    tracks_.place.resize(target_.size());
    std::vector<uint64_t> next(tracks_.ratings.begin.begin(), tracks_.ratings.begin.end() - 1);
    for (size_t k = 0; k < target_.size(); ++k) tracks_.place[next[data.ratings.column[k]]++] = k;
    residual_.resize(target_.size());
  }

  void Sweep(uint64_t sweep) {
    sweep_ = sweep;
    ComputeResiduals();
    DrawNoise();
    for (size_t f = 0; f < d_ + 2; ++f) {
      if (f != listeners_.constant) DrawFactor(listeners_, tracks_, f, 0);
      if (f != tracks_.constant) DrawFactor(tracks_, listeners_, f, 1);
    }
  }

  /// The present sample, as the model keeps it.
  void AddTo(models::SvdModel::Parts& parts) const {
    const size_t stride = models::SvdModel::Stride(d_);
    const size_t tracks = tracks_.rows();
    const size_t first = parts.tracks.size();
    parts.tracks.resize(first + tracks * stride, 0.0f);
    parts.implicit.resize(first + tracks * stride, 0.0f);
    for (size_t i = 0; i < tracks; ++i) {
      for (size_t f = 0; f < d_ + 2; ++f) parts.tracks[first + i * stride + f] = tracks_.sum[f][i];
      for (size_t f = 0; f < d_ + 1; ++f) parts.implicit[first + i * stride + f] = listeners_.implicit[f][i];
    }
    parts.weight.push_back(static_cast<float>(noise_));
    const size_t prior = parts.mean.size();
    parts.mean.resize(prior + stride, 0.0f);
    parts.precision.resize(prior + stride, 0.0f);
    for (size_t f = 0; f < d_ + 1; ++f) {
      parts.mean[prior + f] = static_cast<float>(listeners_.own_prior[f].mean);
      parts.precision[prior + f] = static_cast<float>(listeners_.own_prior[f].precision);
    }
  }

 private:
  uint64_t Stream(Draw draw, uint64_t side, uint64_t f) const {
    return Random::Mix(((sweep_ * 8 + draw) * 2 + side) * (d_ + 2) + f);
  }

  void Init(Side& side, Csr ratings, const Csr& chosen_by, size_t constant, uint64_t which) {
    side.ratings = std::move(ratings);
    side.chosen_by = chosen_by;
    side.constant = constant;
    std::vector<float> chosen(side.rows(), 0.0f);
    for (const uint32_t row : chosen_by.column) ++chosen[row];
    for (const float n : chosen) side.root.push_back(n > 0 ? 1 / std::sqrt(n) : 0);
    side.own_prior.resize(d_ + 2);
    side.implicit_prior.resize(d_ + 2);
    side.own.assign(d_ + 2, std::vector<float>(side.rows(), 0.0f));
    side.implicit.assign(d_ + 2, std::vector<float>(chosen_by.rows(), 0.0f));
    for (size_t f = 0; f < d_; ++f) {
      for (size_t r = 0; r < side.rows(); ++r) {
        side.own[f][r] = static_cast<float>(kFirstScale * Random(seed_ ^ Stream(kFirst, which, f), r).Normal());
      }
    }
    side.sum = side.own;
    side.sum[constant].assign(side.rows(), 1.0f);
  }

  /// From the parameters, so that rounding does not add up over sweeps.
  void ComputeResiduals() {
    math::ParallelRanges(listeners_.rows(), kGrain, [&](size_t first, size_t last) {
      const Csr& ratings = listeners_.ratings;
      for (size_t u = first; u < last; ++u) {
        std::copy(target_.begin() + static_cast<std::ptrdiff_t>(ratings.begin[u]),
                  target_.begin() + static_cast<std::ptrdiff_t>(ratings.begin[u + 1]),
                  residual_.begin() + static_cast<std::ptrdiff_t>(ratings.begin[u]));
        for (size_t f = 0; f < d_ + 2; ++f) {
          const float own = listeners_.sum[f][u];
          const float* other = tracks_.sum[f].data();
          for (uint64_t k = ratings.begin[u]; k < ratings.begin[u + 1]; ++k) {
            residual_[k] -= own * other[ratings.column[k]];
          }
        }
      }
    });
  }

  void DrawNoise() {
    double squares = 0;
    for (const float e : residual_) squares += double{e} * e;
    Random random(seed_, Stream(kNoise, 0, 0));
    noise_ = DrawGamma((static_cast<double>(residual_.size()) + 1) / 2, (squares + 1) / 2, random);
  }

  void DrawFactor(Side& side, const Side& other, size_t f, uint64_t which) {
    side.own_prior[f].DrawGiven(side.own[f], Random(seed_, Stream(kHyper, which, 2 * f)));
    side.implicit_prior[f].DrawGiven(side.implicit[f], Random(seed_, Stream(kHyper, which, 2 * f + 1)));
    a_.assign(side.rows(), 0.0f);
    b_.assign(side.rows(), 0.0f);
    before_ = side.sum[f];
    DrawOwn(side, other.sum[f], f, which);
    DrawImplicit(side, f, which);
    UpdateResiduals(side, other.sum[f], f);
  }

  template <typename Visit>
  static void ForRatings(const Side& side, size_t row, Visit visit) {
    for (uint64_t k = side.ratings.begin[row]; k < side.ratings.begin[row + 1]; ++k) {
      visit(side.place.empty() ? k : side.place[k], side.ratings.column[k]);
    }
  }

  void DrawOwn(Side& side, std::span<const float> other, size_t f, uint64_t which) {
    const Prior prior = side.own_prior[f];
    const uint64_t stream = Stream(kOwn, which, f);
    math::ParallelRanges(side.rows(), kGrain, [&](size_t first, size_t last) {
      for (size_t r = first; r < last; ++r) {
        float a = 0;
        float b = 0;
        ForRatings(side, r, [&](uint64_t place, uint32_t column) {
          a += other[column] * other[column];
          b += other[column] * residual_[place];
        });
        a_[r] = a;
        b_[r] = b;
        Random random(seed_ ^ stream, r);
        const float value = Drawn(prior, a, b + a * side.own[f][r], random);
        const float change = value - side.own[f][r];
        side.own[f][r] = value;
        side.sum[f][r] += change;
        b_[r] -= change * a;
      }
    });
  }

  void DrawImplicit(Side& side, size_t f, uint64_t which) {
    const Prior prior = side.implicit_prior[f];
    const uint64_t stream = Stream(kImplicit, which, f);
    std::vector<float>& sum = side.sum[f];
    for (size_t j = 0; j < side.chosen_by.rows(); ++j) {
      float& value = side.implicit[f][j];
      float a = 0;
      float b = 0;
      for (const uint32_t r : side.chosen_by.Columns(j)) {
        a += side.root[r] * side.root[r] * a_[r];
        b += side.root[r] * b_[r];
      }
      Random random(seed_ ^ stream, j);
      const float drawn = Drawn(prior, a, b + a * value, random);
      const float change = drawn - value;
      value = drawn;
      for (const uint32_t r : side.chosen_by.Columns(j)) {
        sum[r] += change * side.root[r];
        b_[r] -= change * side.root[r] * a_[r];
      }
    }
  }

  void UpdateResiduals(const Side& side, std::span<const float> other, size_t f) {
    math::ParallelRanges(side.rows(), kGrain, [&](size_t first, size_t last) {
      for (size_t r = first; r < last; ++r) {
        const float change = side.sum[f][r] - before_[r];
        ForRatings(side, r, [&](uint64_t place, uint32_t column) { residual_[place] -= change * other[column]; });
      }
    });
  }

  /// From its conditional distribution; a = Σx², b = Σx·(what it has to explain).
  float Drawn(const Prior& prior, float a, float b, Random& random) const {
    const double precision = prior.precision + noise_ * a;
    const double mean = (prior.precision * prior.mean + noise_ * b) / precision;
    return static_cast<float>(mean + random.Normal() / std::sqrt(precision));
  }

  const uint64_t seed_;
  const size_t d_;
  std::span<const float> target_;
  Side listeners_;
  Side tracks_;
  std::vector<float> residual_;  // of the ratings, by listener
  std::vector<float> a_;
  std::vector<float> b_;
  std::vector<float> before_;
  double noise_ = 1;
  uint64_t sweep_ = 0;
};

class SvdppGibbsTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::SvdModel::kGibbs; }
  bool PredictsRatings() const override { return true; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& all, uint64_t seed,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {all.skip_weight, all.like_weight});
    SEGUE_TRY(const RatingData ratings, RatingsOf(preferences, algorithm()));
    models::ApplyLiking(preferences, models::LikedRule(all.liked, preferences));
    models::SvdModel::Parts parts;
    parts.algorithm = algorithm();
    parts.catalogue = models::Catalogue(data.tracks.id, PopularityOf(preferences, data.tracks.size()));
    parts.scale = ratings.scale;
    parts.factors = static_cast<uint32_t>(all.svdpp_gibbs.factors);
    const bool done = math::WithThreads(all.threads, [&] { return Sample(ratings, all.svdpp_gibbs, seed, instruments, parts); });
    if (!done) return Error{ErrorCode::kCancelled, "svdpp_gibbs: asked to stop"};
    return models::SvdModel::Make(std::move(parts));
  }

 private:
  static bool Sample(const RatingData& ratings, const GibbsSettings& settings, uint64_t seed, Instruments& instruments,
                     models::SvdModel::Parts& parts) {
    const auto samples = static_cast<uint64_t>(settings.samples);
    const auto burn_in = static_cast<uint64_t>(settings.burn_in);
    const uint64_t kept = std::min(samples, static_cast<uint64_t>(settings.kept));
    parts.samples = static_cast<uint32_t>(kept);
    Sampler sampler(ratings, parts.catalogue.size(), static_cast<size_t>(settings.factors), seed);
    for (uint64_t sweep = 0; sweep < burn_in + samples; ++sweep) {
      if (instruments.Cancelled()) return false;
      instruments.Progress("train", sweep, burn_in + samples, "samples");
      sampler.Sweep(sweep + 1);
      if (sweep < burn_in) continue;
      // The last of each of `kept` equal stretches.
      const uint64_t n = sweep - burn_in + 1;
      if (n * kept / samples != (n - 1) * kept / samples) sampler.AddTo(parts);
    }
    instruments.Progress("train", burn_in + samples, burn_in + samples, "samples");
    return true;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeSvdppGibbsTrainer() { return std::make_unique<SvdppGibbsTrainer>(); }

}  // namespace segue::train
