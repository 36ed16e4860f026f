#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <mutex>

#include <openssl/rand.h>

#include "core/check.h"
#include "store/catalog.h"
#include "store/sqlite.h"
#include "store/sqlite_access.h"
#include "store/sqlite_alarms.h"
#include "store/sqlite_delivery.h"
#include "store/sqlite_documents.h"
#include "store/sqlite_listeners.h"

namespace segue::store {
namespace {

/// Version 1, from which every file starts; kUpgrades bring it to the present one.
constexpr const char* kSchema = R"sql(
CREATE TABLE events (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, event_id TEXT NOT NULL UNIQUE, listener TEXT NOT NULL,
  track_id TEXT NOT NULL, artist TEXT NOT NULL, title TEXT NOT NULL, kind TEXT NOT NULL,
  at INTEGER NOT NULL, value REAL NOT NULL, list_id TEXT NOT NULL, received_at INTEGER NOT NULL);
CREATE TABLE objects (
  n INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL, name TEXT NOT NULL, listener TEXT NOT NULL,
  format TEXT NOT NULL, tbl TEXT NOT NULL, staged_key TEXT NOT NULL, status TEXT NOT NULL,
  reason TEXT NOT NULL, rows INTEGER NOT NULL, rejected INTEGER NOT NULL, bytes INTEGER NOT NULL,
  added_at INTEGER NOT NULL, run_id TEXT NOT NULL, UNIQUE (sha256, listener));
CREATE TABLE quarantine (
  id INTEGER PRIMARY KEY AUTOINCREMENT, sha256 TEXT NOT NULL, file TEXT NOT NULL, line INTEGER NOT NULL,
  field TEXT NOT NULL, reason TEXT NOT NULL, sample TEXT NOT NULL, at INTEGER NOT NULL);
CREATE TABLE runs (
  n INTEGER PRIMARY KEY AUTOINCREMENT, run_id TEXT NOT NULL UNIQUE, trigger TEXT NOT NULL,
  trigger_detail TEXT NOT NULL, state TEXT NOT NULL, started_ms INTEGER NOT NULL,
  finished_ms INTEGER NOT NULL, dataset_id TEXT NOT NULL, model_id TEXT NOT NULL, verdict TEXT NOT NULL,
  error TEXT NOT NULL);
CREATE TABLE stages (
  run_id TEXT NOT NULL REFERENCES runs(run_id) ON DELETE CASCADE, position INTEGER NOT NULL,
  name TEXT NOT NULL, state TEXT NOT NULL, started_ms INTEGER NOT NULL, finished_ms INTEGER NOT NULL,
  detail TEXT NOT NULL, PRIMARY KEY (run_id, position)) WITHOUT ROWID;
CREATE TABLE models (
  n INTEGER PRIMARY KEY AUTOINCREMENT, model_id TEXT NOT NULL UNIQUE, algorithm TEXT NOT NULL,
  dataset_id TEXT NOT NULL, run_id TEXT NOT NULL, manifest TEXT NOT NULL, report TEXT NOT NULL,
  verdict TEXT NOT NULL, approved INTEGER NOT NULL, created_at INTEGER NOT NULL);
CREATE TABLE deployments (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  from_model TEXT NOT NULL, to_model TEXT NOT NULL, reason TEXT NOT NULL, figures TEXT NOT NULL);
CREATE TRIGGER deployments_are_not_changed BEFORE UPDATE ON deployments
  BEGIN SELECT RAISE(ABORT, 'the deployment history is append-only'); END;
CREATE TRIGGER deployments_are_not_removed BEFORE DELETE ON deployments
  BEGIN SELECT RAISE(ABORT, 'the deployment history is append-only'); END;
CREATE TABLE commands (
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, arguments TEXT NOT NULL, actor TEXT NOT NULL,
  state TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE INDEX commands_by_state ON commands(state);
CREATE TABLE alarms (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, severity TEXT NOT NULL, name TEXT NOT NULL,
  message TEXT NOT NULL, run_id TEXT NOT NULL);
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
)sql";

/// kUpgrades[v - 1] makes version v + 1 of version v.
const char* const kUpgrades[] = {
    // Kinds of models; rows of before mean recommenders.
    R"sql(
ALTER TABLE models ADD COLUMN kind TEXT NOT NULL DEFAULT 'recommender';
ALTER TABLE deployments ADD COLUMN kind TEXT NOT NULL DEFAULT 'recommender';
CREATE INDEX deployments_by_kind ON deployments(kind, seq);
)sql",
    kAlarmTables, kDeliverySchema,
    // What players tell of a track, and who told it; tokens and the record of what admins did.
    R"sql(
ALTER TABLE events ADD COLUMN album TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN source_id TEXT NOT NULL DEFAULT '';
ALTER TABLE events ADD COLUMN duration_ms INTEGER NOT NULL DEFAULT 0;
ALTER TABLE events ADD COLUMN ms_played INTEGER NOT NULL DEFAULT -1;
ALTER TABLE events ADD COLUMN source TEXT NOT NULL DEFAULT '';
CREATE TABLE tokens (
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
  listener TEXT NOT NULL, hash TEXT NOT NULL UNIQUE, legacy_md5 TEXT NOT NULL, created_at INTEGER NOT NULL,
  last_used_at INTEGER NOT NULL, revoked_at INTEGER NOT NULL);
CREATE UNIQUE INDEX tokens_by_name ON tokens(name) WHERE revoked_at = 0;
CREATE TABLE audit (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, actor TEXT NOT NULL, action TEXT NOT NULL,
  subject TEXT NOT NULL, outcome TEXT NOT NULL);
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
CREATE TRIGGER audit_is_not_removed BEFORE DELETE ON audit
  BEGIN SELECT RAISE(ABORT, 'the audit is append-only'); END;
)sql",
    kForgottenSchema, kDocumentSchema};

constexpr int64_t kSchemaVersion = std::size(kUpgrades) + 1;

constexpr const char* kObjectColumns =
    "sha256,name,listener,format,tbl,staged_key,status,reason,rows,rejected,bytes,added_at,run_id";
constexpr const char* kRunColumns =
    "run_id,trigger,trigger_detail,state,started_ms,finished_ms,dataset_id,model_id,verdict,error";
constexpr const char* kModelColumns = "model_id,algorithm,dataset_id,run_id,manifest,report,verdict,approved,created_at,kind";
constexpr const char* kCommandColumns = "id,kind,arguments,actor,state,outcome";

std::string RandomId() {
  std::array<unsigned char, 16> bytes{};
  SEGUE_CHECK(RAND_bytes(bytes.data(), static_cast<int>(bytes.size())) == 1);
  static constexpr char kHex[] = "0123456789abcdef";
  std::string id;
  for (const unsigned char byte : bytes) {
    id += kHex[byte >> 4];
    id += kHex[byte & 15];
  }
  return id;
}

ObjectRecord ReadObject(const Statement& row) {
  return {row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4),  row.Text(5), row.Text(6),
          row.Text(7), row.Int(8),  row.Int(9),  row.Int(10), row.Int(11), row.Text(12)};
}

RunRecord ReadRun(const Statement& row) {
  return {row.Text(0), row.Text(1), row.Text(2), row.Text(3), row.Int(4), row.Int(5),
          row.Text(6), row.Text(7), row.Text(8), row.Text(9), {}};
}

/// A kind that only a newer segue knows cannot be here: its files are of a newer version.
ModelKind KindOf(const std::string& name) { return ParseModelKind(name).value_or(ModelKind::kRecommender); }

ModelRecord ReadModel(const Statement& row) {
  return {row.Text(0), row.Text(1), row.Text(2), row.Text(3),     row.Text(4),
          row.Text(5), row.Text(6), row.Int(7) != 0, row.Int(8), KindOf(row.Text(9))};
}

Command ReadCommand(const Statement& row) {
  return {row.Int(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5)};
}

class SqliteCatalog final : public Catalog {
 public:
  Status Open(const std::filesystem::path& file) {
    SEGUE_RETURN_IF_ERROR(writer_.Open(file));
    SEGUE_RETURN_IF_ERROR(Upgrade(file));
    SEGUE_TRY(alarms_, OpenSqliteAlarms(file));
    return reader_.Open(file);
  }

  Result<AppendOutcome> AppendEvents(std::span<const FeedbackEvent> events) override {
    AppendOutcome outcome;
    SEGUE_RETURN_IF_ERROR(Transaction([&]() -> Status {
      Statement insert(writer_.get(),
                       "INSERT OR IGNORE INTO events(event_id,listener,track_id,artist,title,kind,at,value,list_id,"
                       "received_at,album,source_id,duration_ms,ms_played,source) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
      for (const FeedbackEvent& event : events) {
        insert.Bind(event.event_id.empty() ? RandomId() : event.event_id).Bind(event.listener).Bind(event.track_id)
            .Bind(event.artist).Bind(event.title).Bind(event.kind).Bind(event.at).Bind(event.value)
            .Bind(event.list_id).Bind(event.received_at).Bind(event.album).Bind(event.source_id)
            .Bind(event.duration_ms).Bind(event.ms_played).Bind(event.source);
        SEGUE_RETURN_IF_ERROR(insert.Run());
        if (sqlite3_changes(writer_.get()) > 0) {
          ++outcome.accepted;
        } else {
          ++outcome.duplicates;
        }
      }
      Statement last(writer_.get(), kLastSeq);
      SEGUE_TRY(const bool row, last.Step());
      if (row) outcome.last_seq = last.Int(0);
      return {};
    }));
    return outcome;
  }

  Result<std::vector<FeedbackEvent>> EventsAfter(int64_t after, int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kEventColumns + " FROM events WHERE seq>? ORDER BY seq LIMIT ?");
    select.Bind(after).Bind(limit);
    return ReadAll(select, ReadEvent);
  }

  Result<int64_t> LastEventSeq() const override { return Number(kLastSeq); }

  Status PutObject(const ObjectRecord& object) override {
    return Write([&](sqlite3* database) {
      Statement put(database, std::string("INSERT OR REPLACE INTO objects(") + kObjectColumns +
                                  ") VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?)");
      put.Bind(object.sha256).Bind(object.name).Bind(object.listener).Bind(object.format).Bind(object.table)
          .Bind(object.staged_key).Bind(object.status).Bind(object.reason).Bind(object.rows).Bind(object.rejected)
          .Bind(object.bytes).Bind(object.added_at).Bind(object.run_id);
      return put.Run();
    });
  }

  Result<std::optional<ObjectRecord>> FindObject(std::string_view sha256, std::string_view listener) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kObjectColumns + " FROM objects WHERE sha256=? AND listener=?");
    select.Bind(sha256).Bind(listener);
    return ReadFirst(select, ReadObject);
  }

  Result<std::vector<ObjectRecord>> Objects(std::string_view status) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kObjectColumns + " FROM objects WHERE ?1='' OR status=?1 ORDER BY n");
    select.Bind(status);
    return ReadAll(select, ReadObject);
  }

  Status AddQuarantine(std::span<const QuarantineRow> rows) override {
    return Transaction([&]() -> Status {
      Statement insert(writer_.get(), "INSERT INTO quarantine(sha256,file,line,field,reason,sample,at) VALUES (?,?,?,?,?,?,?)");
      for (const QuarantineRow& row : rows) {
        insert.Bind(row.sha256).Bind(row.file).Bind(row.line).Bind(row.field).Bind(row.reason).Bind(row.sample).Bind(row.at);
        SEGUE_RETURN_IF_ERROR(insert.Run());
      }
      return {};
    });
  }

  Result<std::vector<QuarantineRow>> Quarantine(int64_t before, int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(),
                     "SELECT id,sha256,file,line,field,reason,sample,at FROM quarantine WHERE ?1=0 OR id<?1 "
                     "ORDER BY id DESC LIMIT ?2");
    select.Bind(before).Bind(limit);
    return ReadAll<QuarantineRow>(select, [](const Statement& row) {
      return QuarantineRow{row.Int(0), row.Text(1), row.Text(2), row.Int(3), row.Text(4), row.Text(5), row.Text(6), row.Int(7)};
    });
  }

  Result<int64_t> QuarantineCount() const override { return Number("SELECT count(*) FROM quarantine"); }

  Status PutRun(const RunRecord& run) override {
    return Transaction([&]() -> Status {
      Statement put(writer_.get(), std::string("INSERT INTO runs(") + kRunColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?) "
                    "ON CONFLICT(run_id) DO UPDATE SET trigger=excluded.trigger,"
                    "trigger_detail=excluded.trigger_detail,state=excluded.state,started_ms=excluded.started_ms,"
                    "finished_ms=excluded.finished_ms,dataset_id=excluded.dataset_id,model_id=excluded.model_id,"
                    "verdict=excluded.verdict,error=excluded.error");
      put.Bind(run.run_id).Bind(run.trigger).Bind(run.trigger_detail).Bind(run.state).Bind(run.started_ms)
          .Bind(run.finished_ms).Bind(run.dataset_id).Bind(run.model_id).Bind(run.verdict).Bind(run.error);
      SEGUE_RETURN_IF_ERROR(put.Run());
      Statement clear(writer_.get(), "DELETE FROM stages WHERE run_id=?");
      SEGUE_RETURN_IF_ERROR(clear.Bind(run.run_id).Run());
      Statement insert(writer_.get(), "INSERT INTO stages(run_id,position,name,state,started_ms,finished_ms,detail) VALUES (?,?,?,?,?,?,?)");
      for (size_t i = 0; i < run.stages.size(); ++i) {
        const StageRecord& stage = run.stages[i];
        insert.Bind(run.run_id).Bind(static_cast<int64_t>(i)).Bind(stage.name).Bind(stage.state).Bind(stage.started_ms)
            .Bind(stage.finished_ms).Bind(stage.detail);
        SEGUE_RETURN_IF_ERROR(insert.Run());
      }
      return {};
    });
  }

  Result<std::optional<RunRecord>> FindRun(std::string_view run_id) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kRunColumns + " FROM runs WHERE run_id=?");
    select.Bind(run_id);
    SEGUE_TRY(auto run, ReadFirst(select, ReadRun));
    if (run) SEGUE_RETURN_IF_ERROR(AddStages(*run));
    return run;
  }

  Result<std::vector<RunRecord>> Runs(int64_t offset, int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kRunColumns + " FROM runs ORDER BY n DESC LIMIT ? OFFSET ?");
    select.Bind(limit).Bind(offset);
    SEGUE_TRY(auto runs, ReadAll(select, ReadRun));
    for (RunRecord& run : runs) SEGUE_RETURN_IF_ERROR(AddStages(run));
    return runs;
  }

  Result<std::map<std::string, int64_t>> RunsByState() const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), "SELECT state,count(*) FROM runs GROUP BY state");
    return ReadCounts(select);
  }

  Status PutModel(const ModelRecord& model) override {
    return Write([&](sqlite3* database) {
      Statement put(database, std::string("INSERT INTO models(") + kModelColumns + ") VALUES (?,?,?,?,?,?,?,?,?,?) "
                    "ON CONFLICT(model_id) DO UPDATE SET algorithm=excluded.algorithm,dataset_id=excluded.dataset_id,"
                    "run_id=excluded.run_id,manifest=excluded.manifest,report=excluded.report,"
                    "verdict=excluded.verdict,approved=excluded.approved,created_at=excluded.created_at,kind=excluded.kind");
      put.Bind(model.model_id).Bind(model.algorithm).Bind(model.dataset_id).Bind(model.run_id).Bind(model.manifest)
          .Bind(model.report).Bind(model.verdict).Bind(int64_t{model.approved}).Bind(model.created_at).Bind(Name(model.kind));
      return put.Run();
    });
  }

  Result<std::optional<ModelRecord>> FindModel(std::string_view model_id) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kModelColumns + " FROM models WHERE model_id=?");
    select.Bind(model_id);
    return ReadFirst(select, ReadModel);
  }

  Result<std::vector<ModelRecord>> Models(int64_t offset, int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kModelColumns + " FROM models ORDER BY n DESC LIMIT ? OFFSET ?");
    select.Bind(limit).Bind(offset);
    return ReadAll(select, ReadModel);
  }

  Status Deploy(const DeploymentRecord& deployment) override {
    return Transaction([&] { return InsertDeployment(writer_.get(), deployment); });
  }

  Result<std::optional<DeploymentRecord>> Live(ModelKind kind) const override {
    const std::lock_guard lock(reader_mutex_);
    return LiveDeployment(reader_.get(), kind);
  }

  Result<std::optional<DeploymentRecord>> Trial(ModelKind kind) const override {
    const std::lock_guard lock(reader_mutex_);
    return TrialDeployment(reader_.get(), kind);
  }

  Result<std::vector<DeploymentRecord>> Deployments(int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    return ReadDeployments(reader_.get(), limit);
  }

  Status PutAlias(const AliasRecord& alias) override {
    return Write([&](sqlite3* database) { return WriteAlias(database, alias); });
  }

  Status RemoveAlias(std::string_view name) override {
    return Write([&](sqlite3* database) { return DeleteAlias(database, name); });
  }

  Result<std::vector<AliasRecord>> Aliases() const override {
    const std::lock_guard lock(reader_mutex_);
    return ReadAliases(reader_.get());
  }

  Status AppendImpressions(std::span<const Impression> impressions) override {
    return Transaction([&] { return InsertImpressions(writer_.get(), impressions); });
  }

  Result<std::vector<Impression>> ImpressionsAfter(int64_t after, int64_t limit) const override {
    const std::lock_guard lock(reader_mutex_);
    return ReadImpressions(reader_.get(), after, limit);
  }

  // The sequence goes on from here also where all rows were pruned.
  Result<int64_t> LastImpressionSeq() const override {
    return Number("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name='impressions'),0)");
  }

  Result<std::optional<Impression>> FindImpression(std::string_view list_id) const override {
    const std::lock_guard lock(reader_mutex_);
    return ReadImpression(reader_.get(), list_id);
  }

  Status PruneImpressions(int64_t through, int64_t before_ms) override {
    return Write([&](sqlite3* database) {
      return Statement(database, "DELETE FROM impressions WHERE seq<=? AND at_ms<?").Bind(through).Bind(before_ms).Run();
    });
  }

  Result<int64_t> AddCommand(const Command& command) override {
    int64_t id = 0;
    SEGUE_RETURN_IF_ERROR(Write([&](sqlite3* database) -> Status {
      Statement insert(database, "INSERT INTO commands(kind,arguments,actor,state,outcome) VALUES (?,?,?,'pending','')");
      SEGUE_RETURN_IF_ERROR(insert.Bind(command.kind).Bind(command.arguments).Bind(command.actor).Run());
      id = sqlite3_last_insert_rowid(database);
      return {};
    }));
    return id;
  }

  Result<std::vector<Command>> PendingCommands() const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kCommandColumns + " FROM commands WHERE state='pending' ORDER BY id");
    return ReadAll(select, ReadCommand);
  }

  Result<std::optional<Command>> FindCommand(int64_t id) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), std::string("SELECT ") + kCommandColumns + " FROM commands WHERE id=?");
    select.Bind(id);
    return ReadFirst(select, ReadCommand);
  }

  Status FinishCommand(int64_t id, std::string_view state, std::string_view outcome) override {
    return Write([&](sqlite3* database) {
      return Statement(database, "UPDATE commands SET state=?,outcome=? WHERE id=?").Bind(state).Bind(outcome).Bind(id).Run();
    });
  }

  Status AddAlarm(const AlarmRecord& alarm) override {
    const auto opened = alarms_->OpenAlarm(alarm, alarm.at * 1000);
    return opened.ok() ? Status() : Status(opened.error());
  }

  Result<std::vector<AlarmRecord>> Alarms(int64_t limit) const override {
    SEGUE_TRY(auto alarms, alarms_->ListAlarms({.limit = limit}));
    std::erase_if(alarms, [](const AlarmRecord& alarm) { return alarm.state == kAlarmPending; });
    return alarms;
  }

  AlarmBook& alarm_book() const override { return *alarms_; }
  AccessRecords& access() override { return access_; }
  ListenerRecords& listeners() override { return listeners_; }
  Documents& documents() override { return documents_; }

  Result<std::string> Meta(std::string_view name) const override {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), "SELECT value FROM meta WHERE name=?");
    select.Bind(name);
    SEGUE_TRY(const bool found, select.Step());
    return found ? select.Text(0) : std::string();
  }

  Status SetMeta(std::string_view name, std::string_view value) override {
    return Write([&](sqlite3* database) {
      return Statement(database, "INSERT OR REPLACE INTO meta(name,value) VALUES (?,?)").Bind(name).Bind(value).Run();
    });
  }

 private:
  Status Upgrade(const std::filesystem::path& file) {
    return Transaction([&]() -> Status {
      Statement version(writer_.get(), "PRAGMA user_version");
      SEGUE_TRY(const bool row, version.Step());
      const int64_t found = row ? version.Int(0) : 0;
      if (found > kSchemaVersion) {
        return Error{ErrorCode::kCorrupt, "catalog " + file.string() + " is of version " + std::to_string(found) +
                                              ", this segue knows versions up to " + std::to_string(kSchemaVersion) +
                                              ": use the newer segue"};
      }
      if (found == 0) SEGUE_RETURN_IF_ERROR(writer_.Run(kSchema));
      for (int64_t from = std::max<int64_t>(found, 1); from < kSchemaVersion; ++from) {
        SEGUE_RETURN_IF_ERROR(writer_.Run(kUpgrades[from - 1]));
      }
      return found == kSchemaVersion ? Status() : writer_.Run("PRAGMA user_version = " + std::to_string(kSchemaVersion));
    });
  }

  /// All or nothing, durable at the end.
  template <typename Body>
  Status Transaction(const Body& body) {
    const std::lock_guard lock(writer_mutex_);
    return InTransaction(writer_, body);
  }

  /// One statement is a transaction of its own.
  template <typename Body>
  Status Write(const Body& body) {
    const std::lock_guard lock(writer_mutex_);
    return body(writer_.get());
  }

  Result<int64_t> Number(std::string_view sql) const {
    const std::lock_guard lock(reader_mutex_);
    Statement select(reader_.get(), sql);
    SEGUE_TRY(const bool row, select.Step());
    return row ? select.Int(0) : 0;
  }

  Status AddStages(RunRecord& run) const {
    Statement select(reader_.get(), "SELECT name,state,started_ms,finished_ms,detail FROM stages WHERE run_id=? ORDER BY position");
    select.Bind(run.run_id);
    SEGUE_TRY(run.stages, ReadAll<StageRecord>(select, [](const Statement& row) {
                return StageRecord{row.Text(0), row.Text(1), row.Int(2), row.Int(3), row.Text(4)};
              }));
    return {};
  }

  // In WAL mode the reader never waits for the writer.
  std::mutex writer_mutex_;
  SqliteConnection writer_;
  mutable std::mutex reader_mutex_;
  SqliteConnection reader_;
  std::unique_ptr<AlarmBook> alarms_;
  SqliteAccess access_{writer_mutex_, writer_, reader_mutex_, reader_};
  SqliteDocuments documents_{writer_mutex_, writer_, reader_mutex_, reader_};
  SqliteListeners listeners_{writer_mutex_, writer_, reader_mutex_, reader_};
};

}  // namespace

Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::filesystem::path& file) {
  auto catalog = std::make_unique<SqliteCatalog>();
  SEGUE_RETURN_IF_ERROR(catalog->Open(file));
  return std::unique_ptr<Catalog>(std::move(catalog));
}

}  // namespace segue::store
