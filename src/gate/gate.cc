#include "gate/gate.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "gate/checks.h"
#include "math/bootstrap.h"

namespace segue::gate {
namespace {

/// The figure that models are compared by: smoother than MRR, which one rank
/// of one listener can move a lot.
constexpr const char* kCompared = "ndcg@100";

double FigureOf(const Report& report, const char* name) {
  const auto it = report.figures.find(name);
  return it == report.figures.end() ? std::nan("") : it->second.value;
}

Check NoWorseThanLive(const Question& question) {
  const char* name = "no_worse_than_live";
  if (question.live == nullptr) {
    return {name, true, FigureOf(question.challenger, kCompared), 0, "nothing else is live: there is nothing to be worse than"};
  }
  const auto ours = question.challenger.per_listener.find(kCompared);
  const auto theirs = question.live->per_listener.find(kCompared);
  const double limit = -question.settings.max_drop;
  if (ours == question.challenger.per_listener.end() || theirs == question.live->per_listener.end() ||
      ours->second.size() != theirs->second.size() || ours->second.empty()) {
    return {name, false, std::nan(""), limit, "the two were not judged on the same listeners: they cannot be compared with the live model"};
  }
  std::vector<double> difference(ours->second.size());
  for (size_t i = 0; i < difference.size(); ++i) {
    difference[i] = ours->second[i] - theirs->second[i];
    // The bootstrap would leave such a listener out, and with him perhaps the loss.
    if (!std::isfinite(difference[i])) {
      return {name, false, std::nan(""), limit,
              Sentence("NDCG@100 of listener %zu of %zu is not a number: the two cannot be compared", i + 1, difference.size())};
    }
  }
  const auto interval = math::BootstrapMean(difference, question.settings.bootstrap_samples,
                                            question.settings.confidence, question.seed);
  const bool significant = interval.high < 0;
  const bool dropped = !(interval.mean >= limit);
  const std::string compared =
      Sentence("NDCG@100 against the live model on the same %zu listeners: %+.4f, %.0f %% interval [%+.4f, %+.4f]",
               difference.size(), interval.mean, question.settings.confidence * 100, interval.low, interval.high);
  const char* verdict = significant ? ": significantly worse"
                        : dropped   ? ": a larger loss than gate.max_drop allows"
                                    : ": no worse";
  return {name, !significant && !dropped, interval.mean, limit, compared + verdict};
}

Check DataQuality(const Question& question) {
  const double limit = question.settings.max_rejected_share;
  const bool passed = question.rejected_share <= limit;
  return {"data_quality", passed, question.rejected_share, limit,
          Sentence("%.2f %% of the rows were rejected, the limit is %.2f %%", question.rejected_share * 100, limit * 100)};
}

}  // namespace

Verdict Decide(const Question& question) {
  const Settings& settings = question.settings;
  const Report& report = question.challenger;
  std::vector<Check> checks = {AtLeast("min_mrr", FigureOf(report, "mrr"), "MRR", settings.min_mrr),
                               AtLeast("min_hit_rate", FigureOf(report, "hit_rate@10"), "hit rate at 10", settings.min_hit_rate),
                               AtLeast("min_coverage", FigureOf(report, "coverage@10"), "coverage at 10", settings.min_coverage),
                               NoWorseThanLive(question),
                               DataQuality(question),
                               ArtifactSize(question.artifact_bytes, settings),
                               SmokeTest(question.smoke_test_passed)};
  std::string reason = Failures(checks);
  if (!reason.empty()) return Refusal{report.model_id, std::move(checks), std::move(reason)};
  return Approval(report.model_id, std::move(checks));
}

}  // namespace segue::gate
