#pragma once

#include <memory>

#include "store/alarms.h"
#include "store/sqlite.h"

namespace segue::store {

/// The tables of alarms, as version 1 of the catalog's schema left them, made
/// those of AlarmBook. Alarms of before are over.
inline constexpr const char* kAlarmTables = R"sql(
ALTER TABLE alarms ADD COLUMN rule TEXT NOT NULL DEFAULT '';
ALTER TABLE alarms ADD COLUMN state TEXT NOT NULL DEFAULT 'resolved';
ALTER TABLE alarms ADD COLUMN value REAL NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN pending_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN resolved_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN acknowledged_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE alarms ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';
CREATE INDEX alarms_by_state ON alarms(state, id);
CREATE UNIQUE INDEX one_open_alarm_a_rule ON alarms(rule) WHERE rule<>'' AND state IN ('pending','firing');
CREATE TABLE alarm_changes (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, alarm_id INTEGER NOT NULL REFERENCES alarms(id), at_ms INTEGER NOT NULL,
  change TEXT NOT NULL, value REAL NOT NULL, actor TEXT NOT NULL, note TEXT NOT NULL,
  delivered_ms INTEGER NOT NULL DEFAULT 0, attempts INTEGER NOT NULL DEFAULT 0, next_ms INTEGER NOT NULL DEFAULT 0,
  error TEXT NOT NULL DEFAULT '');
CREATE INDEX alarm_changes_by_alarm ON alarm_changes(alarm_id, seq);
CREATE INDEX alarm_changes_to_deliver ON alarm_changes(seq) WHERE delivered_ms=0 AND change IN ('firing','resolved','acknowledged');
)sql";

/// AlarmBook on connections of its own to a catalog whose schema is up to date.
Result<std::unique_ptr<AlarmBook>> OpenSqliteAlarms(const std::filesystem::path& file);

}  // namespace segue::store
