#include "pipeline/replay_verdict.h"

#include <algorithm>
#include <cmath>

#include "core/text.h"

namespace segue::pipeline {
namespace {

constexpr const char* kMain = kReplayFigures[kMainFigure];

const math::Interval& Difference(const ProtocolSummary& protocol, Arm a, Arm b) {
  const auto row = std::find_if(protocol.differences.begin(), protocol.differences.end(), [&](const ArmDifference& d) { return d.a == a && d.b == b; });
  return row->figures[kMainFigure];
}

std::string Signed(double value, int places) { return (value > 0 ? "+" : "") + Fixed(value, places); }

/// "ndcg@10 0.071 against 0.043: +0.028 (95 % 0.010 to 0.051)".
std::string Measured(const ProtocolSummary& protocol, Arm a, Arm b) {
  const math::Interval& d = Difference(protocol, a, b);
  const auto level = [&](Arm arm) { return Fixed(protocol.all.arms[static_cast<size_t>(arm)][kMainFigure].mean, 4); };
  std::string text = std::string(kMain) + " " + level(a) + " against " + level(b) + ": " + Signed(d.mean, 4);
  if (!std::isnan(d.low)) text += ", interval " + Signed(d.low, 4) + " to " + Signed(d.high, 4);
  return text;
}

std::string Sentence(const ProtocolSummary& protocol, Arm a, Arm b, const std::string& subject, const std::string& object) {
  const int side = SideOf(Difference(protocol, a, b));
  const char* said = side > 0 ? " was better than " : side < 0 ? " was worse than " : " could not be told apart from ";
  return subject + said + object + " (" + Measured(protocol, a, b) + ").";
}

std::string Windows(uint32_t count) { return count == 1 ? "1 window" : std::to_string(count) + " windows"; }

std::string RecoverySentence(const Replayed& replay, const ProtocolSummary& protocol) {
  std::string text = "After the switch of tastes in window " + std::to_string(*protocol.switch_window) + ", back at " +
                     Fixed(replay.options.recovered * 100, 0) + " % of the level before: ";
  for (size_t arm = 0; arm < kArms; ++arm) {
    const Recovery& recovery = protocol.recovery[arm];
    text += (arm > 0 ? "; " : "") + ArmTitle(static_cast<Arm>(arm), replay.options.arms) +
            (recovery.after ? *recovery.after == 0 ? " was never below" : " after " + Windows(*recovery.after) : " not by the end");
  }
  return text + ".";
}

}  // namespace

std::vector<std::string> Verdicts(const Replayed& replay, const ReplaySummary& summary) {
  std::vector<std::string> sentences;
  for (size_t p = 0; p < kProtocols.size(); ++p) {
    const ProtocolSummary& protocol = summary.protocols[p];
    const std::string name = p == static_cast<size_t>(Protocol::kDiscovery) ? "Discovery: " : "Next play: ";
    if (protocol.all.pairs == 0) {
      sentences.push_back(name + "nothing to judge, as nobody played a track that was new to him.");
      continue;
    }
    const ArmOptions& arms = replay.options.arms;
    for (const Arm arm : {Arm::kTimer, Arm::kTrigger}) sentences.push_back(name + Sentence(protocol, arm, Arm::kOnce, ArmTitle(arm, arms), "training once"));
    sentences.push_back(name + Sentence(protocol, Arm::kFoldIn, Arm::kTrigger, "folding in the newest events", "the same models without"));
    sentences.push_back(name + Sentence(protocol, Arm::kFoldIn, Arm::kTimer, "trigger + fold-in", "the timer"));
    if (protocol.switch_window) sentences.push_back(name + RecoverySentence(replay, protocol));
  }
  const uint64_t listeners = summary.protocols[static_cast<size_t>(Protocol::kNext)].all.listeners;
  if (listeners == 1) {
    sentences.push_back("One listener: the intervals tell of other windows of his, not of other listeners.");
  } else if (listeners < 30) {
    sentences.push_back(std::to_string(listeners) + " listeners are few: the intervals are narrower than they should be, and others may differ.");
  }
  return sentences;
}

}  // namespace segue::pipeline
