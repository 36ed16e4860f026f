#include "train/classifier_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "math/auc.h"

namespace segue::train {
namespace {

/// Larger is better.
double Quality(const Trial& trial) { return std::isnan(trial.auc) ? -trial.log_loss : trial.auc; }

}  // namespace

Result<SearchResult> SearchSettings(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                    const Settings& settings, const SearchBudget& budget, size_t folds, FoldsBy by, uint64_t seed,
                                    const std::function<double()>& now, Instruments& instruments) {
  const auto ranges = SearchRanges(trainer.algorithm(), settings);
  if (ranges.empty()) {
    return Error{ErrorCode::kInvalid, "search: " + std::string(trainer.algorithm()) + " has no settings that a search tries; use --set"};
  }
  const auto fold_of = SongFolds(songs, rows, folds, by, seed);
  const std::vector<int32_t> label = LabelsOf(songs, rows);
  const size_t labels = songs.labels.size();
  const double start = now();
  SearchResult result;
  for (size_t t = 0; t < budget.trials; ++t) {
    if (t > 0 && budget.seconds > 0 && now() - start >= budget.seconds) break;
    Random random(seed, t);
    Trial trial;
    Settings with = settings;
    for (size_t i = 0; t > 0 && i < ranges.size(); ++i) {
      const auto& best = result.trials[result.best].settings;
      const bool near = t > 6 && t % 2 == 0 && !best.empty() && random.Uniform() >= 1.0 / 3;
      const std::string text = near ? best[i].second : Draw(ranges[i], random);
      SEGUE_RETURN_IF_ERROR(Set(with, ranges[i].setting, text));
      trial.settings.emplace_back(ranges[i].setting, text);
    }
    SEGUE_TRY(const auto p, OutOfFold(trainer, songs, rows, fold_of, folds, with, seed, instruments));
    trial.log_loss = MeanLogLoss(p, label, labels);
    trial.auc = std::numeric_limits<double>::quiet_NaN();
    if (labels == 2) {
      std::vector<float> score;
      std::vector<uint8_t> positive;
      for (size_t i = 0; i < label.size(); ++i) {
        score.push_back(p[2 * i + 1]);
        positive.push_back(label[i] == 1 ? 1 : 0);
      }
      trial.auc = math::Auc(score, positive);
    }
    trial.seconds = now() - start;
    result.trials.push_back(std::move(trial));
    if (t == 0 || Quality(result.trials.back()) > Quality(result.trials[result.best])) {
      result.best = t;
      result.settings = with;
    }
    instruments.Progress("search", t + 1, budget.trials, "trials");
  }
  return result;
}

}  // namespace segue::train
