#include "monitor/alarms.h"

#include <algorithm>
#include <cstdlib>
#include <map>

namespace segue::monitor {
namespace {

using store::AlarmRecord;

constexpr int64_t kJumpMs = 60'000;
constexpr int64_t kMostOpen = 10'000;

}  // namespace

AlarmEvaluator::AlarmEvaluator(store::AlarmBook& book, std::vector<AlarmRule> rules, int64_t event_hours)
    : book_(book), rules_(std::move(rules)), event_hours_(event_hours) {}

Status AlarmEvaluator::Look(const Readings& readings, int64_t now_ms, int64_t steady_ms) {
  const int64_t jump = last_ ? (now_ms - last_->wall_ms) - (steady_ms - last_->steady_ms) : 0;
  last_ = {now_ms, steady_ms};
  SEGUE_TRY(const auto all_open, book_.ListAlarms({.state = "open", .limit = kMostOpen}));
  std::map<std::string, AlarmRecord> open;
  for (AlarmRecord alarm : all_open) {
    if (alarm.rule.empty()) continue;
    if (alarm.state == store::kAlarmPending) {
      const int64_t since = std::min(alarm.pending_ms + (std::llabs(jump) >= kJumpMs ? jump : 0), now_ms);
      if (since != alarm.pending_ms) SEGUE_RETURN_IF_ERROR(book_.SetPendingSince(alarm.id, since));
      alarm.pending_ms = since;
    }
    open[alarm.rule] = alarm;
  }
  for (const AlarmRule& rule : rules_) {
    const auto it = open.find(rule.name);
    SEGUE_RETURN_IF_ERROR(LookAt(rule, it == open.end() ? std::nullopt : std::optional(it->second), readings, now_ms));
    if (it != open.end()) open.erase(it);
  }
  for (const auto& [name, alarm] : open) {
    const bool firing = alarm.state == store::kAlarmFiring;
    SEGUE_RETURN_IF_ERROR(book_.MoveAlarm(alarm.id, alarm.state, firing ? store::kAlarmResolved : store::kAlarmInactive, alarm.value, "rule",
                                          firing ? "the rule is no longer in force" : "", now_ms));
  }
  return EndEvents(now_ms);
}

Status AlarmEvaluator::LookAt(const AlarmRule& rule, const std::optional<AlarmRecord>& open, const Readings& readings, int64_t now_ms) {
  const auto reading = readings.find(rule.metric);
  const bool holds = reading != readings.end() && Holds(rule, reading->second);
  if (!open) {
    if (!holds) return {};
    const bool at_once = rule.for_seconds == 0;
    const auto opened = book_.OpenAlarm({.at = now_ms / 1000, .severity = rule.severity, .name = rule.name,
                                         .message = MessageOf(rule, reading->second), .rule = rule.name,
                                         .state = std::string(at_once ? store::kAlarmFiring : store::kAlarmPending),
                                         .value = reading->second, .pending_ms = now_ms}, now_ms);
    return opened.ok() ? Status() : Status(opened.error());
  }
  const double value = reading == readings.end() ? open->value : reading->second;
  if (open->state == store::kAlarmPending) {
    if (!holds) return book_.MoveAlarm(open->id, open->state, store::kAlarmInactive, value, "rule", "", now_ms);
    if (now_ms - open->pending_ms < rule.for_seconds * 1000) return {};
    return book_.MoveAlarm(open->id, open->state, store::kAlarmFiring, value, "rule", MessageOf(rule, value), now_ms);
  }
  if (holds) return {};
  return book_.MoveAlarm(open->id, open->state, store::kAlarmResolved, value, "rule", "", now_ms);
}

Status AlarmEvaluator::EndEvents(int64_t now_ms) {
  SEGUE_TRY(const auto firing, book_.ListAlarms({.state = std::string(store::kAlarmFiring), .limit = kMostOpen}));
  for (const AlarmRecord& alarm : firing) {
    if (!alarm.rule.empty() || now_ms / 1000 - alarm.at < event_hours_ * 3600) continue;
    const Status ended = book_.MoveAlarm(alarm.id, store::kAlarmFiring, store::kAlarmResolved, alarm.value, "event", "", now_ms);
    // Somebody may have acknowledged it just now.
    if (!ended.ok() && ended.error().code != ErrorCode::kConflict) return ended;
  }
  return {};
}

}  // namespace segue::monitor
