#include "train/ials.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "core/random.h"
#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "models/popularity.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

/// One side's interactions: for each row its columns and weights.
struct Side {
  std::vector<uint64_t> begin;   // [rows + 1]
  std::vector<uint32_t> column;  // ascending in each row
  std::vector<float> extra;      // c - 1
  std::vector<float> target;     // c where wanted, 0 where disliked

  size_t rows() const { return begin.size() - 1; }
  float mean_count() const {
    const auto used = std::count_if(begin.begin() + 1, begin.end(), [&, last = uint64_t{0}](uint64_t end) mutable {
      return std::exchange(last, end) != end;
    });
    return used == 0 ? 1 : static_cast<float>(column.size()) / static_cast<float>(used);
  }
};

Side ListenerSide(const Preferences& preferences, const models::IalsWeights& weights) {
  Side side;
  side.begin.push_back(0);
  for (size_t u = 0; u + 1 < preferences.begin.size(); ++u) {
    for (const Preference& item : preferences.Of(UserIx{static_cast<uint32_t>(u)})) {
      if (item.strength == 0) continue;
      const bool wanted = item.strength > 0;
      const float c = weights.Confidence(wanted ? item.strength : models::kDislikeStrength);
      side.column.push_back(Raw(item.track));
      side.extra.push_back(c - 1);
      side.target.push_back(wanted ? c : 0);
    }
    side.begin.push_back(side.column.size());
  }
  return side;
}

Side Transposed(const Side& side, size_t columns) {
  Side result;
  result.begin.assign(columns + 1, 0);
  for (const uint32_t c : side.column) ++result.begin[c + 1];
  for (size_t i = 0; i < columns; ++i) result.begin[i + 1] += result.begin[i];
  result.column.resize(side.column.size());
  result.extra.resize(side.column.size());
  result.target.resize(side.column.size());
  std::vector<uint64_t> next(result.begin.begin(), result.begin.end() - 1);
  for (size_t r = 0; r < side.rows(); ++r) {
    for (uint64_t k = side.begin[r]; k < side.begin[r + 1]; ++k) {
      const uint64_t at = next[side.column[k]]++;
      result.column[at] = static_cast<uint32_t>(r);
      result.extra[at] = side.extra[k];
      result.target[at] = side.target[k];
    }
  }
  return result;
}

/// Solves every row of `side` for fixed factors of the other side.
///   fixed   [columns x stride]   solved  [rows x stride]
void HalfStep(const Side& side, std::span<const float> fixed, size_t d, size_t stride,
              const models::IalsWeights& weights, std::span<float> solved) {
  const math::Kernels& kernels = math::BestKernels();
  const std::vector<float> gram = models::Gram(fixed, fixed.size() / stride, stride);
  const float mean_count = side.mean_count();
  tbb::enumerable_thread_specific<std::vector<float>> matrices([&] { return std::vector<float>(stride * stride); });
  tbb::parallel_for(tbb::blocked_range<size_t>(0, side.rows(), 16), [&](const auto& range) {
    std::vector<float>& a = matrices.local();
    for (size_t r = range.begin(); r < range.end(); ++r) {
      float* x = solved.data() + r * stride;
      std::fill_n(x, stride, 0.0f);
      const size_t s = side.begin[r + 1] - side.begin[r];
      if (s == 0) continue;
      const uint32_t* columns = side.column.data() + side.begin[r];
      a = gram;
      const float penalty = weights.Penalty(static_cast<float>(s), mean_count);
      for (size_t j = 0; j < d; ++j) a[j * stride + j] += penalty;
      kernels.add_outer(a.data(), stride, fixed.data(), columns, side.extra.data() + side.begin[r], s);
      kernels.add_rows(x, stride, fixed.data(), columns, side.target.data() + side.begin[r], s);
      if (kernels.cholesky(a.data(), stride, d)) {
        kernels.solve(a.data(), stride, d, x);
      } else {
        std::fill_n(x, stride, 0.0f);
      }
    }
  });
}

/// Small random factors for tracks that somebody has; a row's numbers depend
/// on the seed and the row alone.
std::vector<float> FirstFactors(const Side& tracks, size_t d, size_t stride, uint64_t seed) {
  std::vector<float> y(tracks.rows() * stride, 0.0f);
  const double scale = 0.1 / std::sqrt(static_cast<double>(d));
  for (size_t i = 0; i < tracks.rows(); ++i) {
    if (tracks.begin[i] == tracks.begin[i + 1]) continue;
    Random random(seed, i);
    for (size_t j = 0; j < d; ++j) y[i * stride + j] = static_cast<float>(scale * random.Normal());
  }
  return y;
}

class IalsTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::IalsModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    const models::Liked liked = models::LikedRule(settings.liked, preferences);
    models::ApplyLiking(preferences, liked);
    models::IalsWeights weights{static_cast<float>(settings.ials.alpha), static_cast<float>(settings.ials.regularization),
                                static_cast<float>(settings.ials.frequency_exponent)};
    const Side listeners = ListenerSide(preferences, weights);
    if (listeners.column.empty()) {
      return Error{ErrorCode::kInvalid, "ials: there are no plays, likes or ratings to train on"};
    }
    weights.liked = liked;
    weights.mean_listener_count = listeners.mean_count();
    const int threads = settings.threads == 0 ? tbb::task_arena::automatic : static_cast<int>(settings.threads);
    tbb::task_arena arena(threads);
    return arena.execute([&]() -> Result<std::unique_ptr<models::Model>> {
      SEGUE_TRY(auto y, Factors(listeners, data.tracks.size(), weights, settings, seed, instruments));
      return models::IalsModel::Make({models::Catalogue(data.tracks.id, PopularityOf(preferences, data.tracks.size())),
                                      static_cast<uint32_t>(settings.ials.factors), std::move(y), weights});
    });
  }

 private:
  static Result<std::vector<float>> Factors(const Side& listeners, size_t track_count,
                                            const models::IalsWeights& weights, const Settings& settings,
                                            uint64_t seed, Instruments& instruments) {
    const auto d = static_cast<size_t>(settings.ials.factors);
    const size_t stride = math::PaddedTo(d);
    const Side tracks = Transposed(listeners, track_count);
    std::vector<float> y = FirstFactors(tracks, d, stride, seed);
    std::vector<float> x(listeners.rows() * stride, 0.0f);
    const auto epochs = static_cast<uint64_t>(settings.ials.epochs);
    for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
      if (instruments.Cancelled()) break;
      instruments.Progress("train", epoch, epochs, "epochs");
      HalfStep(listeners, y, d, stride, weights, x);
      if (instruments.Cancelled()) break;
      HalfStep(tracks, x, d, stride, weights, y);
    }
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "ials: asked to stop"};
    instruments.Progress("train", epochs, epochs, "epochs");
    return y;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeIalsTrainer() { return std::make_unique<IalsTrainer>(); }

}  // namespace segue::train
