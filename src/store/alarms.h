#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/result.h"

namespace segue::store {

/// How far an alarm is. One of a rule goes pending, firing, resolved; or back
/// from pending to inactive, where its condition did not last. One of an event
/// (a run that failed, a file left out) fires at once.
inline constexpr std::string_view kAlarmPending = "pending";
inline constexpr std::string_view kAlarmFiring = "firing";
inline constexpr std::string_view kAlarmResolved = "resolved";
inline constexpr std::string_view kAlarmInactive = "inactive";

struct AlarmRecord {
  int64_t id = 0;
  int64_t at = 0;          ///< Unix seconds when it fired; while pending, when it began
  std::string severity;    ///< "warning", "critical"
  std::string name;        ///< of the rule or the event
  std::string message;
  std::string run_id;      ///< "" none
  std::string rule;        ///< a rule's name; "" of an event
  std::string state = std::string(kAlarmFiring);
  double value = 0;        ///< the rule's metric when it last changed its state
  int64_t pending_ms = 0;  ///< since when the rule's condition holds
  int64_t resolved_ms = 0;
  int64_t acknowledged_ms = 0;  ///< 0: not yet
  std::string acknowledged_by;
};

/// A step of an alarm, which is also what has to be delivered.
struct AlarmChange {
  int64_t seq = 0;
  int64_t alarm_id = 0;
  int64_t at_ms = 0;
  std::string change;      ///< the new state, or "acknowledged"
  double value = 0;
  std::string actor;       ///< "rule", "event", "api", "cli"
  std::string note;
  int64_t delivered_ms = 0;  ///< 0: not yet
  int64_t attempts = 0;      ///< that failed
  int64_t next_ms = 0;       ///< not before this
  std::string error;         ///< of the last attempt
};

struct AlarmFilter {
  std::string state;       ///< "" every state but inactive; "open": pending or firing
  std::string name;
  int64_t before = 0;      ///< ids below it; 0 from the newest
  int64_t limit = 100;
};

/// Alarms with their history. Each writing call is one transaction, durable when
/// it returns. Thread-safe; several processes may have it open.
class AlarmBook {
 public:
  virtual ~AlarmBook() = default;

  /// Opens an alarm in its record's state; its id. kConflict where the rule
  /// has one pending or firing already.
  virtual Result<int64_t> OpenAlarm(const AlarmRecord& alarm, int64_t now_ms) = 0;
  /// Takes an alarm from one state to another; kConflict where it is no longer
  /// in `from`. `note` becomes its message unless it is empty.
  virtual Status MoveAlarm(int64_t id, std::string_view from, std::string_view to, double value, std::string_view actor,
                           std::string_view note, int64_t now_ms) = 0;
  /// Moves the beginning of a pending alarm: the clock was set.
  virtual Status SetPendingSince(int64_t id, int64_t pending_ms) = 0;
  /// Somebody has seen it; an event's alarm is over with that. The first one
  /// counts. kNotFound where there is none, kConflict before it has fired.
  virtual Result<AlarmRecord> AcknowledgeAlarm(int64_t id, std::string_view actor, std::string_view note, int64_t now_ms) = 0;

  /// Newest first.
  virtual Result<std::vector<AlarmRecord>> ListAlarms(const AlarmFilter& filter) const = 0;
  /// By id; empty where there is none.
  virtual Result<std::vector<AlarmRecord>> FindAlarm(int64_t id) const = 0;
  /// Its changes, oldest first.
  virtual Result<std::vector<AlarmChange>> AlarmHistory(int64_t id) const = 0;
  virtual Result<std::map<std::string, int64_t>> AlarmsByState() const = 0;

  /// Changes to firing, resolved or acknowledged that have not been delivered,
  /// oldest first: the first one of each alarm, since one alarm's changes go out in order.
  virtual Result<std::vector<AlarmChange>> UndeliveredChanges(int64_t limit) const = 0;
  virtual Status ChangeDelivered(int64_t seq, int64_t now_ms) = 0;
  virtual Status DeliveryFailed(int64_t seq, int64_t next_ms, std::string_view error) = 0;
};

/// {"id","name","rule","state","severity","message","value","run_id","at",
/// "pending_since","resolved_at","acknowledged":{"at","by"}|null}
nlohmann::json ToJson(const AlarmRecord& alarm);
/// {"at","change","value","actor","note","delivered","attempts","error"}
nlohmann::json ToJson(const AlarmChange& change);

}  // namespace segue::store
