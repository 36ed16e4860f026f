#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "pipeline/replay_summary.h"

namespace segue::pipeline {

/// replay.json: settings, data, arms with their trainings and why, every window
/// with every arm's figures and intervals, totals, differences, the curve, the
/// switch, the verdict. What differs from run to run is in "timings" alone.
/// An interval that does not exist is null. docs/replay.md has the fields.
nlohmann::json ReplayJson(const Replayed& replay, const ReplaySummary& summary);

/// A table of totals and differences, the costs and the verdict, 100 columns wide.
std::string ReplayText(const Replayed& replay, const ReplaySummary& summary);

/// replay.html: the whole page.
std::string ReplayPage(const Replayed& replay, const ReplaySummary& summary);

/// replay.svg: what each arm gains over training once, one picture by itself.
std::string ReplayPicture(const Replayed& replay, const ReplaySummary& summary);

/// "7 days", "12 hours".
std::string Spelled(int64_t seconds);
/// "+0.0123", for differences.
std::string Signed(double value);
/// "+0.0010 to +0.0200", "–" where there is no interval; `sign` for differences.
std::string SpelledInterval(const math::Interval& interval, bool sign);
/// What of the clock a reader must know.
std::string SpelledClock(const Replayed& replay);

}  // namespace segue::pipeline
