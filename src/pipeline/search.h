#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/dataset.h"
#include "pipeline/pipeline.h"

namespace segue::pipeline {

/// Settings that differ from the configured ones, as for --set.
using Changes = std::vector<std::pair<std::string, std::string>>;

/// One combination of settings that was tried.
struct SearchTrial {
  std::string algorithm;
  Changes changes;          ///< empty: as configured
  struct Rung {
    uint64_t listeners = 0; ///< that it was fitted on and judged by
    double ndcg = 0;        ///< NDCG@100
    double mrr = 0;
  };
  std::vector<Rung> rungs;  ///< as far as it came
  double seconds = 0;       ///< of fits and judgements
  std::string error;        ///< why it could not be fitted; "" it could
};

struct SearchOutcome {
  std::vector<SearchTrial> trials;           ///< in the order they began
  std::map<std::string, Changes> best;       ///< of each algorithm that was searched
  std::string ended;                         ///< "limit", "trials", "time"
  std::string why;                           ///< the same in a sentence
};

/// Tries settings of each of train.algorithms that has any to search
/// (train/search_space.h), on a validation part of `train`: its newest listening,
/// cut as the hold-out is (evaluate.split). The hold-out itself is not looked at.
///
/// Successive halving in brackets of nine trials: all are fitted on a ninth of
/// the listeners, the best third of them on a third, the best third of those on
/// all (rungs of fewer than 300 listeners are left out). The configured settings
/// and `former` (what was best before) go to the last rung without a contest, so
/// that an algorithm's best is never worse than them on the validation part.
/// After each bracket it ends where the best MRR is search.enough_mrr or more
/// ("limit"); else after search.trials drawn trials ("trials"), or where a trial
/// would begin after search.seconds ("time").
///
/// Same seed and trials: the same outcome; a limit of seconds depends on the
/// machine. `now` gives seconds. Source: Jamieson, Talwalkar, "Non-stochastic
/// Best Arm Identification and Hyperparameter Optimization", AISTATS 2016;
/// brackets after Li et al., "Hyperband", JMLR 2018. kCancelled when asked to stop.
Result<SearchOutcome> Search(const Dataset& train, const Settings& settings, const std::map<std::string, Changes>& former,
                             const std::function<double()>& now, Instruments& instruments);

/// Search for a run, kept in runs/<id>/search.json, from where a resumed run
/// takes it; what is best is remembered for the next one's `former` (catalog,
/// "search_best") unless `dry_run`. `detail` gets what a person wants to see of it. Without
/// search.trials: nothing is tried, and all is as configured.
Result<SearchOutcome> SearchForRun(const Context& context, const Dataset& train, const std::string& run_id, bool dry_run,
                                   Instruments& instruments, nlohmann::json& detail);

}  // namespace segue::pipeline
