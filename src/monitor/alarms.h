#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "core/result.h"
#include "core/settings.h"
#include "monitor/rules.h"
#include "store/alarms.h"

namespace segue::monitor {

/// Takes rules' alarms from inactive to pending to firing to resolved, in the
/// catalog, so that a new start of the program goes on where the old one was: a
/// pending alarm keeps its beginning, a firing one is not opened again. Events'
/// alarms it ends after `event_hours`. Not thread-safe.
///
/// A rule whose reading is not known does not hold. An alarm whose rule is no
/// longer there ends.
class AlarmEvaluator {
 public:
  AlarmEvaluator(store::AlarmBook& book, std::vector<AlarmRule> rules, int64_t event_hours);

  /// One look. `now_ms`: the wall clock; `steady_ms`: a clock that nobody sets.
  /// Where between two looks the one went by a minute more or less than the
  /// other, the wall clock was set: what is pending keeps its length, and is
  /// not made to fire (or to wait) by the clock. A beginning in the future, left
  /// by a clock that was set while the program was off, becomes now.
  Status Look(const Readings& readings, int64_t now_ms, int64_t steady_ms);

 private:
  Status LookAt(const AlarmRule& rule, const std::optional<store::AlarmRecord>& open, const Readings& readings, int64_t now_ms);
  Status EndEvents(int64_t now_ms);

  store::AlarmBook& book_;
  const std::vector<AlarmRule> rules_;
  const int64_t event_hours_;
  struct Moment {
    int64_t wall_ms = 0, steady_ms = 0;
  };
  std::optional<Moment> last_;
};

}  // namespace segue::monitor
