#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "pipeline/replay.h"

namespace segue::pipeline {

// What a replay comes to. A total is a mean over (listener, window) pairs.
// Windows of one listener resemble each other, so that intervals come from
// drawing listeners, each with all his windows (math::BootstrapClusters), and so do the
// intervals of differences, which are taken pair by pair: the same listener in
// the same window. With one listener, blocks of ⌈n^⅓⌉ consecutive windows of
// his n take the listeners' place. Intervals of few listeners are too narrow; ten
// is few.

/// a - b, in pairs.
struct ArmDifference {
  Arm a{}, b{};
  std::array<math::Interval, kReplayFigures.size()> figures{};
};

/// Some pairs together.
struct Total {
  uint64_t pairs = 0;
  uint64_t listeners = 0;
  ArmIntervals arms{};
};

/// Consecutive windows together, so that a curve has no more points than can be
/// read. Windows with fewer than a quarter of the busiest one's listeners are in
/// no point.
struct CurvePoint {
  uint32_t first = 0, last = 0;  ///< windows
  double window = 0;             ///< their mean, each as often as it has pairs
  Total total;
};

/// How an arm came through a switch of tastes.
///   level  its main figure, mean over the kBeforeSwitch judged windows before the switch
///   after  windows from the switch on until it is back at ReplayOptions::recovered
///          of that: the first window at or above it from which on the mean of all
///          windows to the end is, too; 0 is the window of the switch itself
struct Recovery {
  double level = 0;
  double lowest = 0;  ///< of the windows from the switch on
  std::optional<uint32_t> after;
};
inline constexpr uint32_t kBeforeSwitch = 4;

struct ProtocolSummary {
  Total all, known, joined;   ///< known: listeners with listening before the start; joined: those who came later
  uint64_t wanted = 0;
  std::vector<ArmDifference> differences;
  std::vector<Total> windows; ///< as Replayed::windows
  std::vector<CurvePoint> curve;
  std::vector<CurvePoint> differences_to_once;  ///< the same points; arms: the differences to `once`
  std::optional<uint32_t> switch_window;
  std::array<Recovery, kArms> recovery{};       ///< with switch_window
};

struct Cost {
  uint64_t trainings = 0;
  double cpu_seconds = 0;
};

struct ReplaySummary {
  std::array<ProtocolSummary, kProtocols.size()> protocols;
  std::array<Cost, kArms> costs;
  std::vector<std::string> verdict;  ///< sentences for people, without costs in seconds
};

ReplaySummary Summarize(const Replayed& replay);

/// Is the interval clear of 0? 1 above, -1 below, 0 neither (or no interval).
int SideOf(const math::Interval& interval);

/// "trained once", "retrained every 4 windows", ...
std::string ArmTitle(Arm arm, const ArmOptions& options);

}  // namespace segue::pipeline
