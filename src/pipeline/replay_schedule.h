#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dataset.h"
#include "core/result.h"
#include "pipeline/replay_clock.h"

namespace segue::pipeline {

/// once             trained at the first judged window's start, never again
/// timer            and again every `every` windows
/// trigger          and again when the trigger fires
/// trigger_fold_in  the trigger's models; listeners' newest events fold in
enum class Arm : uint8_t { kOnce, kTimer, kTrigger, kFoldIn };
inline constexpr size_t kArms = 4;
inline constexpr std::array<std::string_view, kArms> kArmNames = {"once", "timer", "trigger", "trigger_fold_in"};

/// The trigger is looked at at each window's start s, T being its last training.
/// It fires where, since T, at least trigger_plays events came that are at least
/// trigger_share of those before T, or where
///
///   drift = new(s - w, s; T) - new(T - w, T; T - w) >= trigger_drift,
///
/// w the window's length, new(a, b; t) the share of a listener's events in
/// [a, b) that are of artists whom he had not met before t, mean over the
/// listeners with events there: how much more of what they play is strange to
/// the model than was at its training, when some was, too. Tracks without an
/// artist count by themselves. 0 switches a part off.
struct ArmOptions {
  int64_t every = 4;
  int64_t trigger_plays = 1000;
  double trigger_share = 0.2;
  double trigger_drift = 0.15;
};

/// One model to fit, at a window's start.
struct Training {
  uint32_t window = 0;
  int64_t at = 0;       ///< the window's start
  uint64_t events = 0;  ///< before it
};

/// An arm's decision to train.
struct Decision {
  uint32_t training = 0;  ///< row of TrainingSchedule::trainings
  std::string why;        ///< for people: "4 windows have passed", "1,234 new events", "drift 0.21"
  double drift = 0;       ///< as the trigger saw it
};

/// Which model serves when: a function of the history alone.
struct TrainingSchedule {
  std::vector<Training> trainings;                          ///< distinct, ascending by window
  std::array<std::vector<Decision>, kArms> decisions;       ///< ascending
  std::array<std::vector<uint32_t>, kArms> serving;         ///< [judged windows] row of trainings
  std::vector<double> drift;                                ///< [judged windows] of the trigger's model before it decides
};

/// An arm that would train where nothing came since its last training goes on
/// with what it has. kInvalid for an option out of range.
Result<TrainingSchedule> MakeTrainingSchedule(const Dataset& data, const Timeline& timeline, const ArmOptions& options);

}  // namespace segue::pipeline
