#include <algorithm>
#include <cmath>

#include "core/text.h"
#include "page/charts.h"
#include "pipeline/replay_report.h"
#include "store/clock.h"

namespace segue::pipeline {
namespace {

using page::Html;

std::string WindowAxis(const Replayed& replay) {
  return "Window of " + Spelled(replay.timeline.window_s) + (replay.timeline.by_listener ? ", from each listener's first day" : ", from " + store::Iso8601(replay.timeline.zero).substr(0, 10));
}

std::string Name(Protocol protocol) { return protocol == Protocol::kDiscovery ? "Discovery" : "Next play"; }

page::LineChart::Line LineOf(const std::vector<CurvePoint>& curve, size_t arm, size_t figure, const std::string& name) {
  page::LineChart::Line line{.name = name, .series = static_cast<int>(arm), .points = curve.size() <= 40};
  for (const CurvePoint& point : curve) {
    const math::Interval& value = point.total.arms[arm][figure];
    line.x.push_back(point.window);
    line.y.push_back(value.mean);
    line.low.push_back(value.low);
    line.high.push_back(value.high);
  }
  return line;
}

/// A line up and down where tastes switched.
void MarkSwitch(const ProtocolSummary& summary, double low, double high, page::LineChart& chart) {
  if (!summary.switch_window) return;
  const double at = *summary.switch_window - 0.5;
  chart.lines.push_back({.name = "switch", .x = {at, at}, .y = {low, high}, .reference = true});
}

Html Levels(const Replayed& replay, const ProtocolSummary& summary, size_t figure, int width) {
  page::LineChart chart{.frame = {.title = std::string(kReplayFigures[figure]) + " of each arm", .width = width},
                        .x = {.title = WindowAxis(replay)}, .y = {.title = kReplayFigures[figure], .low = 0}};
  double high = 0;
  for (size_t arm = 0; arm < kArms; ++arm) {
    auto line = LineOf(summary.curve, arm, figure, ArmTitle(static_cast<Arm>(arm), replay.options.arms));
    line.low.clear();  // four bands over each other show nothing; the differences below have theirs
    line.high.clear();
    for (const double y : line.y) high = std::max(high, y);
    chart.lines.push_back(std::move(line));
  }
  MarkSwitch(summary, 0, high, chart);
  return page::Draw(chart);
}

/// The ends of intervals, so that charts beside each other have one scale.
struct Reach {
  double low = 0, high = 0;
  void Take(const math::Interval& interval) {
    for (const double end : {interval.mean, interval.low, interval.high}) {
      if (std::isnan(end)) continue;
      low = std::min(low, end);
      high = std::max(high, end);
    }
  }
};

Reach ReachOf(const std::vector<CurvePoint>& curve) {
  Reach reach;
  for (const CurvePoint& point : curve) {
    for (const auto& arm : point.total.arms) reach.Take(arm[kMainFigure]);
  }
  if (!(reach.low < reach.high)) reach.high = reach.low + 1e-3;
  return reach;
}

/// One arm by itself, with its interval.
Html Alone(const Replayed& replay, const ProtocolSummary& summary, const std::vector<CurvePoint>& curve, size_t arm) {
  const Reach reach = ReachOf(curve);
  page::LineChart chart{.frame = {.title = ArmTitle(static_cast<Arm>(arm), replay.options.arms), .width = 400, .height = 230}, .x = {.title = "Window"},
                        .y = {.title = "", .low = reach.low, .high = reach.high}};
  chart.lines.push_back(LineOf(curve, arm, kMainFigure, ""));
  if (reach.low < 0) chart.lines.push_back({.name = "once", .x = {curve.front().window, curve.back().window}, .y = {0, 0}, .reference = true});
  MarkSwitch(summary, reach.low, reach.high, chart);
  return page::Draw(chart);
}

/// All three gains in one chart.
page::LineChart Gains(const Replayed& replay, const ProtocolSummary& summary, const std::string& title, int width) {
  page::LineChart chart{.frame = {.title = title, .width = width}, .x = {.title = WindowAxis(replay)},
                        .y = {.title = std::string(kReplayFigures[kMainFigure]) + ", more than trained once"}};
  const auto& curve = summary.differences_to_once;
  const Reach reach = ReachOf(curve);
  for (size_t arm = 1; arm < kArms; ++arm) chart.lines.push_back(LineOf(curve, arm, kMainFigure, ArmTitle(static_cast<Arm>(arm), replay.options.arms)));
  if (!curve.empty()) chart.lines.push_back({.name = "once", .x = {curve.front().window, curve.back().window}, .y = {0, 0}, .reference = true});
  MarkSwitch(summary, reach.low, reach.high, chart);
  return chart;
}

Html Totals(const Replayed& replay, const ProtocolSummary& summary) {
  const std::string percent = Fixed(replay.confidence * 100, 0) + " %";
  page::Table table{.caption = "Means over " + WithCommas(static_cast<int64_t>(summary.all.pairs)) + " (listener, window) pairs of " +
                               WithCommas(static_cast<int64_t>(summary.all.listeners)) + " listeners, with intervals at " + percent,
                    .columns = {{.name = "arm", .number = false}}};
  for (const char* figure : kReplayFigures) {
    table.columns.push_back({.name = figure});
    table.columns.push_back({.name = percent});
  }
  for (size_t arm = 0; arm < kArms; ++arm) {
    std::vector<std::string> row = {ArmTitle(static_cast<Arm>(arm), replay.options.arms)};
    for (const math::Interval& figure : summary.all.arms[arm]) {
      row.push_back(Fixed(figure.mean, 4));
      row.push_back(SpelledInterval(figure, false));
    }
    table.rows.push_back(std::move(row));
  }
  return page::Draw(table);
}

std::string ShortName(Arm arm) { return arm == Arm::kFoldIn ? "fold-in" : std::string(kArmNames[static_cast<size_t>(arm)]); }

Html Differences(const Replayed& replay, const ProtocolSummary& summary) {
  page::Table table{.caption = "Paired differences: the same listener in the same window", .columns = {{.name = "difference", .number = false}}};
  for (const char* figure : kReplayFigures) {
    table.columns.push_back({.name = figure});
    table.columns.push_back({.name = Fixed(replay.confidence * 100, 0) + " %"});
  }
  table.columns.push_back({.name = "verdict", .number = false, .note = std::string("by ") + kReplayFigures[kMainFigure] + "; open: the interval has 0 in it"});
  for (const ArmDifference& d : summary.differences) {
    std::vector<std::string> row = {ShortName(d.a) + " − " + ShortName(d.b)};
    for (const math::Interval& figure : d.figures) {
      row.push_back(Signed(figure.mean));
      row.push_back(SpelledInterval(figure, true));
    }
    const int side = SideOf(d.figures[kMainFigure]);
    row.push_back(side > 0 ? "better" : side < 0 ? "worse" : "open");
    table.rows.push_back(std::move(row));
    table.strong.push_back(side != 0);
  }
  return page::Draw(table);
}

Html Segments(const Replayed& replay, const ProtocolSummary& summary) {
  page::Table table{.caption = std::string(kReplayFigures[kMainFigure]) + " of listeners with listening before the start, and of those who came later",
                    .columns = {{.name = "arm", .number = false}, {.name = "known at the start"}, {.name = "interval"}, {.name = "joined later"}, {.name = "interval "}}};
  for (size_t arm = 0; arm < kArms; ++arm) {
    const auto& known = summary.known.arms[arm][kMainFigure];
    const auto& joined = summary.joined.arms[arm][kMainFigure];
    table.rows.push_back({ArmTitle(static_cast<Arm>(arm), replay.options.arms), Fixed(known.mean, 4), SpelledInterval(known, false), Fixed(joined.mean, 4), SpelledInterval(joined, false)});
  }
  table.rows.push_back({"pairs (listeners)", WithCommas(static_cast<int64_t>(summary.known.pairs)) + " (" + WithCommas(static_cast<int64_t>(summary.known.listeners)) + ")", "",
                        WithCommas(static_cast<int64_t>(summary.joined.pairs)) + " (" + WithCommas(static_cast<int64_t>(summary.joined.listeners)) + ")", ""});
  return page::Draw(table);
}

Html RecoveryTable(const Replayed& replay, const ProtocolSummary& summary) {
  page::Table table{.caption = "After tastes switched in window " + std::to_string(*summary.switch_window) + ": until back at " + Fixed(replay.options.recovered * 100, 0) + " % of the level before",
                    .columns = {{.name = "arm", .number = false}, {.name = "level before"}, {.name = "lowest after"}, {.name = "windows until back"}}};
  for (size_t arm = 0; arm < kArms; ++arm) {
    const Recovery& r = summary.recovery[arm];
    table.rows.push_back({ArmTitle(static_cast<Arm>(arm), replay.options.arms), Fixed(r.level, 4), Fixed(r.lowest, 4), r.after ? std::to_string(*r.after) : "not by the end"});
  }
  return page::Draw(table);
}

page::Section ProtocolSection(const Replayed& replay, const ReplaySummary& whole, Protocol protocol) {
  const ProtocolSummary& summary = whole.protocols[static_cast<size_t>(protocol)];
  page::Section section{.title = Name(protocol),
                        .lead = protocol == Protocol::kDiscovery ? "Tracks that the listener had not heard before the window." : "What he plays in the window, repeats allowed.",
                        .parts = {}};
  if (summary.all.pairs == 0) {
    section.parts.push_back(page::Paragraph("Nobody played a track that was new to him."));
    return section;
  }
  section.parts.push_back(Levels(replay, summary, kMainFigure, 980));
  std::vector<Html> gains, levels;
  for (size_t arm = 1; arm < kArms; ++arm) gains.push_back(Alone(replay, summary, summary.differences_to_once, arm));
  for (size_t arm = 0; arm < kArms; ++arm) levels.push_back(Alone(replay, summary, summary.curve, arm));
  section.parts.push_back(page::Paragraph(std::string("What each gains in ") + kReplayFigures[kMainFigure] + " over training once, with intervals:"));
  section.parts.push_back(page::SideBySide(gains, 300));
  if (summary.switch_window) section.parts.push_back(RecoveryTable(replay, summary));
  section.parts.push_back(Differences(replay, summary));
  section.parts.push_back(Totals(replay, summary));
  if (summary.joined.pairs > 0) section.parts.push_back(Segments(replay, summary));
  section.parts.push_back(page::Folded("The level of each arm, with intervals", page::SideBySide(levels, 420)));
  return section;
}

page::Section CostSection(const Replayed& replay, const ReplaySummary& summary) {
  page::Section section{.title = "Cost", .lead = "CPU seconds of fitting models, as if each arm ran alone. Folding in and making lists are not in it.", .parts = {}};
  page::Table table{.columns = {{.name = "arm", .number = false}, {.name = "trainings"}, {.name = "CPU seconds"}}};
  page::Table list{.columns = {{.name = "window"}, {.name = "events before it"}, {.name = "CPU seconds"}, {.name = "timer", .number = false}, {.name = "trigger", .number = false}}};
  for (size_t arm = 0; arm < kArms; ++arm) {
    table.rows.push_back({ArmTitle(static_cast<Arm>(arm), replay.options.arms), std::to_string(summary.costs[arm].trainings), Fixed(summary.costs[arm].cpu_seconds, 1)});
  }
  for (size_t m = 0; m < replay.models.size(); ++m) {
    const auto why = [&](Arm arm) {
      for (const Decision& decision : replay.schedule.decisions[static_cast<size_t>(arm)]) {
        if (decision.training == m) return decision.why;
      }
      return std::string();
    };
    const ReplayModel& model = replay.models[m];
    list.rows.push_back({std::to_string(model.training.window), WithCommas(static_cast<int64_t>(model.training.events)), Fixed(model.cpu_seconds, 2), why(Arm::kTimer), why(Arm::kTrigger)});
  }
  section.parts = {page::Draw(table), page::Folded("Every training, and why", page::Draw(list))};
  return section;
}

Html GainTiles(const ReplaySummary& summary, Protocol protocol) {
  std::vector<page::Tile> tiles;
  for (const ArmDifference& d : summary.protocols[static_cast<size_t>(protocol)].differences) {
    if (d.b != Arm::kOnce) continue;
    const math::Interval& gain = d.figures[kMainFigure];
    tiles.push_back({Name(protocol) + ": " + ShortName(d.a) + " over once", Signed(gain.mean), SpelledInterval(gain, true)});
  }
  return page::Tiles(tiles);
}

page::Section VerdictSection(const ReplaySummary& summary) {
  page::Section section{.title = "Verdict", .lead = std::string("By ") + kReplayFigures[kMainFigure] + ". Better or worse: the interval of the paired difference is clear of 0.", .parts = {}};
  for (const Protocol protocol : {Protocol::kDiscovery, Protocol::kNext}) section.parts.push_back(GainTiles(summary, protocol));
  std::string list;
  for (const std::string& sentence : summary.verdict) list += "<li>" + page::Escaped(sentence) + "</li>\n";
  section.parts.push_back(page::Raw("<ul>\n" + list + "</ul>\n"));
  return section;
}

page::Section HowSection(const Replayed& replay) {
  const ArmOptions& arms = replay.options.arms;
  page::Section section{.title = "How it was done", .lead = "", .parts = {}};
  const auto add = [&](const std::string& text) { section.parts.push_back(page::Paragraph(text)); };
  add("Time is cut into windows " + SpelledClock(replay) + ". The first " + std::to_string(replay.timeline.first) + " windows are the past that every arm starts from. In each later window every listener who plays something is given a list by each arm, made of what the arm knew when the window began, and the list is held against what he played.");
  add("Trained once, the timer and the trigger without fold-in know a listener as he was when their model was trained; who came later is a newcomer to them. With fold-in his newest events count, up to the window's start. Tracks already heard leave every arm's list in discovery, and nobody is given a track that nobody had met before the window.");
  add("The trigger trains where at least " + WithCommas(arms.trigger_plays) + " events, and " + Fixed(arms.trigger_share * 100, 0) + " % of those trained on, have come since; or where the share of plays of artists that are strange to the model has risen by " + Fixed(arms.trigger_drift, 2) + " since its training.");
  add("Intervals: whole listeners are drawn with all their windows, " + WithCommas(replay.bootstrap_samples) + " times, because one listener's windows resemble each other. A point of a curve takes consecutive windows together where there are many.");
  return section;
}

}  // namespace

std::string ReplayPage(const Replayed& replay, const ReplaySummary& summary) {
  const Timeline& timeline = replay.timeline;
  page::Page page{.title = "Does retraining pay?",
                  .subtitle = WithCommas(static_cast<int64_t>(replay.events)) + " events of " + WithCommas(static_cast<int64_t>(replay.listeners)) + " listeners, " +
                              store::Iso8601(timeline.from).substr(0, 10) + " to " + store::Iso8601(timeline.to).substr(0, 10) + "; " + replay.options.algorithm +
                              ", " + std::to_string(timeline.windows - timeline.first) + " windows of " + Spelled(timeline.window_s),
                  .sections = {},
                  .footer = "segue replay"};
  page.sections.push_back(VerdictSection(summary));
  for (const Protocol protocol : {Protocol::kDiscovery, Protocol::kNext}) page.sections.push_back(ProtocolSection(replay, summary, protocol));
  page.sections.push_back(CostSection(replay, summary));
  page.sections.push_back(HowSection(replay));
  return page::Render(page);
}

std::string ReplayPicture(const Replayed& replay, const ReplaySummary& summary) {
  const ProtocolSummary& next = summary.protocols[static_cast<size_t>(Protocol::kNext)];
  return page::Standalone(page::Draw(Gains(replay, next, "Next play: what each way of retraining gains over training once", 860)));
}

}  // namespace segue::pipeline
