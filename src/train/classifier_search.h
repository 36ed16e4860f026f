#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "train/classifier_trainer.h"
#include "train/search_space.h"
#include "train/song_folds.h"

namespace segue::train {

struct Trial {
  std::vector<std::pair<std::string, std::string>> settings;  ///< empty: as they are, the first trial
  double auc = 0;        ///< of the out-of-fold predictions; classes > 2: NaN
  double log_loss = 0;
  double seconds = 0;    ///< since the search began
};
struct SearchResult {
  std::vector<Trial> trials;   ///< in the order tried
  size_t best = 0;
  Settings settings;           ///< with the best trial's
};

struct SearchBudget {
  size_t trials = 20;          ///< at most, the settings as they are among them
  double seconds = 0;          ///< 0: no limit; else no trial begins after it, though one is always made
};

/// Settings that an earlier search found, by name.
using FormerBest = std::vector<std::pair<std::string, std::string>>;

/// Random search (Bergstra, Bengio, JMLR 2012): settings as they are first,
/// then `former`, where it names just what is searched, as one trial more than
/// the budget has, then draws from SearchRanges, every second one after the sixth near the best
/// so far (each setting drawn anew with chance 1/3, else kept). Judged by AUC
/// (several classes: log loss) of out-of-fold predictions of `rows`, the same
/// folds for all. The same seed and number of trials: the same result; with a
/// limit of seconds it depends on the machine. `now` gives seconds. Errors:
/// kInvalid where the algorithm has nothing to search, those of Fit.
Result<SearchResult> SearchSettings(const ClassifierTrainer& trainer, const SongTable& songs, std::span<const uint32_t> rows,
                                    const Settings& settings, const SearchBudget& budget, size_t folds, FoldsBy by, uint64_t seed,
                                    const std::function<double()>& now, Instruments& instruments, const FormerBest& former = {});

}  // namespace segue::train
