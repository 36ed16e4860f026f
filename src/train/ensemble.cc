#include <algorithm>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>

#include "core/random.h"
#include "math/parallel.h"
#include "models/ensemble_classifier.h"
#include "train/classifier_parts.h"
#include "train/ensemble_weights.h"
#include "train/labelled_rows.h"
#include "train/member_list.h"
#include "train/song_folds.h"

namespace segue::train {
namespace {

Result<std::vector<ListedMember>> ReadMembers(const Settings& settings) {
  std::vector<ListedMember> members;
  for (const std::string& text : SplitList(settings.ensemble.members, ',')) {
    auto member = ReadMember(text, settings);
    if (!member.ok()) return member.error().In("ensemble.members");
    if (member->algorithm == models::EnsembleClassifier::kAlgorithm) {
      return Error{ErrorCode::kInvalid, "ensemble.members: an ensemble cannot be a member of itself"};
    }
    if (auto trainer = MakeClassifierTrainer(member->algorithm); !trainer.ok()) return trainer.error().In("ensemble.members");
    members.push_back(*std::move(member));
  }
  if (members.empty()) return Error{ErrorCode::kInvalid, "ensemble.members: there is none"};
  return members;
}

/// The mean of several classifiers' probabilities (models/ensemble_classifier.h).
/// Weights: chosen on the members' out-of-fold predictions of the training
/// songs (train/ensemble_weights.h), then each member that has a weight is
/// fitted on all of them. ensemble.weights = equal: no folds, all the same.
/// Cost: folds + 1 times the members'.
class EnsembleTrainer final : public ClassifierTrainer {
 public:
  std::string_view algorithm() const override { return models::EnsembleClassifier::kAlgorithm; }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings,
                                                  uint64_t seed, Instruments& instruments) const override {
    SEGUE_TRY(const LabelledRows checked, GatherRows(songs, rows));
    SEGUE_TRY(const std::vector<ListedMember> members, ReadMembers(settings));
    std::vector<float> weights(members.size(), 1.0f / static_cast<float>(members.size()));
    if (settings.ensemble.weights == "greedy" && members.size() > 1) {
      SEGUE_TRY(weights, ChooseWeights(songs, rows, members, settings, seed, instruments));
    }
    models::EnsembleClassifier::Parts parts;
    for (size_t m = 0; m < members.size(); ++m) {
      instruments.Info("train", "ensemble: " + members[m].name, {{"weight", weights[m]}});
      if (weights[m] == 0) continue;
      SEGUE_TRY(const auto trainer, MakeClassifierTrainer(members[m].algorithm));
      SEGUE_TRY(auto model, trainer->Fit(songs, rows, members[m].settings, seed + m, instruments));
      parts.members.push_back(std::move(model));
      parts.weights.push_back(weights[m]);
    }
    return std::unique_ptr<models::Classifier>(models::EnsembleClassifier::Make(std::move(parts)));
  }

 private:
  static Result<std::vector<float>> ChooseWeights(const SongTable& songs, std::span<const uint32_t> rows,
                                                  const std::vector<ListedMember>& members, const Settings& settings, uint64_t seed,
                                                  Instruments& instruments) {
    const auto folds = std::min<size_t>(static_cast<size_t>(settings.ensemble.folds), rows.size());
    const auto fold_of = SongFolds(songs, rows, folds, settings.ensemble.folds_by == "artist" ? FoldsBy::kArtist : FoldsBy::kSong, seed);
    std::vector<std::vector<float>> predictions;
    for (size_t m = 0; m < members.size(); ++m) {
      instruments.Progress("train", m, members.size(), "members out of fold");
      SEGUE_TRY(const auto trainer, MakeClassifierTrainer(members[m].algorithm));
      SEGUE_TRY(auto p, OutOfFold(*trainer, songs, rows, fold_of, folds, members[m].settings, seed + m, instruments));
      predictions.push_back(std::move(p));
    }
    return SelectWeights(predictions, LabelsOf(songs, rows), songs.labels.size(), seed);
  }
};

}  // namespace

std::unique_ptr<ClassifierTrainer> MakeEnsembleTrainer() { return std::make_unique<EnsembleTrainer>(); }

}  // namespace segue::train
