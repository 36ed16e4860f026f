#include "train/ease.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "math/inverse.h"
#include "math/parallel.h"
#include "models/ease.h"
#include "train/ease_sparse.h"
#include "train/knn_matrix.h"

namespace segue::train {
namespace {

/// rows · rowsᵀ + λI; `columns` is rows transposed. Each row of the product is
/// summed by one thread, in order.
math::SymmetricMatrix GramOf(const Csr& rows, const Csr& columns, float regularization) {
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
    out[r] += regularization;
  });
  return gram;
}

/// λ: the setting is for weights of mean square 1 and one listener a track.
float Penalty(const Csr& tracks, double regularization) {
  double squares = 0;
  for (const float value : tracks.value) squares += static_cast<double>(value) * value;
  const auto size = static_cast<double>(tracks.size());
  const double penalty = regularization * squares / size * std::sqrt(size / static_cast<double>(tracks.rows()));
  return static_cast<float>(std::clamp(penalty, 1e-6, 1e30));
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
    const Csr listeners = Only(matrix.listeners, Used(matrix.listeners));
    const Csr all_tracks = Transposed(listeners, data.tracks.size());
    models::EaseModel::Parts parts{models::Catalogue(data.tracks.id, std::move(matrix.popularity)), matrix.scale,
                                   static_cast<float>(settings.ease.regularization), std::move(matrix.idf), Used(all_tracks),
                                   models::EaseModel::Form::kDense, {}, {}, {}, {}, {}, {}};
    const Csr tracks = Only(all_tracks, parts.played);
    parts.regularization = Penalty(tracks, settings.ease.regularization);
    const size_t smaller = std::min(listeners.rows(), tracks.rows());
    bool solved = false;
    math::WithThreads(settings.threads, [&] {
      solved = smaller > static_cast<size_t>(settings.ease.max_dense)
                   ? Sparse(listeners, tracks, static_cast<size_t>(settings.ease.neighbours), instruments, parts)
               : listeners.rows() < tracks.rows() ? Narrow(listeners, tracks, parts)
                                                  : Dense(tracks, parts);
    });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "ease: asked to stop"};
    if (!solved) return Error{ErrorCode::kInvalid, "ease: the matrix cannot be inverted; raise ease.regularization"};
    return models::EaseModel::Make(std::move(parts));
  }

 private:
  static bool Dense(const Csr& tracks, models::EaseModel::Parts& parts) {
    const size_t p = tracks.rows();
    const Csr listeners = Transposed(tracks, Widest(tracks));
    math::SymmetricMatrix inverse = GramOf(tracks, listeners, parts.regularization);
    if (!inverse.Invert()) return false;
    parts.dense.resize(p * p);
    math::ParallelFor(p, [&](size_t j) {
      for (size_t i = 0; i < p; ++i) parts.dense[j * p + i] = i == j ? 0 : -inverse.Row(j)[i] / inverse.Row(i)[i];
    });
    return true;
  }

  static bool Sparse(const Csr& listeners, const Csr& tracks, size_t neighbours, Instruments& instruments, models::EaseModel::Parts& parts) {
    Csr by_places = Transposed(tracks, listeners.rows());
    auto rows = SparseEase(by_places, tracks, {parts.regularization, neighbours}, instruments);
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

  static bool Narrow(const Csr& listeners, const Csr& tracks, models::EaseModel::Parts& parts) {
    const size_t m = listeners.rows();
    // Columns of `listeners` are rows of the catalogue; of the product only who has what in common counts.
    math::SymmetricMatrix inverse = GramOf(listeners, Transposed(listeners, Widest(listeners)), parts.regularization);
    if (!inverse.Invert()) return false;
    parts.inner.resize(m * m);
    for (size_t u = 0; u < m; ++u) std::copy_n(inverse.Row(u), m, parts.inner.begin() + static_cast<std::ptrdiff_t>(u * m));
    parts.begin = tracks.begin;
    parts.form = models::EaseModel::Form::kNarrow;
    parts.column = tracks.column;
    parts.value = tracks.value;
    parts.inverse_diagonal.resize(tracks.rows());
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
      parts.inverse_diagonal[i] = static_cast<float>(parts.regularization / (1 - sum));
    });
    return true;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeEaseTrainer() { return std::make_unique<EaseTrainer>(); }

}  // namespace segue::train
