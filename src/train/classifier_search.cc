#include "train/classifier_search.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/random.h"
#include "math/auc.h"

namespace segue::train {
namespace {

using Ranges = decltype(SearchRanges({}, Settings()));

/// The settings of trial `t`, the first of which are `former`, where there are any.
FormerBest SettingsOf(size_t t, const Ranges& ranges, const FormerBest& former, const FormerBest& best, uint64_t seed) {
  if (t == 0) return {};
  if (!former.empty() && t == 1) return former;
  const size_t draw = former.empty() ? t : t - 1;
  Random random(seed, draw);
  FormerBest drawn;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const bool near = draw > 6 && draw % 2 == 0 && !best.empty() && random.Uniform() >= 1.0 / 3;
    drawn.emplace_back(ranges[i].setting, near ? best[i].second : Draw(ranges[i], random));
  }
  return drawn;
}

bool NamesJust(const FormerBest& former, const Ranges& ranges) {
  return std::equal(former.begin(), former.end(), ranges.begin(), ranges.end(), [](const auto& one, const auto& range) { return one.first == range.setting; });
}

/// Larger is better.
double Quality(const Trial& trial) { return std::isnan(trial.auc) ? -trial.log_loss : trial.auc; }

}  // namespace

Result<SearchResult> SearchSettings(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                    const Settings& settings, const SearchBudget& budget, size_t folds, FoldsBy by, uint64_t seed,
                                    const std::function<double()>& now, Instruments& instruments, const FormerBest& former) {
  const auto ranges = SearchRanges(trainer.algorithm(), settings);
  if (ranges.empty()) {
    return Error{ErrorCode::kInvalid, "search: " + std::string(trainer.algorithm()) + " has no settings that a search tries; use --set"};
  }
  const auto fold_of = SongFolds(songs, rows, folds, by, seed);
  const std::vector<int32_t> label = LabelsOf(songs, rows);
  const size_t labels = songs.labels.size();
  const double start = now();
  SearchResult result;
  const FormerBest known = NamesJust(former, ranges) ? former : FormerBest();
  const size_t trials = budget.trials + (known.empty() ? 0 : 1);
  for (size_t t = 0; t < trials; ++t) {
    if (t > 0 && budget.seconds > 0 && now() - start >= budget.seconds) break;
    Trial trial;
    trial.settings = SettingsOf(t, ranges, known, t > 0 ? result.trials[result.best].settings : FormerBest(), seed);
    Settings with = settings;
    for (const auto& [name, text] : trial.settings) SEGUE_RETURN_IF_ERROR(Set(with, name, text));
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
    instruments.Progress("search", t + 1, trials, "trials");
  }
  return result;
}

}  // namespace segue::train
