#include "train/ials.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "core/random.h"
#include "math/eigen.h"
#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "models/popularity.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

/// A row with fewer than 3/4 d interactions is solved in its own space: below
/// that the s x s system is the cheaper (bench/als_bench.cc).
constexpr size_t kNarrowOf = 4;
constexpr size_t kNarrowTo = 3;

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

/// The fixed side turned so that its Gram matrix is diagonal: scores do not
/// change when both sides turn, and a row's system then starts from a diagonal.
struct Turned {
  std::vector<float> gram;  ///< [d] the diagonal
};

/// Turns `fixed` [rows x stride] in place.
Turned Turn(std::span<float> fixed, size_t d, size_t stride) {
  const size_t rows = fixed.size() / stride;
  const math::Eigen eigen = math::SymmetricEigen(models::Gram(fixed, rows, stride), stride, d);
  Turned turned;
  for (const double value : eigen.values) turned.gram.push_back(static_cast<float>(std::max(0.0, value)));
  std::vector<float> turn(d * stride, 0.0f);  // row j: what factor j becomes
  for (size_t j = 0; j < d; ++j) {
    for (size_t k = 0; k < d; ++k) turn[j * stride + k] = static_cast<float>(eigen.vectors[j * d + k]);
  }
  std::vector<uint32_t> all(d);
  std::iota(all.begin(), all.end(), 0u);
  const math::Kernels& kernels = math::BestKernels();
  tbb::parallel_for(tbb::blocked_range<size_t>(0, rows, 256), [&](const auto& range) {
    std::vector<float> row(stride);
    for (size_t r = range.begin(); r < range.end(); ++r) {
      float* x = fixed.data() + r * stride;
      std::copy_n(x, stride, row.begin());
      std::fill_n(x, stride, 0.0f);
      kernels.add_rows(x, stride, turn.data(), all.data(), row.data(), d);
    }
  });
  return turned;
}

/// What one thread needs to solve a row; reused.
struct Workspace {
  std::vector<float> a;        ///< [stride x stride], or [s x s] padded
  std::vector<float> columns;  ///< [d x s] padded
  std::vector<float> b;        ///< [stride]
  std::vector<float> z;        ///< [s] padded
  std::vector<float> inverse;  ///< [stride] 1 / sqrt of the system's diagonal
};

/// The row's system as it is written: d x d. `diagonal` [d] without the row's part.
bool SolveWide(const Side& side, size_t r, std::span<const float> fixed, size_t d, size_t stride,
               std::span<const float> gram, float penalty, Workspace& work, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  const size_t s = side.begin[r + 1] - side.begin[r];
  const uint32_t* columns = side.column.data() + side.begin[r];
  work.a.assign(stride * stride, 0.0f);
  for (size_t j = 0; j < d; ++j) work.a[j * stride + j] = gram[j] + penalty;
  kernels.add_outer(work.a.data(), stride, fixed.data(), columns, side.extra.data() + side.begin[r], s);
  kernels.add_rows(x, stride, fixed.data(), columns, side.target.data() + side.begin[r], s);
  if (!kernels.cholesky(work.a.data(), stride, d)) return false;
  kernels.solve(work.a.data(), stride, d, x);
  return true;
}

/// The same for rows with few interactions, s x s (Woodbury). With
/// D = diag(gram) + penalty, Z [s x d] = sqrt(c - 1)·y·D^-½ and b' = D^-½·b:
///
///   x = D^-½ (b' - Zᵀ (I + Z·Zᵀ)^-1 Z·b')
bool SolveNarrow(const Side& side, size_t r, std::span<const float> fixed, size_t d, size_t stride,
                 std::span<const float> gram, float penalty, Workspace& work, float* x) {
  const math::Kernels& kernels = math::BestKernels();
  const size_t s = side.begin[r + 1] - side.begin[r];
  const size_t width = math::PaddedTo(s);
  const uint32_t* columns = side.column.data() + side.begin[r];
  work.inverse.assign(stride, 0.0f);
  for (size_t j = 0; j < d; ++j) work.inverse[j] = 1 / std::sqrt(gram[j] + penalty);
  work.columns.assign(d * width, 0.0f);
  for (size_t k = 0; k < s; ++k) {
    const float* y = fixed.data() + static_cast<size_t>(columns[k]) * stride;
    const float weight = std::sqrt(side.extra[side.begin[r] + k]);
    for (size_t j = 0; j < d; ++j) work.columns[j * width + k] = weight * y[j] * work.inverse[j];
  }
  kernels.add_rows(x, stride, fixed.data(), columns, side.target.data() + side.begin[r], s);
  for (size_t j = 0; j < d; ++j) x[j] *= work.inverse[j];
  work.a.assign(width * width, 0.0f);
  for (size_t k = 0; k < s; ++k) work.a[k * width + k] = 1;
  kernels.add_outer(work.a.data(), width, work.columns.data(), nullptr, nullptr, d);
  work.z.assign(width, 0.0f);
  work.b.resize(d);
  for (size_t j = 0; j < d; ++j) {
    for (size_t k = 0; k < width; ++k) work.z[k] += x[j] * work.columns[j * width + k];
  }
  if (!kernels.cholesky(work.a.data(), width, s)) return false;
  kernels.solve(work.a.data(), width, s, work.z.data());
  kernels.dots(work.columns.data(), d, width, work.z.data(), work.b.data());
  for (size_t j = 0; j < d; ++j) x[j] = (x[j] - work.b[j]) * work.inverse[j];
  return true;
}

/// Solves every row of `side` for fixed factors of the other side, which turn.
///   fixed   [columns x stride]   solved  [rows x stride]
void HalfStep(const Side& side, std::span<float> fixed, size_t d, size_t stride,
              const models::IalsWeights& weights, std::span<float> solved) {
  const Turned turned = Turn(fixed, d, stride);
  const float mean_count = side.mean_count();
  tbb::enumerable_thread_specific<Workspace> workspaces;
  tbb::parallel_for(tbb::blocked_range<size_t>(0, side.rows(), 16), [&](const auto& range) {
    Workspace& work = workspaces.local();
    for (size_t r = range.begin(); r < range.end(); ++r) {
      float* x = solved.data() + r * stride;
      std::fill_n(x, stride, 0.0f);
      const size_t s = side.begin[r + 1] - side.begin[r];
      if (s == 0) continue;
      const float penalty = weights.Penalty(static_cast<float>(s), mean_count);
      const bool narrow = penalty > 0 && s * kNarrowOf < d * kNarrowTo;
      const bool solvable = narrow ? SolveNarrow(side, r, fixed, d, stride, turned.gram, penalty, work, x)
                                   : SolveWide(side, r, fixed, d, stride, turned.gram, penalty, work, x);
      if (!solvable) std::fill_n(x, stride, 0.0f);
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
