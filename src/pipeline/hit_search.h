#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "pipeline/hits.h"
#include "train/classifier_search.h"
#include "train/member_list.h"

namespace segue::pipeline {

/// Settings of a run's classifiers, tried for AUC on the court's training part
/// alone (train::SearchSettings: three folds by artist): the configured ones, the
/// best of the runs before, and search.trials drawn ones, none of which begins
/// after search.seconds. Kept in runs/<id>/hits_search.json, from where a resumed
/// run takes it; what is best is remembered for the next run unless `dry_run`.
class HitSearch {
 public:
  /// `trials` gets all that is tried, and has to outlive this:
  /// {"<name>": {"best": index, "trials": [{"auc","log_loss","seconds","settings"}, ...]}}
  HitSearch(const Context& context, const HitCourt& court, std::string run_id, bool dry_run, Instruments& instruments, nlohmann::json& trials);

  /// The member's settings with the best trial's; as they are where search.trials
  /// is 0 or the algorithm has nothing to search. `name`: as in hits.algorithms.
  Result<Settings> Best(const std::string& name, const train::ListedMember& member);

 private:
  Result<train::SearchResult> Try(const std::string& name, const train::ListedMember& member);
  Status Keep(const std::string& name, const train::SearchResult& found);

  const Context& context_;
  const HitCourt& court_;
  const std::string run_id_;
  const bool dry_run_;
  Instruments& instruments_;
  nlohmann::json& trials_;
};

}  // namespace segue::pipeline
