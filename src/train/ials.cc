#include "train/ials.h"

#include <algorithm>
#include <cmath>

#include "core/random.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "models/ials.h"
#include "models/popularity.h"
#include "train/ials_solver.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

/// What the data become: for each listener his tracks with c, or -c for a
/// dislike (confidence without a target).
struct Interactions {
  Csr listeners;
  std::vector<float> popularity;
};

/// One listener's preferences at a time are kept, so that memory is that of the matrix.
Interactions Collect(const Dataset& data, const Settings& settings, const models::IalsWeights& weights) {
  Interactions result;
  PopularityCounts counts(data.tracks.size());
  std::vector<float> confidence;
  result.listeners.column.reserve(data.events.size());
  result.listeners.value.reserve(data.events.size());
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto items = models::ByLiking(SumByTrack(data.EventsOf(UserIx{u}), {settings.skip_weight, settings.like_weight}), weights.liked);
    counts.Add(items);
    weights.Confidences(items, confidence);
    for (size_t k = 0; k < items.size(); ++k) {
      if (items[k].strength == 0) continue;
      result.listeners.column.push_back(Raw(items[k].track));
      result.listeners.value.push_back(items[k].strength > 0 ? confidence[k] : -confidence[k]);
    }
    result.listeners.EndRow();
  }
  result.popularity = counts.Scores();
  return result;
}

/// λ for these data. The penalty has to rise above what factors could learn by
/// chance, which grows with how much a row has and how much it weighs:
///
///   λ = ials.regularization · min(c̄^¾ · n̄^½, c̄·n̄ / 5),   n̄ = (n̄_listener · n̄_track)^½
///
/// c̄ the mean confidence, n̄ the mean interactions of a row. The second holds
/// where there is so little that the first would leave no factor: the largest
/// singular value of dense blocks is c̄·n̄. The powers were chosen on parts of
/// the train files of lastfm-2k, MovieLens 100k and 1M: with them one setting
/// is the best, or within noise of it, on all three (bench/tune.py).
float Penalty(const Csr& listeners, size_t track_count, double regularization) {
  double confidence = 0;
  for (const float c : listeners.value) confidence += std::fabs(c);
  std::vector<uint8_t> played(track_count, 0);
  for (const uint32_t track : listeners.column) played[track] = 1;
  const auto size = static_cast<double>(listeners.size());
  const double of_listener = MeanCount(listeners);
  const double of_track = static_cast<float>(listeners.size()) / static_cast<float>(std::count(played.begin(), played.end(), 1));
  const double mean = confidence / size;
  const double count = std::sqrt(of_listener * of_track);
  const double scale = std::min(std::pow(mean, 0.75) * std::sqrt(count), mean * count / 5);
  return static_cast<float>(std::clamp(regularization * scale, 0.0, 1e30));
}

/// Small random factors for tracks that somebody has; a row's numbers depend
/// on the seed and the row alone.
std::vector<float> FirstFactors(const Csr& tracks, size_t d, size_t stride, uint64_t seed) {
  std::vector<float> y(tracks.rows() * stride, 0.0f);
  const double scale = 0.1 / std::sqrt(static_cast<double>(d));
  for (size_t i = 0; i < tracks.rows(); ++i) {
    if (tracks.begin[i] == tracks.begin[i + 1]) continue;
    Random random(seed, i);
    for (size_t j = 0; j < d; ++j) y[i * stride + j] = static_cast<float>(scale * random.Normal());
  }
  return y;
}

/// As many factors as asked for, but no more than the data span: X has the rank
/// of the listeners at most and Y that of the tracks, so that more would be all
/// zero in coordinates that turn with them, at the price of the others.
size_t UsefulFactors(const Csr& listeners, const Csr& tracks, int64_t asked) {
  const auto used = [](const Csr& side) {
    size_t rows = 0;
    for (size_t r = 0; r < side.rows(); ++r) rows += side.begin[r + 1] > side.begin[r] ? 1 : 0;
    return rows;
  };
  return std::min({static_cast<size_t>(asked), used(listeners), used(tracks)});
}

class IalsTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::IalsModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    models::IalsWeights weights{static_cast<float>(settings.ials.alpha), static_cast<float>(settings.ials.regularization),
                                static_cast<float>(settings.ials.frequency_exponent)};
    weights.liked = models::LikedRule(settings.liked, data);
    weights.linear = settings.ials.confidence == "linear";
    weights.half_life_days = static_cast<float>(settings.ials.half_life_days);
    Interactions interactions = Collect(data, settings, weights);
    if (interactions.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, "ials: there are no plays, likes or ratings to train on"};
    }
    weights.mean_listener_count = MeanCount(interactions.listeners);
    weights.regularization = Penalty(interactions.listeners, data.tracks.size(), settings.ials.regularization);
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Model>> {
      const Csr tracks = Transposed(interactions.listeners, data.tracks.size());
      const size_t d = UsefulFactors(interactions.listeners, tracks, settings.ials.factors);
      SEGUE_TRY(auto y, Factors(interactions.listeners, tracks, d, weights, settings, seed, instruments));
      return models::IalsModel::Make({models::Catalogue(data.tracks.id, std::move(interactions.popularity)),
                                      static_cast<uint32_t>(d), std::move(y), weights});
    });
  }

 private:
  static Result<std::vector<float>> Factors(const Csr& listeners, const Csr& tracks, size_t d,
                                            const models::IalsWeights& weights, const Settings& settings,
                                            uint64_t seed, Instruments& instruments) {
    const size_t stride = math::PaddedTo(d);
    std::vector<float> y = FirstFactors(tracks, d, stride, seed);
    std::vector<float> x(listeners.rows() * stride, 0.0f);
    const auto block = static_cast<size_t>(settings.ials.block);
    const auto epochs = static_cast<uint64_t>(settings.ials.epochs);
    for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
      if (instruments.Cancelled()) break;
      instruments.Progress("train", epoch, epochs, "epochs");
      SolveSide(listeners, y, d, stride, weights, block, x);
      if (instruments.Cancelled()) break;
      SolveSide(tracks, x, d, stride, weights, block, y);
    }
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "ials: asked to stop"};
    instruments.Progress("train", epochs, epochs, "epochs");
    return y;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeIalsTrainer() { return std::make_unique<IalsTrainer>(); }

}  // namespace segue::train
