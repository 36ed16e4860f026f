#include "pipeline/replay_summary.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <span>

#include "core/text.h"
#include "pipeline/replay_verdict.h"

namespace segue::pipeline {
namespace {

constexpr size_t kFigures = kReplayFigures.size();
constexpr size_t kMostPoints = 26;

/// Pairs by listener, or, where there is but one, by blocks of windows.
class Clusters {
 public:
  Clusters(const Replayed& replay, std::span<const ReplayPair> pairs) : replay_(replay) {
    std::map<uint32_t, uint32_t> windows;  // of each listener
    for (const ReplayPair& pair : pairs) ++windows[pair.listener];
    listeners_ = windows.size();
    size_t block = 0;
    if (listeners_ == 1) block = static_cast<size_t>(std::ceil(std::cbrt(static_cast<double>(pairs.size())) - 1e-9));
    std::map<uint32_t, size_t> rows;
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto key = block > 0 ? static_cast<uint32_t>(i / block) : pairs[i].listener;
      const auto [at, is_new] = rows.try_emplace(key, rows.size());
      if (is_new) counts_.push_back(0);
      ++counts_[at->second];
      cluster_of_.push_back(at->second);
    }
    pairs_ = pairs;
  }

  uint64_t listeners() const { return listeners_; }

  /// Of arm a's figures, less those of b where b is given.
  std::array<math::Interval, kFigures> Of(size_t a, std::optional<size_t> b = {}) const {
    std::array<std::vector<double>, kFigures> sums;
    for (auto& column : sums) column.assign(counts_.size(), 0);
    for (size_t i = 0; i < pairs_.size(); ++i) {
      for (size_t f = 0; f < kFigures; ++f) {
        sums[f][cluster_of_[i]] += pairs_[i].figures[a][f] - (b ? pairs_[i].figures[*b][f] : 0.0);
      }
    }
    const std::vector<std::span<const double>> columns(sums.begin(), sums.end());
    const auto intervals = math::BootstrapClusters(columns, counts_, replay_.bootstrap_samples, replay_.confidence, static_cast<uint64_t>(replay_.seed));
    std::array<math::Interval, kFigures> result;
    std::copy(intervals.begin(), intervals.end(), result.begin());
    return result;
  }

  Total All(std::optional<size_t> less = {}) const {
    Total total{.pairs = pairs_.size(), .listeners = listeners_};
    for (size_t arm = 0; arm < kArms; ++arm) total.arms[arm] = Of(arm, less);
    return total;
  }

 private:
  const Replayed& replay_;
  std::span<const ReplayPair> pairs_;
  std::vector<size_t> cluster_of_;  // [pairs]
  std::vector<double> counts_;      // [clusters] pairs of each
  uint64_t listeners_ = 0;
};

Total Segment(const Replayed& replay, std::span<const ReplayPair> pairs, bool known) {
  std::vector<ReplayPair> some;
  std::copy_if(pairs.begin(), pairs.end(), std::back_inserter(some), [&](const ReplayPair& pair) { return (replay.known[pair.listener] != 0) == known; });
  return Clusters(replay, some).All();
}

/// Windows with fewer than a quarter of the busiest one's listeners say more of
/// who is left than of the arms: the curve does without them.
std::vector<WindowCount> Shown(const std::vector<WindowCount>& windows) {
  uint64_t most = 0;
  for (const WindowCount& window : windows) most = std::max(most, window.listeners);
  std::vector<WindowCount> shown;
  std::copy_if(windows.begin(), windows.end(), std::back_inserter(shown), [&](const WindowCount& window) { return 4 * window.listeners >= most; });
  return shown;
}

/// Consecutive windows of about as many pairs each.
void DrawCurve(const Replayed& replay, std::span<const ReplayPair> pairs, const std::vector<WindowCount>& windows, ProtocolSummary& summary) {
  const auto shown = Shown(windows);
  uint64_t left = 0;
  for (const WindowCount& window : shown) left += window.listeners;
  size_t at = 0;  // of pairs
  for (size_t w = 0; w < shown.size();) {
    const size_t points_left = std::max<size_t>(1, kMostPoints - std::min(kMostPoints, summary.curve.size()));
    const size_t wanted = shown.size() <= kMostPoints ? 1 : (left + points_left - 1) / points_left;
    CurvePoint point{.first = shown[w].window};
    std::vector<ReplayPair> some;
    for (; w < shown.size() && some.size() < wanted; ++w) {
      while (pairs[at].window != shown[w].window) ++at;
      for (; at < pairs.size() && pairs[at].window == shown[w].window; ++at) some.push_back(pairs[at]);
      point.window += static_cast<double>(shown[w].window) * static_cast<double>(shown[w].listeners);
      point.last = shown[w].window;
    }
    left -= some.size();
    point.window /= static_cast<double>(some.size());
    const Clusters clusters(replay, some);
    point.total = clusters.All();
    summary.curve.push_back(point);
    point.total = clusters.All(static_cast<size_t>(Arm::kOnce));
    summary.differences_to_once.push_back(point);
  }
}

Recovery RecoveryOf(const ProtocolSummary& summary, const std::vector<WindowCount>& windows, uint32_t switched, size_t arm, double recovered) {
  const auto value = [&](size_t row) { return summary.windows[row].arms[arm][kMainFigure].mean; };
  size_t first = 0;
  while (first < windows.size() && windows[first].window < switched) ++first;
  Recovery recovery;
  const size_t from = first > kBeforeSwitch ? first - kBeforeSwitch : 0;
  for (size_t row = from; row < first; ++row) recovery.level += value(row) / static_cast<double>(first - from);
  double sum = 0;
  recovery.lowest = INFINITY;
  for (size_t row = windows.size(); row-- > first;) {
    sum += value(row);
    recovery.lowest = std::min(recovery.lowest, value(row));
    const double enough = recovered * recovery.level;
    if (value(row) >= enough && sum >= enough * static_cast<double>(windows.size() - row)) recovery.after = windows[row].window - switched;
  }
  return recovery;
}

ProtocolSummary SummaryOf(const Replayed& replay, Protocol protocol) {
  const auto p = static_cast<size_t>(protocol);
  const std::span<const ReplayPair> pairs = replay.pairs[p];
  ProtocolSummary summary;
  const Clusters all(replay, pairs);
  summary.all = all.All();
  summary.known = Segment(replay, pairs, true);
  summary.joined = Segment(replay, pairs, false);
  for (size_t a = 1; a < kArms; ++a) {
    for (size_t b = 0; b < a; ++b) summary.differences.push_back({static_cast<Arm>(a), static_cast<Arm>(b), all.Of(a, b)});
  }
  size_t first = 0;
  for (const WindowCount& window : replay.windows[p]) {
    summary.wanted += window.wanted;
    summary.windows.push_back(Clusters(replay, pairs.subspan(first, window.listeners)).All());
    first += window.listeners;
  }
  DrawCurve(replay, pairs, replay.windows[p], summary);
  if (replay.options.switch_at) {
    const Timeline& timeline = replay.timeline;
    const uint32_t window = timeline.WindowOf(*replay.options.switch_at);
    const bool before = !replay.windows[p].empty() && replay.windows[p].front().window < window;
    if (before && replay.windows[p].back().window >= window) {
      summary.switch_window = window;
      for (size_t arm = 0; arm < kArms; ++arm) summary.recovery[arm] = RecoveryOf(summary, replay.windows[p], window, arm, replay.options.recovered);
    }
  }
  return summary;
}

}  // namespace

int SideOf(const math::Interval& interval) { return interval.low > 0 ? 1 : interval.high < 0 ? -1 : 0; }

std::string ArmTitle(Arm arm, const ArmOptions& options) {
  switch (arm) {
    case Arm::kOnce: return "trained once";
    case Arm::kTimer: return options.every == 1 ? "retrained every window" : "retrained every " + std::to_string(options.every) + " windows";
    case Arm::kTrigger: return "retrained on trigger";
    case Arm::kFoldIn: return "trigger + fold-in";
  }
  return "";
}

ReplaySummary Summarize(const Replayed& replay) {
  ReplaySummary summary;
  for (const Protocol protocol : {Protocol::kDiscovery, Protocol::kNext}) {
    summary.protocols[static_cast<size_t>(protocol)] = SummaryOf(replay, protocol);
  }
  for (size_t arm = 0; arm < kArms; ++arm) {
    for (const Decision& decision : replay.schedule.decisions[arm]) {
      ++summary.costs[arm].trainings;
      summary.costs[arm].cpu_seconds += replay.models[decision.training].cpu_seconds;
    }
  }
  summary.verdict = Verdicts(replay, summary);
  return summary;
}

}  // namespace segue::pipeline
