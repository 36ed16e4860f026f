#include "store/sqlite_alarms.h"

#include <sqlite3.h>

#include <mutex>

namespace segue::store {
namespace {

constexpr const char* kAlarmColumns =
    "id,at,severity,name,message,run_id,rule,state,value,pending_ms,resolved_ms,acknowledged_ms,acknowledged_by";
constexpr const char* kChangeColumns = "seq,alarm_id,at_ms,change,value,actor,note,delivered_ms,attempts,next_ms,error";

AlarmRecord ReadAlarm(const Statement& row) {
  return {row.Int(0),  row.Int(1),  row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Text(6),
          row.Text(7), row.Real(8), row.Int(9),  row.Int(10), row.Int(11), row.Text(12)};
}

AlarmChange ReadChange(const Statement& row) {
  return {row.Int(0),  row.Int(1), row.Int(2), row.Text(3), row.Real(4), row.Text(5),
          row.Text(6), row.Int(7), row.Int(8), row.Int(9),  row.Text(10)};
}

class SqliteAlarms final : public AlarmBook {
 public:
  Status Open(const std::filesystem::path& file) {
    SEGUE_RETURN_IF_ERROR(writer_.Open(file));
    return reader_.Open(file);
  }

  Result<int64_t> OpenAlarm(const AlarmRecord& alarm, int64_t now_ms) override {
    int64_t id = 0;
    SEGUE_RETURN_IF_ERROR(Transaction([&]() -> Status {
      Statement insert(writer_.get(), "INSERT INTO alarms(at,severity,name,message,run_id,rule,state,value,pending_ms) "
                                      "VALUES (?,?,?,?,?,?,?,?,?)");
      SEGUE_RETURN_IF_ERROR(insert.Bind(alarm.at).Bind(alarm.severity).Bind(alarm.name).Bind(alarm.message).Bind(alarm.run_id)
                                .Bind(alarm.rule).Bind(alarm.state).Bind(alarm.value).Bind(alarm.pending_ms).Run());
      id = sqlite3_last_insert_rowid(writer_.get());
      return AddChange(id, alarm.state, alarm.value, alarm.rule.empty() ? "event" : "rule", alarm.message, now_ms);
    }));
    return id;
  }

  Status MoveAlarm(int64_t id, std::string_view from, std::string_view to, double value, std::string_view actor,
                   std::string_view note, int64_t now_ms) override {
    return Transaction([&]() -> Status {
      Statement move(writer_.get(),
                     "UPDATE alarms SET state=?3, value=?4, at=CASE WHEN ?3='firing' THEN ?5/1000 ELSE at END, "
                     "resolved_ms=CASE WHEN ?3='resolved' THEN ?5 ELSE resolved_ms END, "
                     "message=CASE WHEN ?6='' THEN message ELSE ?6 END WHERE id=?1 AND state=?2");
      SEGUE_RETURN_IF_ERROR(move.Bind(id).Bind(from).Bind(to).Bind(value).Bind(now_ms).Bind(note).Run());
      if (sqlite3_changes(writer_.get()) == 0) {
        return Error{ErrorCode::kConflict, "alarm " + std::to_string(id) + " is no longer " + std::string(from)};
      }
      return AddChange(id, to, value, actor, note, now_ms);
    });
  }

  Status SetPendingSince(int64_t id, int64_t pending_ms) override {
    const std::lock_guard lock(writer_mutex_);
    return Statement(writer_.get(), "UPDATE alarms SET pending_ms=? WHERE id=?").Bind(pending_ms).Bind(id).Run();
  }

  Result<AlarmRecord> AcknowledgeAlarm(int64_t id, std::string_view actor, std::string_view note, int64_t now_ms) override {
    SEGUE_RETURN_IF_ERROR(Transaction([&]() -> Status {
      Statement find(writer_.get(), std::string("SELECT ") + kAlarmColumns + " FROM alarms WHERE id=?");
      SEGUE_TRY(const bool found, find.Bind(id).Step());
      if (!found) return Error{ErrorCode::kNotFound, "there is no alarm " + std::to_string(id) + "; `segue alarms` lists them"};
      const AlarmRecord alarm = ReadAlarm(find);
      if (alarm.state == kAlarmPending || alarm.state == kAlarmInactive) {
        return Error{ErrorCode::kConflict, "alarm " + std::to_string(id) + " has not fired: it is " + alarm.state};
      }
      if (alarm.acknowledged_ms != 0) return {};
      const bool over = alarm.rule.empty() && alarm.state == kAlarmFiring;
      Statement update(writer_.get(), "UPDATE alarms SET acknowledged_ms=?2, acknowledged_by=?3, "
                                      "state=CASE WHEN ?4 THEN 'resolved' ELSE state END, "
                                      "resolved_ms=CASE WHEN ?4 THEN ?2 ELSE resolved_ms END WHERE id=?1");
      SEGUE_RETURN_IF_ERROR(update.Bind(id).Bind(now_ms).Bind(actor).Bind(int64_t{over}).Run());
      SEGUE_RETURN_IF_ERROR(AddChange(id, "acknowledged", alarm.value, actor, note, now_ms));
      return over ? AddChange(id, kAlarmResolved, alarm.value, actor, "", now_ms) : Status();
    }));
    SEGUE_TRY(const auto alarms, FindAlarm(id));
    return alarms.front();
  }

  Result<std::vector<AlarmRecord>> ListAlarms(const AlarmFilter& filter) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(),
                     std::string("SELECT ") + kAlarmColumns + " FROM alarms WHERE CASE ?1 WHEN '' THEN state<>'inactive' "
                     "WHEN 'open' THEN state IN ('pending','firing') ELSE state=?1 END AND (?2='' OR name=?2) "
                     "AND (?3=0 OR id<?3) ORDER BY id DESC LIMIT ?4");
    select.Bind(filter.state).Bind(filter.name).Bind(filter.before).Bind(filter.limit);
    return ReadAll(select, ReadAlarm);
  }

  Result<std::vector<AlarmRecord>> FindAlarm(int64_t id) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kAlarmColumns + " FROM alarms WHERE id=?");
    select.Bind(id);
    return ReadAll(select, ReadAlarm);
  }

  Result<std::vector<AlarmChange>> AlarmHistory(int64_t id) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kChangeColumns + " FROM alarm_changes WHERE alarm_id=? ORDER BY seq");
    select.Bind(id);
    return ReadAll(select, ReadChange);
  }

  Result<std::map<std::string, int64_t>> AlarmsByState() const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), "SELECT state,count(*) FROM alarms GROUP BY state");
    return ReadCounts(select);
  }

  Result<std::vector<AlarmChange>> UndeliveredChanges(int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kChangeColumns +
                                        " FROM alarm_changes WHERE seq IN (SELECT min(seq) FROM alarm_changes WHERE delivered_ms=0 AND "
                                        "change IN ('firing','resolved','acknowledged') GROUP BY alarm_id) ORDER BY seq LIMIT ?");
    select.Bind(limit);
    return ReadAll(select, ReadChange);
  }

  Status ChangeDelivered(int64_t seq, int64_t now_ms) override {
    const std::lock_guard lock(writer_mutex_);
    return Statement(writer_.get(), "UPDATE alarm_changes SET delivered_ms=?,error='' WHERE seq=?").Bind(now_ms).Bind(seq).Run();
  }

  Status DeliveryFailed(int64_t seq, int64_t next_ms, std::string_view error) override {
    const std::lock_guard lock(writer_mutex_);
    return Statement(writer_.get(), "UPDATE alarm_changes SET attempts=attempts+1,next_ms=?,error=? WHERE seq=?")
        .Bind(next_ms).Bind(error).Bind(seq).Run();
  }

 private:
  Status AddChange(int64_t id, std::string_view change, double value, std::string_view actor, std::string_view note, int64_t now_ms) {
    return Statement(writer_.get(), "INSERT INTO alarm_changes(alarm_id,at_ms,change,value,actor,note) VALUES (?,?,?,?,?,?)")
        .Bind(id).Bind(now_ms).Bind(change).Bind(value).Bind(actor).Bind(note).Run();
  }

  template <typename Body>
  Status Transaction(const Body& body) {
    const std::lock_guard lock(writer_mutex_);
    return InTransaction(writer_, body);
  }

  std::mutex writer_mutex_;
  SqliteConnection writer_;
  mutable std::mutex reader_mutex_;
  SqliteConnection reader_;
};

}  // namespace

Result<std::unique_ptr<AlarmBook>> OpenSqliteAlarms(const std::filesystem::path& file) {
  auto alarms = std::make_unique<SqliteAlarms>();
  SEGUE_RETURN_IF_ERROR(alarms->Open(file));
  return std::unique_ptr<AlarmBook>(std::move(alarms));
}

}  // namespace segue::store
