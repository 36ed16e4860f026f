#include "pipeline/replay_arm_model.h"

#include "pipeline/replay_clock.h"

namespace segue::pipeline {

models::Profile AsTrained::FoldIn(const History& history) const {
  const auto row = FindSorted(data_.listeners, history.listener);
  const auto events = row ? EventsBetween(data_, UserIx{*row}, 0, trained_at_) : std::span<const Event>();
  return model_.FoldIn(rows_.PastOf(history.listener, events, rule_).View());
}

}  // namespace segue::pipeline
