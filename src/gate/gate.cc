#include "gate/gate.h"

#include <algorithm>
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

/// Of one segment; nothing where nobody is in it.
void CheckSegment(const Question& question, Segment segment, double least_mrr, std::vector<Check>& checks) {
  constexpr size_t kLeastListeners = 20;
  const Report& ours = question.challenger;
  const auto listeners = static_cast<size_t>(std::count(ours.segment.begin(), ours.segment.end(), segment));
  if (listeners == 0) return;
  const std::string name(Name(segment));
  checks.push_back(AtLeast(("min_mrr_" + name).c_str(), MeanOf(ours, "mrr", segment), ("MRR of " + std::to_string(listeners) + " " + name + " listeners").c_str(), least_mrr));
  if (question.live == nullptr) return;
  const std::string check = "no_worse_" + name;
  const auto mine = ours.per_listener.find(kCompared), theirs = question.live->per_listener.find(kCompared);
  if (mine == ours.per_listener.end() || theirs == question.live->per_listener.end() || mine->second.size() != theirs->second.size()) return;
  std::vector<double> difference;
  for (size_t i = 0; i < ours.segment.size(); ++i) {
    if (ours.segment[i] == segment) difference.push_back(mine->second[i] - theirs->second[i]);
  }
  if (listeners < kLeastListeners) {
    checks.push_back({check, true, std::nan(""), 0, Sentence("%zu %s listeners are too few to compare models by", listeners, name.c_str())});
    return;
  }
  const double confidence = 1 - (1 - question.settings.confidence) / kSegments;
  const auto interval = math::BootstrapMean(difference, question.settings.bootstrap_samples, confidence, question.seed);
  checks.push_back({check, !(interval.high < 0), interval.mean, 0,
                    Sentence("NDCG@100 against the live model on %zu %s listeners: %+.4f, %.1f %% interval [%+.4f, %+.4f]: ", listeners, name.c_str(),
                             interval.mean, confidence * 100, interval.low, interval.high) +
                        (interval.high < 0 ? "significantly worse" : "no worse")});
}

Check Latency(const Question& question) {
  const double limit = question.settings.max_p99_ms;
  return {"latency_p99", question.p99_ms <= limit, question.p99_ms, limit,
          Sentence("99 of 100 answers of the saved model take at most %.2f ms, the limit is %.2f ms", question.p99_ms, limit)};
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
                               AtLeast("min_diversity", FigureOf(report, "diversity@10"), "share of different artists in the top 10", settings.min_diversity),
                               NoWorseThanLive(question),
                               DataQuality(question),
                               ArtifactSize(question.artifact_bytes, settings),
                               Latency(question),
                               SmokeTest(question.smoke_test_passed)};
  CheckSegment(question, Segment::kNew, settings.min_mrr_new, checks);
  CheckSegment(question, Segment::kLight, settings.min_mrr_light, checks);
  CheckSegment(question, Segment::kHeavy, settings.min_mrr_heavy, checks);
  std::string reason = Failures(checks);
  if (!reason.empty()) return Refusal{report.model_id, std::move(checks), std::move(reason)};
  return Approval(report.model_id, std::move(checks));
}

}  // namespace segue::gate
