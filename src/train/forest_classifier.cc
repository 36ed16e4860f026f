#include "train/forest_classifier.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "math/auc.h"
#include "math/parallel.h"
#include "train/labelled_rows.h"

namespace segue::train {
namespace {

constexpr size_t kBatch = 32;  ///< trees between two looks at whether to stop

/// Accuracy and AUC of the rows that some tree did not draw.
void Judge(std::span<const int32_t> label, size_t labels, FittedForest& fitted) {
  size_t known = 0;
  size_t right = 0;
  std::vector<float> scores;
  std::vector<uint8_t> positive;
  for (size_t r = 0; r < label.size() && !fitted.out_of_bag.empty(); ++r) {
    const float* p = fitted.out_of_bag.data() + r * labels;
    if (std::isnan(p[0])) continue;
    ++known;
    right += std::max_element(p, p + labels) - p == label[r] ? 1 : 0;
    scores.push_back(p[1]);
    positive.push_back(label[r] == 1 ? 1 : 0);
  }
  if (known == 0) return;
  fitted.out_of_bag_accuracy = static_cast<double>(right) / static_cast<double>(known);
  if (labels == 2) fitted.out_of_bag_auc = math::Auc(scores, positive);
}

class ForestTrainer final : public ClassifierTrainer {
 public:
  explicit ForestTrainer(bool random_cuts) : random_cuts_(random_cuts) {}
  std::string_view algorithm() const override {
    return random_cuts_ ? models::ForestClassifier::kExtraTrees : models::ForestClassifier::kRandomForest;
  }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t seed, Instruments& instruments) const override {
    SEGUE_TRY(FittedForest fitted, FitForest(random_cuts_, songs, rows, settings, seed, instruments));
    if (!fitted.out_of_bag.empty()) {
      const double auc = fitted.out_of_bag_auc.value_or(0);
      instruments.Info("train", std::string(algorithm()) + ": accuracy out of bag " + std::to_string(fitted.out_of_bag_accuracy) +
                                    (fitted.out_of_bag_auc ? ", AUC " + std::to_string(auc) : ""),
                       {{"accuracy", fitted.out_of_bag_accuracy}, {"auc", auc}});
    }
    return std::unique_ptr<models::Classifier>(std::move(fitted.model));
  }

 private:
  bool random_cuts_;
};

}  // namespace

Result<FittedForest> FitForest(bool random_cuts, const SongTable& songs, std::span<const uint32_t> rows,
                               const Settings& settings, uint64_t seed, Instruments& instruments) {
  return math::WithThreads(settings.threads, [&]() -> Result<FittedForest> {
    SEGUE_TRY(LabelledRows data, GatherRows(songs, rows));
    const ForestSettings& own = random_cuts ? settings.extra_trees : settings.forest;
    const auto trees = static_cast<size_t>(own.trees);
    models::ForestClassifier::Parts parts;
    parts.random_cuts = random_cuts;
    parts.binner = models::RowBinner::Of(data.x, data.features, own.derived == "frames");
    const std::vector<uint8_t> bins = parts.binner.Bin(data.x);
    const std::vector<uint16_t> label(data.y.begin(), data.y.end());
    math::ForestGrower grower(bins, parts.binner.width(), label, data.labels.size(),
                              {.tried = static_cast<size_t>(own.tried), .min_leaf_rows = static_cast<size_t>(own.min_leaf_rows),
                               .max_depth = static_cast<size_t>(own.max_depth), .random_cuts = random_cuts,
                               .bootstrap = own.bootstrap != 0, .most_rows = static_cast<size_t>(own.most_rows)}, seed);
    for (size_t done = 0; done < trees;) {
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "forest: stopped after " + std::to_string(done) + " trees"};
      const size_t more = std::min(kBatch, trees - done);
      grower.Grow(more, parts.forest);
      done += more;
      instruments.Progress("train", done, trees, "trees");
    }
    FittedForest fitted;
    fitted.out_of_bag = grower.OutOfBag(parts.forest);
    Judge(data.y, data.labels.size(), fitted);
    parts.importance = parts.binner.ByFeature(grower.Gain());
    parts.features = std::move(data.features);
    parts.labels = std::move(data.labels);
    fitted.model = models::ForestClassifier::Make(std::move(parts));
    return fitted;
  });
}

std::unique_ptr<ClassifierTrainer> MakeForestTrainer() { return std::make_unique<ForestTrainer>(false); }
std::unique_ptr<ClassifierTrainer> MakeExtraTreesTrainer() { return std::make_unique<ForestTrainer>(true); }

}  // namespace segue::train
