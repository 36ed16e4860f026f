#include <cmath>
#include <cstdio>

#include "core/text.h"
#include "pipeline/replay_report.h"
#include "store/clock.h"

namespace segue::pipeline {
namespace {

/// Padded by letters, not bytes: titles are ASCII, figures may be "–".
std::string Padded(const std::string& text, size_t width, bool right) {
  size_t letters = 0;
  for (const char c : text) letters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;
  const std::string blanks(width > letters ? width - letters : 0, ' ');
  return right ? blanks + text : text + blanks;
}

std::string Row(const std::string& name, std::span<const std::string> cells) {
  std::string line = "  " + Padded(name, 40, false);
  for (const std::string& cell : cells) line += " " + Padded(cell, 13, true);
  return line + "\n";
}

void AddProtocol(const Replayed& replay, const ProtocolSummary& protocol, const char* title, std::string& out) {
  out += std::string(title) + ": " + WithCommas(static_cast<int64_t>(protocol.all.pairs)) + " (listener, window) pairs of " +
         WithCommas(static_cast<int64_t>(protocol.all.listeners)) + " listeners, " + WithCommas(static_cast<int64_t>(protocol.wanted)) + " tracks to find\n";
  if (protocol.all.pairs == 0) return;
  const std::vector<std::string> names(kReplayFigures.begin(), kReplayFigures.end());
  out += Row("", names);
  for (size_t arm = 0; arm < kArms; ++arm) {
    std::vector<std::string> values;
    for (const math::Interval& figure : protocol.all.arms[arm]) values.push_back(Fixed(figure.mean, 4));
    out += Row(ArmTitle(static_cast<Arm>(arm), replay.options.arms), values);
  }
  out += "  paired differences, with " + Fixed(replay.confidence * 100, 0) + " % intervals\n";
  for (const ArmDifference& d : protocol.differences) {
    std::vector<std::string> values, intervals;
    for (const math::Interval& figure : d.figures) {
      values.push_back(Signed(figure.mean));
      intervals.push_back(std::isnan(figure.low) ? "–" : Fixed(figure.low, 3) + ".." + Fixed(figure.high, 3));
    }
    out += Row(std::string(kArmNames[static_cast<size_t>(d.a)]) + " - " + std::string(kArmNames[static_cast<size_t>(d.b)]), values) + Row("", intervals);
  }
}

}  // namespace

std::string Spelled(int64_t seconds) {
  const bool days = seconds % 86'400 == 0;
  const double count = static_cast<double>(seconds) / (days ? 86'400 : 3600);
  return Significant(count, 3) + (days ? " day" : " hour") + (count == 1 ? "" : "s");
}

std::string Signed(double value) { return (value > 0 ? "+" : "") + Fixed(value, 4); }

std::string SpelledInterval(const math::Interval& interval, bool sign) {
  if (std::isnan(interval.low)) return "–";
  return sign ? Signed(interval.low) + " to " + Signed(interval.high) : Fixed(interval.low, 4) + " to " + Fixed(interval.high, 4);
}

std::string SpelledClock(const Replayed& replay) {
  const Timeline& timeline = replay.timeline;
  if (!timeline.by_listener) return "by the calendar";
  const std::string few = "on each listener's own clock, where his first day is day 0";
  if (replay.options.clock.clock != "auto") return few;
  return few + ", because a window of the calendar has only " + Fixed(timeline.listeners_a_window, 1) + " of the " +
         WithCommas(static_cast<int64_t>(replay.listeners)) + " listeners (--clock calendar goes by dates)";
}

std::string ReplayText(const Replayed& replay, const ReplaySummary& summary) {
  const Timeline& timeline = replay.timeline;
  std::string out = "replay of " + WithCommas(static_cast<int64_t>(replay.events)) + " events of " + WithCommas(static_cast<int64_t>(replay.listeners)) +
                    " listeners, " + store::Iso8601(timeline.from).substr(0, 10) + " to " + store::Iso8601(timeline.to).substr(0, 10) + ", " +
                    replay.options.algorithm + ", windows of " + Spelled(timeline.window_s) + "\n" + "windows " + std::to_string(timeline.first) + " to " +
                    std::to_string(timeline.windows - 1) + ", " + SpelledClock(replay) + "\n\n";
  AddProtocol(replay, summary.protocols[static_cast<size_t>(Protocol::kDiscovery)], "Discovery", out);
  out += "\n";
  AddProtocol(replay, summary.protocols[static_cast<size_t>(Protocol::kNext)], "Next play", out);
  out += "\nCost\n" + Row("", std::vector<std::string>{"trainings", "CPU seconds"});
  for (size_t arm = 0; arm < kArms; ++arm) {
    out += Row(ArmTitle(static_cast<Arm>(arm), replay.options.arms),
               std::vector<std::string>{std::to_string(summary.costs[arm].trainings), Fixed(summary.costs[arm].cpu_seconds, 1)});
  }
  out += "\n";
  for (const std::string& sentence : summary.verdict) out += sentence + "\n";
  return out;
}

}  // namespace segue::pipeline
