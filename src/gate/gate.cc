#include "gate/gate.h"

#include <cmath>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "math/bootstrap.h"

namespace segue::gate {
namespace {

/// The figure that models are compared by: smoother than MRR, which one rank
/// of one listener can move a lot.
constexpr const char* kCompared = "ndcg@100";

template <typename... Numbers>
std::string Sentence(const char* format, Numbers... numbers) {
  char text[320];
  std::snprintf(text, sizeof text, format, numbers...);
  return text;
}

double FigureOf(const Report& report, const char* name) {
  const auto it = report.figures.find(name);
  return it == report.figures.end() ? std::nan("") : it->second.value;
}

/// NaN is never at least anything.
Check AtLeast(const Report& report, const char* check, const char* figure, const char* words, double limit) {
  const double value = FigureOf(report, figure);
  const bool passed = value >= limit;
  if (std::isnan(value)) {
    return {check, false, value, limit,
            Sentence("%s is not a number or not in the report; at least %.4f is asked for", words, limit)};
  }
  return {check, passed, value, limit,
          Sentence("%s is %.4f, %s the %.4f asked for", words, value, passed ? "at least" : "below", limit)};
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

Check ArtifactSize(const Question& question) {
  const double megabytes = static_cast<double>(question.artifact_bytes) / 1e6;
  const auto limit = static_cast<double>(question.settings.max_artifact_mb);
  if (question.artifact_bytes == 0) return {"artifact_size", false, 0, limit, "the model file is empty"};
  return {"artifact_size", megabytes <= limit, megabytes, limit,
          Sentence("the model file has %.1f MB, the limit is %.0f MB", megabytes, limit)};
}

Check SmokeTest(const Question& question) {
  return {"smoke_test", question.smoke_test_passed, question.smoke_test_passed ? 1.0 : 0.0, 1,
          question.smoke_test_passed ? "the saved model, loaded again, answers as the trained one did"
                                     : "the saved model, loaded again, does not answer as the trained one did"};
}

std::string Failures(const std::vector<Check>& checks) {
  std::string reason;
  for (const Check& check : checks) {
    if (check.passed) continue;
    reason += (reason.empty() ? "" : "; ") + check.name + ": " + check.why;
  }
  return reason;
}

}  // namespace

Verdict Decide(const Question& question) {
  const Settings& settings = question.settings;
  const Report& report = question.challenger;
  std::vector<Check> checks = {AtLeast(report, "min_mrr", "mrr", "MRR", settings.min_mrr),
                               AtLeast(report, "min_hit_rate", "hit_rate@10", "hit rate at 10", settings.min_hit_rate),
                               AtLeast(report, "min_coverage", "coverage@10", "coverage at 10", settings.min_coverage),
                               NoWorseThanLive(question),
                               DataQuality(question),
                               ArtifactSize(question),
                               SmokeTest(question)};
  std::string reason = Failures(checks);
  if (!reason.empty()) return Refusal{report.model_id, std::move(checks), std::move(reason)};
  return Approval(report.model_id, std::move(checks));
}

}  // namespace segue::gate
