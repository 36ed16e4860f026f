#include "train/item_knn.h"

#include <utility>

#include "math/parallel.h"
#include "models/item_knn.h"
#include "train/knn_matrix.h"
#include "train/neighbours.h"

namespace segue::train {
namespace {

class ItemKnnTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::ItemKnnModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments& instruments) const override {
    KnnMatrix matrix = MakeKnnMatrix(data, settings, models::ParseKnnWeighting(settings.item_knn.weighting));
    if (matrix.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, "item_knn: there are no plays, likes or ratings to train on"};
    }
    std::vector<std::vector<Neighbour>> lists;
    const KnnSettings& knn = settings.item_knn;
    const LikenessRule rule{models::ParseKnnSimilarity(knn.similarity), knn.popular, knn.shrinkage};
    math::WithThreads(settings.threads, [&] {
      lists = NearestTracks(std::move(matrix.listeners), data.tracks.size(), rule, static_cast<size_t>(knn.neighbours), instruments);
    });
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "item_knn: asked to stop"};
    models::ItemKnnModel::Parts parts{models::Catalogue(data.tracks.id, std::move(matrix.popularity)), matrix.scale,
                                      models::ParseKnnScoring(settings.item_knn.scoring), std::move(matrix.idf), {0}, {}, {}};
    size_t entries = 0;
    for (const auto& list : lists) entries += list.size();
    parts.neighbour.reserve(entries);
    parts.similarity.reserve(entries);
    for (const auto& list : lists) {
      for (const Neighbour near : list) {
        parts.neighbour.push_back(near.row());
        parts.similarity.push_back(near.likeness());
      }
      parts.begin.push_back(parts.neighbour.size());
    }
    return models::ItemKnnModel::Make(std::move(parts));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeItemKnnTrainer() { return std::make_unique<ItemKnnTrainer>(); }

}  // namespace segue::train
