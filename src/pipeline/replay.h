#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/dataset.h"
#include "core/instruments.h"
#include "core/result.h"
#include "core/settings.h"
#include "math/bootstrap.h"
#include "pipeline/replay_clock.h"
#include "pipeline/replay_schedule.h"

namespace segue::pipeline {

// Replay: does retraining pay? Real history is walked through in windows; at
// each window's start four ways to run a recommender (arms, replay_schedule.h)
// make lists for the listeners who then play something, and what they play in
// the window says whose lists were better.
//
// What an arm knows at a window's start s:
//   its model       fitted on everything before its last training, T <= s
//   a listener      once, timer, trigger: his events before T, as a system that
//                   makes listeners' profiles when it trains (who came after T is a
//                   newcomer to it); trigger_fold_in: his events before s
//                   (Model::FoldIn)
//   what to leave out  for all alike what he has heard before s (discovery), since
//                   a list of what was heard needs no model; and what nobody
//                   could know of before s (UnknownTracks)
// Wanted in a window: the tracks that a listener played, liked or rated in it,
// skips taken off (core/preferences.h); discovery: only those that he had not
// met before s. A listener without any is not in the window.

enum class Protocol : uint8_t { kDiscovery, kNext };
inline constexpr std::array<std::string_view, 2> kProtocols = {"discovery", "next"};
/// As evaluate/evaluator.h defines them.
inline constexpr std::array<const char*, 3> kReplayFigures = {"mrr", "hit_rate@10", "ndcg@10"};
/// Of those, the one that curves, recovery and the verdict go by.
inline constexpr size_t kMainFigure = 2;

struct ReplayOptions {
  std::string algorithm = "ials";
  ClockOptions clock;
  ArmOptions arms;
  std::optional<int64_t> switch_at;  ///< when tastes are known to have switched: Unix seconds, or (SwitchIsAge) since the clock's first moment
  bool switch_is_age = false;
  double recovered = 0.8;            ///< an arm is back at this share of its level before the switch
};

/// [arms][figures]
using ArmFigures = std::array<std::array<double, kReplayFigures.size()>, kArms>;
using ArmIntervals = std::array<std::array<math::Interval, kReplayFigures.size()>, kArms>;

/// One listener in one window.
struct ReplayPair {
  uint32_t listener = 0;  ///< row of the dataset
  uint32_t window = 0;
  ArmFigures figures{};
};

/// One fitted model.
struct ReplayModel {
  Training training;
  double cpu_seconds = 0;  ///< of the whole process while it was fitted
};

/// One window under one protocol.
struct WindowCount {
  uint32_t window = 0;
  uint64_t listeners = 0;
  uint64_t wanted = 0;  ///< (listener, track) pairs
};

/// Everything that was seen, before it is summed up (replay_summary.h).
struct Replayed {
  ReplayOptions options;
  std::string settings;            ///< the algorithm's, as text
  int64_t seed = 0;
  int64_t bootstrap_samples = 0;
  double confidence = 0.95;
  uint64_t listeners = 0, tracks = 0, events = 0;
  Timeline timeline;
  TrainingSchedule schedule;
  std::vector<ReplayModel> models;  ///< as schedule.trainings
  std::vector<uint8_t> known;       ///< [listeners] 1: he has listening before the start
  std::array<std::vector<WindowCount>, kProtocols.size()> windows;  ///< those with somebody in them, ascending
  std::array<std::vector<ReplayPair>, kProtocols.size()> pairs;     ///< ascending by (window, listener)
  double cpu_seconds = 0;           ///< of all of it
};

/// Walks through the history. Models that arms share are fitted once; those
/// that no arm uses any more are dropped, so that there are at most three.
/// Memory: the dataset twice, and 104 bytes a (listener, window) and protocol.
/// Arms are judged side by side (train.threads); same seed, same bytes for any
/// number of threads, but for the CPU seconds.
///
/// kInvalid: an unknown algorithm, an option out of range, no event with a
/// time, a history of fewer than two windows, nothing wanted in any window;
/// kCancelled when asked to stop.
Result<Replayed> Replay(Dataset data, const ReplayOptions& options, const Settings& settings, Instruments& instruments);

}  // namespace segue::pipeline
