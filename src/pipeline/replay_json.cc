#include <cmath>

#include <nlohmann/json.hpp>

#include "core/version.h"
#include "pipeline/replay_report.h"
#include "store/clock.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

json Number(double value) { return std::isnan(value) ? json() : json(value); }

json Json(const math::Interval& interval) {
  return {{"value", Number(interval.mean)}, {"low", Number(interval.low)}, {"high", Number(interval.high)}};
}

json Json(const std::array<math::Interval, kReplayFigures.size()>& figures) {
  json out = json::object();
  for (size_t f = 0; f < figures.size(); ++f) out[kReplayFigures[f]] = Json(figures[f]);
  return out;
}

json Arms(const Total& total) {
  json out = json::object();
  for (size_t arm = 0; arm < kArms; ++arm) out[std::string(kArmNames[arm])] = Json(total.arms[arm]);
  return out;
}

json Json(const Total& total) { return {{"pairs", total.pairs}, {"listeners", total.listeners}, {"arms", Arms(total)}}; }

json Options(const Replayed& replay) {
  const ReplayOptions& o = replay.options;
  return {{"algorithm", o.algorithm},
          {"algorithm_settings", replay.settings},
          {"seed", replay.seed},
          {"window_seconds", o.clock.window_s},
          {"clock_asked", o.clock.clock},
          {"start_share", o.clock.start_share},
          {"start_seconds", o.clock.start_s},
          {"retrain_every", o.arms.every},
          {"trigger_plays", o.arms.trigger_plays},
          {"trigger_share", o.arms.trigger_share},
          {"trigger_drift", o.arms.trigger_drift},
          {"recovered", o.recovered},
          {"switch_at", o.switch_at ? json(*o.switch_at) : json()},
          {"bootstrap_samples", replay.bootstrap_samples},
          {"confidence", replay.confidence},
          {"main_figure", kReplayFigures[kMainFigure]}};
}

json ArmList(const Replayed& replay, const ReplaySummary& summary) {
  json arms = json::array();
  for (size_t arm = 0; arm < kArms; ++arm) {
    json trainings = json::array();
    for (const Decision& decision : replay.schedule.decisions[arm]) {
      const Training& training = replay.schedule.trainings[decision.training];
      trainings.push_back({{"window", training.window}, {"model", decision.training}, {"why", decision.why}, {"drift", decision.drift}});
    }
    arms.push_back({{"name", kArmNames[arm]}, {"title", ArmTitle(static_cast<Arm>(arm), replay.options.arms)},
                    {"folds_in", static_cast<Arm>(arm) == Arm::kFoldIn}, {"trainings", summary.costs[arm].trainings}, {"trained", trainings}});
  }
  return arms;
}

json WindowList(const Replayed& replay, const ReplaySummary& summary) {
  json windows = json::array();
  const Timeline& timeline = replay.timeline;
  std::array<size_t, kProtocols.size()> row{};
  for (uint32_t w = timeline.first; w < timeline.windows; ++w) {
    json window = {{"window", w}, {"day", (timeline.Edge(w) - timeline.zero) / 86'400}, {"drift", replay.schedule.drift[w - timeline.first]}};
    if (!timeline.by_listener) window.update({{"from", store::Iso8601(timeline.Edge(w))}, {"to", store::Iso8601(timeline.Edge(w + 1))}});
    for (size_t p = 0; p < kProtocols.size(); ++p) {
      const auto& counts = replay.windows[p];
      json& out = window[std::string(kProtocols[p])];  // null where nobody wanted anything
      if (row[p] >= counts.size() || counts[row[p]].window != w) continue;
      out = {{"listeners", counts[row[p]].listeners}, {"wanted", counts[row[p]].wanted}, {"arms", Arms(summary.protocols[p].windows[row[p]])}};
      ++row[p];
    }
    windows.push_back(std::move(window));
  }
  return windows;
}

json Curve(const std::vector<CurvePoint>& curve) {
  json points = json::array();
  for (const CurvePoint& point : curve) {
    json one = Json(point.total);
    one.update({{"first_window", point.first}, {"last_window", point.last}, {"mean_window", point.window}});
    points.push_back(std::move(one));
  }
  return points;
}

json Json(const ProtocolSummary& protocol) {
  json differences = json::array();
  for (const ArmDifference& d : protocol.differences) {
    differences.push_back({{"a", kArmNames[static_cast<size_t>(d.a)]}, {"b", kArmNames[static_cast<size_t>(d.b)]}, {"figures", Json(d.figures)}});
  }
  json out = Json(protocol.all);
  out.update({{"wanted", protocol.wanted}, {"known_at_start", Json(protocol.known)}, {"joined_later", Json(protocol.joined)},
              {"differences", differences}, {"curve", Curve(protocol.curve)}, {"curve_of_differences_to_once", Curve(protocol.differences_to_once)}});
  if (protocol.switch_window) {
    json& recovery = out["recovery"] = {{"window", *protocol.switch_window}, {"arms", json::object()}};
    for (size_t arm = 0; arm < kArms; ++arm) {
      const Recovery& r = protocol.recovery[arm];
      recovery["arms"][std::string(kArmNames[arm])] = {{"level_before", r.level}, {"lowest_after", r.lowest}, {"windows_to_recover", r.after ? json(*r.after) : json()}};
    }
  }
  return out;
}

json Timings(const Replayed& replay, const ReplaySummary& summary) {
  json models = json::array(), arms = json::object();
  for (const ReplayModel& model : replay.models) models.push_back(model.cpu_seconds);
  for (size_t arm = 0; arm < kArms; ++arm) arms[std::string(kArmNames[arm])] = summary.costs[arm].cpu_seconds;
  return {{"training_cpu_seconds_by_model", models}, {"training_cpu_seconds_by_arm", arms}, {"replay_cpu_seconds", replay.cpu_seconds}};
}

}  // namespace

json ReplayJson(const Replayed& replay, const ReplaySummary& summary) {
  const Timeline& timeline = replay.timeline;
  json out = {{"version", kVersion}, {"settings", Options(replay)}, {"arms", ArmList(replay, summary)}, {"windows", WindowList(replay, summary)},
              {"verdict", summary.verdict}, {"timings", Timings(replay, summary)}};
  out["data"] = {{"listeners", replay.listeners}, {"tracks", replay.tracks}, {"events", replay.events}, {"events_without_time", timeline.undated},
                 {"from", store::Iso8601(timeline.from)}, {"to", store::Iso8601(timeline.to)}, {"clock", timeline.by_listener ? "listener" : "calendar"},
                 {"listeners_a_calendar_window", timeline.listeners_a_window}, {"windows", timeline.windows}, {"first_judged_window", timeline.first}};
  json& models = out["models"] = json::array();
  for (const ReplayModel& model : replay.models) models.push_back({{"window", model.training.window}, {"events", model.training.events}});
  for (size_t p = 0; p < kProtocols.size(); ++p) out["protocols"][std::string(kProtocols[p])] = Json(summary.protocols[p]);
  return out;
}

}  // namespace segue::pipeline
