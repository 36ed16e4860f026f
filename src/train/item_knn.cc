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

constexpr size_t kBlock = 64;  // columns that are looked at together

struct Near {
  uint32_t row;
  float similarity;
};

bool Nearer(const Near& a, const Near& b) { return a.similarity != b.similarity ? a.similarity > b.similarity : a.row < b.row; }

/// The k nearest of candidates that come by ascending row.
class Nearest {
 public:
  explicit Nearest(size_t k) : k_(k) {}

  /// What is not above this is not among them: later rows lose ties.
  float bar() const { return bar_; }
  void Take(Near near) {
    kept_.push_back(near);
    if (kept_.size() >= 2 * k_ + 64) Cut();
  }
  std::vector<Near> Sorted() {
    if (kept_.size() > k_) Cut();
    std::sort(kept_.begin(), kept_.end(), Nearer);
    std::vector<Near> sorted(kept_.begin(), kept_.end());  // no room to spare: all tracks' are kept
    kept_.clear();
    bar_ = 0;
    return sorted;
  }

 private:
  void Cut() {
    std::nth_element(kept_.begin(), kept_.begin() + static_cast<std::ptrdiff_t>(k_ - 1), kept_.end(), Nearer);
    kept_.resize(k_);
    bar_ = kept_.back().similarity;
  }

  const size_t k_;
  std::vector<Near> kept_;
  float bar_ = 0;
};

/// One thread's row of the product. All zero between uses; blocks that are
/// touched are marked, so that a row's cost follows what is in it.
struct Row {
  std::vector<float> dot;         ///< [tracks, up to whole blocks]
  std::vector<float> common;      ///< the same, where it counts
  std::vector<uint8_t> touched;   ///< [blocks]
  Nearest nearest;

  Row(size_t tracks, bool counts_common, size_t k)
      : dot((tracks + kBlock - 1) / kBlock * kBlock, 0.0f), common(counts_common ? dot.size() : 0, 0.0f), touched(dot.size() / kBlock, 0), nearest(k) {}
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
    arena.execute([&] { lists = Lists(matrix.listeners, data.tracks.size(), settings.item_knn, instruments); });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "item_knn: asked to stop"};
    models::ItemKnnModel::Parts parts{models::Catalogue(data.tracks.id, std::move(matrix.popularity)), matrix.scale,
                                      models::ParseKnnScoring(settings.item_knn.scoring), std::move(matrix.idf), {0}, {}, {}};
    size_t entries = 0;
    for (const auto& list : lists) entries += list.size();
    parts.neighbour.reserve(entries);
    parts.similarity.reserve(entries);
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
  static std::vector<std::vector<Near>> Lists(const Csr& listeners, size_t tracks, const KnnSettings& settings,
                                              Instruments& instruments) {
    const Csr columns = Transposed(listeners, tracks);
    const Likeness likeness(ParseKnnSimilarity(settings.similarity), columns, listeners.rows(), settings.popular, settings.shrinkage);
    std::vector<std::vector<Near>> lists(tracks);
    tbb::enumerable_thread_specific<Row> rows([&] { return Row(tracks, likeness.CountsCommon(), static_cast<size_t>(settings.neighbours)); });
    tbb::parallel_for(tbb::blocked_range<size_t>(0, tracks, 32), [&](const auto& range) {
      if (instruments.Cancelled()) return;
      Row& row = rows.local();
      for (size_t i = range.begin(); i < range.end(); ++i) {
        Multiply(listeners, columns, i, row);
        lists[i] = Pick(row, likeness, i, tracks);
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
      const float weight = weights[k];
      for (size_t t = 0; t < tracks.size(); ++t) {
        row.dot[tracks[t]] += weight * values[t];
        row.touched[tracks[t] / kBlock] = 1;
      }
      if (!row.common.empty()) {
        for (const uint32_t j : tracks) row.common[j] += 1;
      }
    }
  }

  static std::vector<Near> Pick(Row& row, const Likeness& likeness, size_t i, size_t tracks) {
    for (size_t block = 0; block < row.touched.size(); ++block) {
      if (row.touched[block] == 0) continue;
      row.touched[block] = 0;
      const size_t first = block * kBlock;
      const size_t count = std::min(kBlock, tracks - first);
      float* found = row.dot.data() + first;
      float* common = row.common.empty() ? nullptr : row.common.data() + first;
      likeness.Replace(i, first, count, found, common);
      if (i / kBlock == block) found[i - first] = 0;
      int above = 0;  // most blocks have none: counted without a branch
      for (size_t k = 0; k < kBlock; ++k) above += found[k] > row.nearest.bar() ? 1 : 0;
      if (above > 0) {
        for (size_t k = 0; k < count; ++k) {
          if (found[k] > row.nearest.bar()) row.nearest.Take({static_cast<uint32_t>(first + k), found[k]});
        }
      }
      std::fill_n(found, kBlock, 0.0f);
      if (common != nullptr) std::fill_n(common, kBlock, 0.0f);
    }
    return row.nearest.Sorted();
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeItemKnnTrainer() { return std::make_unique<ItemKnnTrainer>(); }

}  // namespace segue::train
