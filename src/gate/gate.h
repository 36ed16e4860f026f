#pragma once

#include <cstdint>
#include <optional>

#include "core/hit_report.h"
#include "core/report.h"
#include "core/settings.h"
#include "core/verdict.h"

namespace segue::gate {

/// All that the gate looks at. Both reports are of the same hold-out.
struct Question {
  const Report& challenger;
  const Report* live = nullptr;      ///< null: nothing is live
  uint64_t artifact_bytes = 0;
  double rejected_share = 0;         ///< of the dataset's rows
  bool smoke_test_passed = false;    ///< the saved artifact was loaded and answered as the fitted one
  double p99_ms = 0;                 ///< of its answers, one at a time
  const Settings& settings;
  uint64_t seed = 0;                 ///< of the paired bootstrap
};

/// A pure function: same question, same verdict.
/// Checks, each with its figure: min_mrr, min_hit_rate, min_coverage,
/// min_diversity, no_worse_than_live, data_quality, artifact_size, latency_p99,
/// smoke_test; and for each segment that has listeners min_mrr_<segment> and
/// no_worse_<segment>.
///
/// no_worse_than_live: d = challenger - live, NDCG@100, listener by listener on
/// the same hold-out; [low, high] its paired-bootstrap interval. Refused where
/// the loss is significant (high < 0) or the mean loss is above gate.max_drop.
/// no_worse_<segment>: the same of one segment's listeners, where it has 20 at
/// least; refused only where the loss is significant, at a confidence of
/// 1 - (1 - gate.confidence) / 3: three segments are three chances to be unlucky.
Verdict Decide(const Question& question);

/// The same of a model of hits. Both reports are of the same held-out songs.
struct HitQuestion {
  const HitReport& challenger;
  const HitReport* live = nullptr;   ///< null: no hit model is live
  uint64_t artifact_bytes = 0;
  bool smoke_test_passed = false;    ///< the saved artifact was loaded and predicted as the fitted one
  const Settings& settings;
  uint64_t seed = 0;                 ///< of the paired bootstrap
};

/// A pure function. Checks, each with its figure: hits.min_auc,
/// hits.min_accuracy, no_worse_than_live, artifact_size, smoke_test.
///
/// no_worse_than_live: AUC(challenger) - AUC(live) on the same held-out songs,
/// with its paired-bootstrap interval [low, high] (math/auc_bootstrap.h, with
/// evaluate.bootstrap_samples and gate.confidence). Refused where the loss is
/// significant (high < 0) or larger than hits.max_drop.
Verdict Decide(const HitQuestion& question);

}  // namespace segue::gate
