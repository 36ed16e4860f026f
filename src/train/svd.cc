#include "train/svd.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/random.h"
#include "models/liking.h"
#include "models/svd.h"
#include "train/popularity.h"
#include "train/rating_data.h"

namespace segue::train {
namespace {

/// Four floats that every processor multiplies at once; two of them a step.
using Lane = float __attribute__((vector_size(16)));
constexpr size_t kLaneFloats = 4;
constexpr size_t kStep = 2 * kLaneFloats;
/// Where a parameter comes so far out of the scale, descent has gone astray.
constexpr float kDiverged = 1e6f;
constexpr double kFirstScale = 0.1;  ///< deviation of the first factors

/// Rows of factors, `lanes` apart.
struct Rows {
  Rows(size_t rows, size_t d) : lanes((d + kStep - 1) / kStep * 2), values(rows * lanes, Lane{}) {}
  Lane* operator[](size_t row) { return values.data() + row * lanes; }
  const float* Floats(size_t row) const { return reinterpret_cast<const float*>(values.data() + row * lanes); }

  size_t lanes;
  std::vector<Lane> values;
};

/// Everything that is learnt.
struct Parameters {
  Rows p;
  Rows q;
  Rows y;
  std::vector<float> listener_bias;
  std::vector<float> track_bias;
};

/// Each row's share of λ at one of its ratings.
struct RowPenalties {
  RowPenalties(const Csr& ratings, double exponent) {
    for (size_t r = 0; r < ratings.rows(); ++r) {
      const auto n = static_cast<double>(std::max<size_t>(1, ratings.Columns(r).size()));
      scale.push_back(static_cast<float>(std::pow(n, -exponent)));
    }
  }
  std::vector<float> scale;
};

class Descent {
 public:
  Descent(const RatingData& data, size_t tracks, const SvdSettings& settings, bool implicit, uint64_t seed)
      : data_(data),
        settings_(settings),
        implicit_(implicit),
        seed_(seed),
        listener_penalty_(data.ratings, settings.frequency_exponent),
        track_penalty_(Transposed(data.ratings, tracks), settings.frequency_exponent),
        parameters_{Rows(data.ratings.rows(), Width()), Rows(tracks, Width()), Rows(implicit ? tracks : 0, Width()),
                    std::vector<float>(data.ratings.rows(), 0.0f), std::vector<float>(tracks, 0.0f)},
        before_(1, Width()),
        sum_(1, Width()),
        order_(data.ratings.rows()) {
    std::iota(order_.begin(), order_.end(), 0u);
    const Csr by_track = Transposed(data.ratings, tracks);
    for (size_t u = 0; u < order_.size(); ++u) {
      if (!data.ratings.Columns(u).empty()) Begin(parameters_.p[u], 2 * u);
    }
    for (size_t i = 0; i < tracks; ++i) {
      if (!by_track.Columns(i).empty()) Begin(parameters_.q[i], 2 * i + 1);
    }
  }

  void Epoch(uint64_t epoch) {
    step_ = static_cast<float>(settings_.learning_rate * std::pow(settings_.decay, static_cast<double>(epoch)));
    Random random(seed_, Random::Mix(epoch));
    Shuffle(std::span(order_), random);
    for (const uint32_t u : order_) Listener(u, random);
  }

  const Parameters& parameters() const { return parameters_; }
  bool Sane() const {
    const auto sane = [](const std::vector<float>& values) {
      return std::all_of(values.begin(), values.end(), [](float v) { return std::abs(v) < kDiverged; });
    };
    const auto rows_sane = [](const Rows& rows) {
      const auto* floats = reinterpret_cast<const float*>(rows.values.data());
      return std::all_of(floats, floats + rows.values.size() * kLaneFloats,
                         [](float v) { return std::abs(v) < kDiverged; });
    };
    return sane(parameters_.listener_bias) && sane(parameters_.track_bias) && rows_sane(parameters_.p) &&
           rows_sane(parameters_.q) && rows_sane(parameters_.y);
  }

 private:
  size_t Width() const { return static_cast<size_t>(settings_.factors); }

  void Begin(Lane* row, uint64_t stream) {
    Random random(seed_, stream);
    auto* values = reinterpret_cast<float*>(row);
    const double scale = kFirstScale / std::sqrt(static_cast<double>(Width()));
    for (size_t j = 0; j < Width(); ++j) values[j] = static_cast<float>(scale * random.Normal());
  }

  void Listener(uint32_t u, Random& random) {
    const auto tracks = data_.ratings.Columns(u);
    if (tracks.empty()) return;
    const auto targets = data_.ratings.Values(u);
    const float penalty = listener_penalty_.scale[u];
    SumImplicit(u);
    visits_.resize(tracks.size());
    std::iota(visits_.begin(), visits_.end(), 0u);
    Shuffle(std::span(visits_), random);
    for (const uint32_t k : visits_) Rating(u, tracks[k], targets[k], penalty);
    UpdateImplicit(u, tracks.size(), penalty);
  }

  /// s_u, into sum_ and before_.
  void SumImplicit(uint32_t u) {
    std::fill(sum_.values.begin(), sum_.values.end(), Lane{});
    if (implicit_ && !data_.chosen.Columns(u).empty()) {
      for (const uint32_t j : data_.chosen.Columns(u)) {
        const Lane* y = parameters_.y[j];
        for (size_t l = 0; l < sum_.lanes; ++l) sum_.values[l] += y[l];
      }
      const float root = data_.chosen.Values(u)[0];
      for (Lane& lane : sum_.values) lane *= root;
    }
    before_.values = sum_.values;
  }

  void Rating(uint32_t u, uint32_t i, float target, float listener_scale) {
    const auto factor_penalty = static_cast<float>(settings_.regularization);
    const auto bias_penalty = static_cast<float>(settings_.bias_regularization);
    const float track_scale = track_penalty_.scale[i];
    Lane* p = parameters_.p[u];
    Lane* q = parameters_.q[i];
    Lane* s = sum_[0];
    Lane first{};
    Lane second{};
    for (size_t l = 0; l < sum_.lanes; l += 2) {
      first += q[l] * (p[l] + s[l]);
      second += q[l + 1] * (p[l + 1] + s[l + 1]);
    }
    first += second;
    float& listener_bias = parameters_.listener_bias[u];
    float& track_bias = parameters_.track_bias[i];
    const float error = target - (listener_bias + track_bias + ((first[0] + first[1]) + (first[2] + first[3])));
    listener_bias += step_ * (error - bias_penalty * listener_scale * listener_bias);
    track_bias += step_ * (error - bias_penalty * track_scale * track_bias);
    const float move = step_ * error;
    const float keep_listener = 1 - step_ * factor_penalty * listener_scale;
    const float keep_track = 1 - step_ * factor_penalty * track_scale;
    for (size_t l = 0; l < sum_.lanes; ++l) {
      const Lane old = q[l];
      q[l] = keep_track * old + move * (p[l] + s[l]);
      p[l] = keep_listener * p[l] + move * old;
      s[l] = keep_listener * s[l] + move * old;
    }
  }

  void UpdateImplicit(uint32_t u, size_t ratings, float listener_scale) {
    if (!implicit_ || data_.chosen.Columns(u).empty()) return;
    const double keep = 1 - step_ * settings_.regularization * listener_scale;
    const auto kept = static_cast<float>(std::pow(keep, static_cast<double>(ratings)));
    const float root = data_.chosen.Values(u)[0];
    for (size_t l = 0; l < sum_.lanes; ++l) before_.values[l] = root * (sum_.values[l] - kept * before_.values[l]);
    for (const uint32_t j : data_.chosen.Columns(u)) {
      Lane* y = parameters_.y[j];
      for (size_t l = 0; l < sum_.lanes; ++l) y[l] = kept * y[l] + before_.values[l];
    }
  }

  const RatingData& data_;
  const SvdSettings& settings_;
  const bool implicit_;
  const uint64_t seed_;
  const RowPenalties listener_penalty_;
  const RowPenalties track_penalty_;
  Parameters parameters_;
  Rows before_;
  Rows sum_;
  std::vector<uint32_t> order_;
  std::vector<uint32_t> visits_;
  float step_ = 0;
};

/// Rows as the model has them: factors, then two more numbers.
std::vector<float> ModelRows(const Rows& rows, size_t count, size_t d, std::span<const float> first,
                             std::span<const float> second) {
  const size_t stride = models::SvdModel::Stride(d);
  std::vector<float> result(count * stride, 0.0f);
  for (size_t r = 0; r < count; ++r) {
    std::copy_n(rows.Floats(r), d, result.data() + r * stride);
    if (!first.empty()) result[r * stride + d] = first[r];
    if (!second.empty()) result[r * stride + d + 1] = second[r];
  }
  return result;
}

class SvdTrainer final : public Trainer {
 public:
  explicit SvdTrainer(bool implicit) : implicit_(implicit) {}
  std::string_view algorithm() const override { return implicit_ ? models::SvdModel::kSvdpp : models::SvdModel::kSvd; }
  bool PredictsRatings() const override { return true; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& all, uint64_t seed,
                                             Instruments& instruments) const override {
    const SvdSettings& settings = implicit_ ? all.svdpp : all.svd;
    auto preferences = SumPreferences(data, {all.skip_weight, all.like_weight});
    SEGUE_TRY(const RatingData ratings, RatingsOf(preferences, algorithm()));
    models::ApplyLiking(preferences, models::LikedRule(all.liked, preferences));
    const size_t tracks = data.tracks.size();
    Descent descent(ratings, tracks, settings, implicit_, seed);
    const auto epochs = static_cast<uint64_t>(settings.epochs);
    for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, std::string(algorithm()) + ": asked to stop"};
      instruments.Progress("train", epoch, epochs, "epochs");
      descent.Epoch(epoch);
    }
    instruments.Progress("train", epochs, epochs, "epochs");
    if (!descent.Sane()) {
      return Error{ErrorCode::kInvalid, std::string(algorithm()) + ": descent went astray with learning_rate " +
                                            std::to_string(settings.learning_rate) + "; set a smaller one"};
    }
    const Parameters& learnt = descent.parameters();
    const auto d = static_cast<size_t>(settings.factors);
    const std::vector<float> ones(std::max(tracks, data.listener_count()), 1.0f);
    models::SvdModel::Parts parts;
    parts.algorithm = algorithm();
    parts.catalogue = models::Catalogue(data.tracks.id, PopularityOf(preferences, tracks));
    parts.scale = ratings.scale;
    parts.factors = static_cast<uint32_t>(d);
    parts.tracks = ModelRows(learnt.q, tracks, d, ones, learnt.track_bias);
    if (implicit_) parts.implicit = ModelRows(learnt.y, tracks, d, {}, {});
    parts.names = data.listeners;
    parts.listeners = ModelRows(learnt.p, data.listener_count(), d, learnt.listener_bias, ones);
    parts.weight = {1};
    parts.mean.assign(models::SvdModel::Stride(d), 0.0f);
    parts.precision = parts.mean;
    std::fill_n(parts.precision.begin(), d, static_cast<float>(settings.regularization));
    parts.precision[d] = static_cast<float>(settings.bias_regularization);
    parts.exponent = static_cast<float>(1 - settings.frequency_exponent);
    return models::SvdModel::Make(std::move(parts));
  }

 private:
  bool implicit_;
};

}  // namespace

std::unique_ptr<Trainer> MakeSvdTrainer() { return std::make_unique<SvdTrainer>(false); }
std::unique_ptr<Trainer> MakeSvdppTrainer() { return std::make_unique<SvdTrainer>(true); }

}  // namespace segue::train
