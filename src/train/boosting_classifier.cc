#include "train/boosting_classifier.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/random.h"
#include "math/parallel.h"
#include "models/boosting_classifier.h"
#include "train/boosting_rounds.h"
#include "train/labelled_rows.h"
#include "train/song_folds.h"

namespace segue::train {
namespace {

constexpr size_t kFewRows = 100;  ///< below, a holdout says nothing: all rounds are run, up to kFewRounds
constexpr size_t kFewRounds = 100;

/// Seeds of the parts of a fit, so that none draws what another does.
enum Stream : uint64_t { kHoldoutStream, kPairStream, kSearchStream, kBagStream };
uint64_t SeedOf(uint64_t seed, uint64_t stream) { return Random(seed, stream).Next(); }

/// The columns that a short boosting gains most by, without those of few values.
std::vector<uint16_t> WorthPairing(const BoostingData& data, size_t most, uint64_t seed, Instruments& instruments) {
  constexpr size_t kLeastEdges = 7;  // a yes or no has no sum
  BoostingSettings quick;
  quick.learning_rate = 0.2;
  quick.depth = 5;
  quick.columns = 1;
  const auto boosted = Boost(data, quick, 30, seed, instruments);
  if (!boosted) return {};
  std::vector<uint16_t> columns;
  for (size_t c = 0; c < data.table->features(); ++c) {
    if (boosted->gain[c] > 0 && data.table->edges.view().Of(c).size() >= kLeastEdges) columns.push_back(static_cast<uint16_t>(c));
  }
  std::stable_sort(columns.begin(), columns.end(), [&](uint16_t a, uint16_t b) { return boosted->gain[a] > boosted->gain[b]; });
  columns.resize(std::min(columns.size(), most));
  std::sort(columns.begin(), columns.end());
  return columns;
}

/// All sums and all differences.
std::vector<math::BinPair> PairsOf(std::span<const uint16_t> columns) {
  std::vector<math::BinPair> pairs;
  for (size_t i = 0; i < columns.size(); ++i) {
    for (size_t j = i + 1; j < columns.size(); ++j) {
      pairs.push_back({columns[i], columns[j], 0});
      pairs.push_back({columns[i], columns[j], 1});
    }
  }
  return pairs;
}

/// [rows] 1: held out. Empty where the holdout is 0, or would say nothing.
std::vector<uint8_t> Holdout(const SongTable& songs, std::span<const uint32_t> rows, double share, uint64_t seed) {
  if (share <= 0 || rows.size() < kFewRows) return {};
  const auto folds = static_cast<size_t>(std::max(2.0, std::round(1 / share)));
  const auto fold = SongFolds(songs, rows, folds, FoldsBy::kArtist, seed);
  std::vector<uint8_t> held(rows.size());
  size_t count = 0;
  for (size_t r = 0; r < rows.size(); ++r) count += held[r] = fold[r] == 0 ? 1 : 0;
  if (count == 0 || count == rows.size()) return {};  // one artist has all
  return held;
}

/// Appends bagged trees: what is boosted on bins becomes what predicts on bins.
void Append(const Boosted& boosted, double weight, models::BoostingClassifier::Parts& parts) {
  const auto base = static_cast<uint32_t>(parts.trees.nodes.size());
  const math::Trees& trees = boosted.trees;
  for (const uint32_t root : trees.roots) parts.trees.roots.push_back(base + root);
  for (size_t i = 0; i < trees.feature.size(); ++i) {
    if (trees.feature[i] < 0) {
      math::BinnedNode leaf;
      leaf.next = math::BinnedNode::kLeaf | static_cast<uint32_t>(parts.value.size());
      parts.value.push_back(static_cast<float>(trees.value[i] * weight));
      parts.trees.nodes.push_back(leaf);
    } else {
      // Thresholds stand halfway between two bins; infinity is behind the last.
      const float bin = std::min(std::floor(trees.threshold[i]), static_cast<float>(math::kMostBins - 1));
      parts.trees.nodes.push_back(math::SplitNode(base + trees.left[i], static_cast<uint16_t>(trees.feature[i]),
                                                  static_cast<uint8_t>(bin), trees.missing_left[i] != 0));
    }
  }
  for (size_t o = 0; o < boosted.base.size(); ++o) parts.base[o] += static_cast<float>(boosted.base[o] * weight);
}

class BoostingTrainer final : public ClassifierTrainer {
 public:
  std::string_view algorithm() const override { return models::BoostingClassifier::kAlgorithm; }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t seed, Instruments& instruments) const override {
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Classifier>> {
      SEGUE_TRY(LabelledRows data, GatherRows(songs, rows));
      const BoostingSettings& own = settings.boosting;
      models::BoostingClassifier::Parts parts;
      parts.binner = models::RowBinner::Of(data.x, data.features, own.derived == "frames");
      BoostingData boosting{nullptr, data.y, data.labels.size(), {}};
      const auto bin = [&] {
        boosting.table = math::BinnedColumns::OfBins(parts.binner.Bin(data.x), parts.binner.width());
      };
      bin();
      if (own.paired > 1) {
        const auto columns = WorthPairing(boosting, static_cast<size_t>(own.paired), SeedOf(seed, kPairStream), instruments);
        parts.binner.Pair(data.x, PairsOf(columns));
        bin();
      }
      const Error stopped{ErrorCode::kCancelled, "boosting: stopped"};
      auto rounds = static_cast<size_t>(own.trees);
      boosting.held = Holdout(songs, rows, own.holdout, SeedOf(seed, kHoldoutStream));
      if (!boosting.held.empty()) {
        const auto search = Boost(boosting, own, rounds, SeedOf(seed, kSearchStream), instruments);
        if (!search) return stopped;
        rounds = search->best;
        instruments.Info("train", "boosting: " + std::to_string(rounds) + " rounds, log loss of the holdout " + std::to_string(search->loss),
                         {{"rounds", rounds}, {"log_loss", search->loss}});
        boosting.held.clear();
      } else if (rows.size() < kFewRows) {
        rounds = std::min(rounds, kFewRounds);
      }
      const auto bags = static_cast<size_t>(own.bags);
      std::vector<std::optional<Boosted>> boosted(bags);
      math::ParallelFor(bags, [&](size_t b) { boosted[b] = Boost(boosting, own, rounds, SeedOf(seed, kBagStream + b), instruments); });
      std::vector<double> gain(parts.binner.width(), 0.0);
      parts.base.assign(boosting.outputs(), 0.0f);
      for (const auto& bag : boosted) {
        if (!bag) return stopped;
        Append(*bag, 1.0 / static_cast<double>(bags), parts);
        for (size_t c = 0; c < gain.size(); ++c) gain[c] += bag->gain[c];
      }
      parts.importance = parts.binner.ByFeature(gain);
      parts.features = std::move(data.features);
      parts.labels = std::move(data.labels);
      return std::unique_ptr<models::Classifier>(models::BoostingClassifier::Make(std::move(parts)));
    });
  }
};

}  // namespace

std::unique_ptr<ClassifierTrainer> MakeBoostingTrainer() { return std::make_unique<BoostingTrainer>(); }

}  // namespace segue::train
