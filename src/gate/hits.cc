#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gate/checks.h"
#include "gate/gate.h"
#include "math/auc_bootstrap.h"

namespace segue::gate {
namespace {

/// Why two reports cannot be compared; "" where they can.
std::string Incomparable(const HitReport& ours, const HitReport& theirs) {
  if (ours.hit.empty() || ours.hit != theirs.hit || ours.probability.size() != ours.hit.size() || theirs.probability.size() != theirs.hit.size()) {
    return "the two were not judged on the same songs: they cannot be compared with the live model";
  }
  const auto finite = [](float p) { return std::isfinite(p); };
  for (const HitReport* report : {&ours, &theirs}) {
    const auto bad = std::find_if_not(report->probability.begin(), report->probability.end(), finite);
    if (bad == report->probability.end()) continue;
    return Sentence("the probability of song %zu of %zu is not a number: the two cannot be compared",
                    static_cast<size_t>(bad - report->probability.begin()) + 1, report->probability.size());
  }
  return "";
}

Check NoWorseThanLive(const HitQuestion& question) {
  const char* name = "no_worse_than_live";
  const HitReport& ours = question.challenger;
  if (question.live == nullptr) return {name, true, ours.auc, 0, "no other hit model is live: there is nothing to be worse than"};
  const double limit = -question.settings.hits.max_drop;
  if (std::string why = Incomparable(ours, *question.live); !why.empty()) return {name, false, std::nan(""), limit, std::move(why)};
  const auto interval = math::BootstrapAucDifference(ours.probability, question.live->probability, ours.hit,
                                                     question.settings.bootstrap_samples, question.settings.confidence, question.seed);
  const bool significant = interval.high < 0;
  const bool dropped = !(interval.mean >= limit);
  const std::string compared = Sentence("AUC against the live hit model on the same %zu songs: %+.4f, %.0f %% interval [%+.4f, %+.4f]",
                                        ours.hit.size(), interval.mean, question.settings.confidence * 100, interval.low, interval.high);
  const char* verdict = significant ? ": significantly worse" : dropped ? ": a larger loss than hits.max_drop allows" : ": no worse";
  return {name, !significant && !dropped, interval.mean, limit, compared + verdict};
}

}  // namespace

Verdict Decide(const HitQuestion& question) {
  const HitReport& report = question.challenger;
  std::vector<Check> checks = {AtLeast("hits.min_auc", report.auc, "AUC", question.settings.hits.min_auc),
                               AtLeast("hits.min_accuracy", report.accuracy, "accuracy", question.settings.hits.min_accuracy),
                               NoWorseThanLive(question), ArtifactSize(question.artifact_bytes, question.settings),
                               SmokeTest(question.smoke_test_passed)};
  std::string reason = Failures(checks);
  if (!reason.empty()) return Refusal{report.model_id, std::move(checks), std::move(reason)};
  return Approval(report.model_id, std::move(checks), ModelKind::kHits);
}

}  // namespace segue::gate
