#include "train/item_knn.h"

#include <algorithm>
#include <utility>

#include <tbb/enumerable_thread_specific.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include "models/item_knn.h"
#include "train/knn_matrix.h"

namespace segue::train {
namespace {

/// One thread's row of the product.
struct Row {
  std::vector<float> dot;     ///< [tracks] zero between uses
  std::vector<float> common;  ///< [tracks]
  std::vector<uint32_t> touched;
};

struct Near {
  uint32_t row;
  float similarity;
};

class ItemKnnTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::ItemKnnModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    KnnMatrix matrix = MakeKnnMatrix(data, settings, models::ParseKnnWeighting(settings.item_knn.weighting));
    if (matrix.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, "item_knn: there are no plays, likes or ratings to train on"};
    }
    const int threads = settings.threads == 0 ? tbb::task_arena::automatic : static_cast<int>(settings.threads);
    tbb::task_arena arena(threads);
    std::vector<std::vector<Near>> lists;
    arena.execute([&] { lists = Nearest(matrix.listeners, data.tracks.size(), settings.item_knn, instruments); });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "item_knn: asked to stop"};
    models::ItemKnnModel::Parts parts{models::Catalogue(data.tracks.id, std::move(matrix.popularity)), matrix.scale,
                                      models::ParseKnnScoring(settings.item_knn.scoring), std::move(matrix.idf), {0}, {}, {}};
    for (const auto& list : lists) {
      for (const Near& near : list) {
        parts.neighbour.push_back(near.row);
        parts.similarity.push_back(near.similarity);
      }
      parts.begin.push_back(parts.neighbour.size());
    }
    return models::ItemKnnModel::Make(std::move(parts));
  }

 private:
  static std::vector<std::vector<Near>> Nearest(const Csr& listeners, size_t tracks, const KnnSettings& settings,
                                                Instruments& instruments) {
    const Csr columns = Transposed(listeners, tracks);
    const auto facts = FactsOf(columns);
    const KnnSimilarity similarity = ParseKnnSimilarity(settings.similarity);
    std::vector<std::vector<Near>> lists(tracks);
    tbb::enumerable_thread_specific<Row> rows([&] { return Row{std::vector<float>(tracks, 0.0f), std::vector<float>(tracks, 0.0f), {}}; });
    tbb::parallel_for(tbb::blocked_range<size_t>(0, tracks, 32), [&](const auto& range) {
      if (instruments.Cancelled()) return;
      Row& row = rows.local();
      for (size_t i = range.begin(); i < range.end(); ++i) {
        Multiply(listeners, columns, i, row);
        lists[i] = Pick(row, facts, i, similarity, listeners.rows(), settings);
      }
    });
    return lists;
  }

  static void Multiply(const Csr& listeners, const Csr& columns, size_t i, Row& row) {
    const auto who = columns.Columns(i);
    const auto weights = columns.Values(i);
    for (size_t k = 0; k < who.size(); ++k) {
      const auto tracks = listeners.Columns(who[k]);
      const auto values = listeners.Values(who[k]);
      for (size_t t = 0; t < tracks.size(); ++t) {
        const uint32_t j = tracks[t];
        if (row.common[j] == 0) row.touched.push_back(j);
        row.common[j] += 1;
        row.dot[j] += weights[k] * values[t];
      }
    }
  }

  static std::vector<Near> Pick(Row& row, const std::vector<RowFacts>& facts, size_t i, KnnSimilarity similarity,
                                size_t listeners, const KnnSettings& settings) {
    std::vector<Near> near;
    near.reserve(row.touched.size());
    for (const uint32_t j : row.touched) {
      if (j != i) {
        const float likeness = Likeness(similarity, facts[i], facts[j], row.dot[j], row.common[j], listeners,
                                        static_cast<float>(settings.popular), static_cast<float>(settings.shrinkage));
        if (likeness > 0) near.push_back({j, likeness});
      }
      row.dot[j] = 0;
      row.common[j] = 0;
    }
    row.touched.clear();
    const auto nearer = [](const Near& a, const Near& b) { return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row; };
    const size_t kept = std::min(near.size(), static_cast<size_t>(settings.neighbours));
    std::nth_element(near.begin(), near.begin() + static_cast<std::ptrdiff_t>(kept), near.end(), nearer);
    near.resize(kept);
    std::sort(near.begin(), near.end(), nearer);
    return near;
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeItemKnnTrainer() { return std::make_unique<ItemKnnTrainer>(); }

}  // namespace segue::train
