#include "train/ease.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "math/inverse.h"
#include "math/parallel.h"
#include "models/ease.h"
#include "train/ease_sparse.h"
#include "train/knn_matrix.h"

namespace segue::train {
namespace {

/// rows · rowsᵀ; `columns` is rows transposed. Each row of the product is
/// summed by one thread, in order.
math::SymmetricMatrix GramOf(const Csr& rows, const Csr& columns) {
  math::SymmetricMatrix gram(rows.rows());
  math::ParallelFor(rows.rows(), [&](size_t r) {
    float* out = gram.Row(r);
    for (size_t k = 0; k < rows.Columns(r).size(); ++k) {
      const uint32_t c = rows.Columns(r)[k];
      const float value = rows.Values(r)[k];
      const auto others = columns.Columns(c);
      const auto values = columns.Values(c);
      for (size_t o = 0; o < others.size(); ++o) out[others[o]] += value * values[o];
    }
  });
  return gram;
}

/// Every listener's weights times W^½ (train/ease.h).
void CountListeners(Csr& listeners, double exponent) {
  const double mean = static_cast<double>(listeners.size()) / static_cast<double>(listeners.rows());
  for (size_t u = 0; u < listeners.rows(); ++u) {
    const auto tracks = static_cast<double>(listeners.Columns(u).size());
    const auto root = static_cast<float>(std::pow(tracks / mean, -exponent / 2));
    for (uint64_t k = listeners.begin[u]; k < listeners.begin[u + 1]; ++k) listeners.value[k] *= root;
  }
}

/// Λ (train/ease.h): [tracks], positive.
std::vector<float> Penalty(const Csr& tracks, const EaseSettings& settings) {
  std::vector<double> squares(tracks.rows());
  for (size_t i = 0; i < tracks.rows(); ++i) {
    for (const float value : tracks.Values(i)) squares[i] += static_cast<double>(value) * value;
  }
  const auto size = static_cast<double>(tracks.size());
  const double same = settings.regularization * std::accumulate(squares.begin(), squares.end(), 0.0) / size *
                      std::sqrt(size / static_cast<double>(tracks.rows()));
  std::vector<float> penalty(tracks.rows());
  for (size_t i = 0; i < tracks.rows(); ++i) {
    penalty[i] = static_cast<float>(std::clamp(same + settings.popularity_penalty * squares[i], 1e-6, 1e30));
  }
  return penalty;
}

/// The rows that have anything.
std::vector<uint32_t> Used(const Csr& rows) {
  std::vector<uint32_t> used;
  for (uint32_t r = 0; r < rows.rows(); ++r) {
    if (!rows.Columns(r).empty()) used.push_back(r);
  }
  return used;
}

/// Only the `kept` rows.
Csr Only(const Csr& rows, const std::vector<uint32_t>& kept) {
  Csr result;
  for (const uint32_t r : kept) {
    result.column.insert(result.column.end(), rows.Columns(r).begin(), rows.Columns(r).end());
    result.value.insert(result.value.end(), rows.Values(r).begin(), rows.Values(r).end());
    result.EndRow();
  }
  return result;
}

class EaseTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::EaseModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    KnnMatrix matrix = MakeKnnMatrix(data, settings, models::ParseKnnWeighting(settings.ease.weighting));
    if (matrix.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, "ease: there are no plays, likes or ratings to train on"};
    }
    Csr listeners = Only(matrix.listeners, Used(matrix.listeners));
    CountListeners(listeners, settings.ease.listener_exponent);
    const Csr all_tracks = Transposed(listeners, data.tracks.size());
    models::EaseModel::Parts parts{models::Catalogue(data.tracks.id, std::move(matrix.popularity)), matrix.scale,
                                   std::move(matrix.idf), Used(all_tracks), models::EaseModel::Form::kDense, {}, {}, {}, {}, {}, {}, {}};
    const Csr tracks = Only(all_tracks, parts.played);
    const std::vector<float> penalty = Penalty(tracks, settings.ease);
    const size_t smaller = std::min(listeners.rows(), tracks.rows());
    bool solved = false;
    math::WithThreads(settings.threads, [&] {
      solved = smaller > static_cast<size_t>(settings.ease.max_dense)
                   ? Sparse(listeners, tracks, penalty, static_cast<size_t>(settings.ease.neighbours), instruments, parts)
               : listeners.rows() < tracks.rows() ? Narrow(listeners, tracks, penalty, parts)
                                                  : Dense(tracks, penalty, parts);
    });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "ease: asked to stop"};
    if (!solved) return Error{ErrorCode::kInvalid, "ease: the matrix cannot be inverted; raise ease.regularization"};
    return models::EaseModel::Make(std::move(parts));
  }

 private:
  static bool Dense(const Csr& tracks, const std::vector<float>& penalty, models::EaseModel::Parts& parts) {
    const size_t p = tracks.rows();
    const Csr listeners = Transposed(tracks, Widest(tracks));
    math::SymmetricMatrix inverse = GramOf(tracks, listeners);
    for (size_t i = 0; i < p; ++i) inverse.Row(i)[i] += penalty[i];
    if (!inverse.Invert()) return false;
    parts.dense.resize(p * p);
    math::ParallelFor(p, [&](size_t j) {
      for (size_t i = 0; i < p; ++i) parts.dense[j * p + i] = i == j ? 0 : -inverse.Row(j)[i] / inverse.Row(i)[i];
    });
    return true;
  }

  static bool Sparse(const Csr& listeners, const Csr& tracks, const std::vector<float>& penalty, size_t neighbours,
                     Instruments& instruments, models::EaseModel::Parts& parts) {
    Csr by_places = Transposed(tracks, listeners.rows());
    auto rows = SparseEase(by_places, tracks, penalty, {.neighbours = neighbours}, instruments);
    if (!rows) return false;
    parts.form = models::EaseModel::Form::kSparse;
    parts.begin = std::move(rows->begin);
    parts.column = std::move(rows->column);
    parts.value = std::move(rows->value);
    return true;
  }

  static size_t Widest(const Csr& rows) {
    uint32_t widest = 0;
    for (const uint32_t c : rows.column) widest = std::max(widest, c + 1);
    return widest;
  }

  static bool Narrow(const Csr& listeners, Csr tracks, const std::vector<float>& penalty, models::EaseModel::Parts& parts) {
    const size_t m = listeners.rows();
    parts.says.resize(tracks.rows());
    for (size_t i = 0; i < tracks.rows(); ++i) {
      parts.says[i] = 1 / std::sqrt(penalty[i]);
      for (uint64_t k = tracks.begin[i]; k < tracks.begin[i + 1]; ++k) tracks.value[k] *= parts.says[i];
    }
    math::SymmetricMatrix inverse = GramOf(Transposed(tracks, m), tracks);
    for (size_t u = 0; u < m; ++u) inverse.Row(u)[u] += 1;
    if (!inverse.Invert()) return false;
    parts.inner.resize(m * m);
    for (size_t u = 0; u < m; ++u) std::copy_n(inverse.Row(u), m, parts.inner.begin() + static_cast<std::ptrdiff_t>(u * m));
    parts.form = models::EaseModel::Form::kNarrow;
    parts.heeds.resize(tracks.rows());
    math::ParallelFor(tracks.rows(), [&](size_t i) {
      const auto who = tracks.Columns(i);
      const auto values = tracks.Values(i);
      double sum = 0;
      for (size_t a = 0; a < who.size(); ++a) {
        const float* row = inverse.Row(who[a]);
        double product = 0;
        for (size_t b = 0; b < who.size(); ++b) product += static_cast<double>(row[who[b]]) * values[b];
        sum += product * values[a];
      }
      parts.heeds[i] = static_cast<float>(std::sqrt(penalty[i]) / (1 - sum));
    });
    parts.begin = std::move(tracks.begin);
    parts.column = std::move(tracks.column);
    parts.value = std::move(tracks.value);
    return true;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeEaseTrainer() { return std::make_unique<EaseTrainer>(); }

}  // namespace segue::train
