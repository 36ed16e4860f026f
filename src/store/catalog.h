#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/model_kind.h"
#include "core/result.h"
#include "store/access.h"
#include "store/alarms.h"
#include "store/documents.h"
#include "store/listeners.h"

namespace segue::store {

/// A FeedbackEvent of this kind takes back the play of its listener, track and
/// time: who deletes a listen does not want it to count.
inline constexpr std::string_view kTakenBack = "taken_back";

/// One piece of feedback as it was acknowledged.
struct FeedbackEvent {
  int64_t seq = 0;        ///< set by the catalog: 1, 2, 3...
  std::string event_id;   ///< unique; the catalog makes one where it is empty
  std::string listener;
  std::string track_id;   ///< ours; set even where artist and title were given
  std::string artist;     ///< "" where the track was named by id
  std::string title;
  std::string kind;       ///< Name(EventKind), or kTakenBack
  int64_t at = 0;         ///< Unix seconds
  double value = 1;
  std::string list_id;    ///< the recommendation list it answers; "" none
  int64_t received_at = 0;
  std::string album;      ///< "" unknown
  std::string source_id;  ///< the track's id elsewhere, as in core/staged.h: "mbid:...", "isrc:..."; "" none
  int64_t duration_ms = 0; ///< the track's; 0 unknown
  int64_t ms_played = -1; ///< -1 unknown
  std::string source;     ///< who told: "api", "listenbrainz", ...; "" before that was kept
};

struct AppendOutcome {
  int64_t accepted = 0;
  int64_t duplicates = 0;  ///< event_id was there already
  int64_t last_seq = 0;
};

/// An input that has been looked at: one file, or one member of an archive.
struct ObjectRecord {
  std::string sha256;      ///< of the (unpacked) bytes
  std::string name;        ///< where it lay in the inbox, "a.zip!b.json" for members
  std::string listener;    ///< "" where the file names its own
  std::string format;      ///< "spotify_account", ...
  std::string table;       ///< "listens", "tracks", "tag_names", "taggings"; "" none
  std::string staged_key;  ///< bucket key of the staged Parquet; "" none
  std::string status;      ///< "accepted", "set_aside" (known, not music) or "quarantined"
  std::string reason;      ///< why quarantined; or a warning
  int64_t rows = 0;        ///< rows staged
  int64_t rejected = 0;    ///< rows that could not be read
  int64_t bytes = 0;
  int64_t added_at = 0;    ///< Unix seconds
  std::string run_id;
};

/// A rejected row or (line 0) a rejected file.
struct QuarantineRow {
  int64_t id = 0;
  std::string sha256;
  std::string file;
  int64_t line = 0;
  std::string field;       ///< "" where the whole row or file is meant
  std::string reason;
  std::string sample;      ///< the start of the text, at most 200 bytes
  int64_t at = 0;
};

struct StageRecord {
  std::string name;        ///< "ingest", "clean", ...
  std::string state;       ///< "waiting", "running", "done", "failed", "skipped"
  int64_t started_ms = 0;
  int64_t finished_ms = 0;
  std::string detail;      ///< a JSON object: what it did, in figures
};

struct RunRecord {
  std::string run_id;
  std::string trigger;     ///< as pipeline::Trigger::kind: "inbox", "schedule", "person", ...
  std::string trigger_detail;
  std::string state;       ///< "running", "approved", "refused", "nothing_new", "dry_run", "failed", "interrupted"
  int64_t started_ms = 0;
  int64_t finished_ms = 0;
  std::string dataset_id;
  std::string model_id;    ///< the challenger
  std::string verdict;     ///< JSON {"approved","reason","checks":[...]}; "" before the gate
  std::string error;       ///< why it failed
  std::vector<StageRecord> stages;
};

struct ModelRecord {
  std::string model_id;
  std::string algorithm;
  std::string dataset_id;
  std::string run_id;
  std::string manifest;    ///< JSON
  std::string report;      ///< JSON summary of figures
  std::string verdict;     ///< JSON as in RunRecord; "" not judged
  bool approved = false;
  int64_t created_at = 0;
  ModelKind kind = ModelKind::kRecommender;
};

/// A step of the deployment history. "promote" and "rollback" move the live
/// pointer from from_model to to_model. "shadow" and "canary" start to try
/// to_model beside from_model, which stays live; "withdraw" ends that for
/// from_model, and to_model stays live. The next step of that kind, whatever it
/// is, ends a trial.
struct DeploymentRecord {
  int64_t seq = 0;         ///< set by the catalog; given to Deploy, the step that has to be the kind's newest
  int64_t at = 0;
  std::string actor;       ///< "pipeline", "api", "cli"
  std::string action;      ///< "promote", "rollback", "shadow", "canary", "withdraw"
  std::string from_model;  ///< "" none
  std::string to_model;
  std::string reason;
  std::string figures;     ///< JSON
  ModelKind kind = ModelKind::kRecommender;
};

/// A list as a listener was shown it, or (arm "shadow") would have been.
struct Impression {
  int64_t seq = 0;         ///< set by the catalog: ascending, with gaps where pruned
  std::string list_id;
  std::string listener;
  std::string model_id;
  std::string arm;         ///< Name(Arm)
  std::string mode;        ///< "discovery", "next"
  int64_t at_ms = 0;       ///< Unix milliseconds
  int64_t made_us = 0;     ///< microseconds to make it; 0: kept from before
  std::string error;       ///< why the model could not make it; "" it could
  std::vector<std::string> tracks;  ///< ids, in the order shown
};

/// A name that a person gave a model.
struct AliasRecord {
  std::string name;
  std::string model_id;
  int64_t at = 0;
  std::string actor;
};

/// What serve/ or cli/ asks the pipeline to do, followed there.
struct Command {
  int64_t id = 0;
  std::string kind;        ///< "run", "promote", "rollback", "notification"
  std::string arguments;   ///< JSON
  std::string actor;
  std::string state;       ///< "pending", "done", "failed"
  std::string outcome;     ///< JSON; on failure {"code","message"}
};

/// What changes: events, processed objects, runs, models, deployments,
/// commands, alarms. Every writing call is durable when it returns, and is one
/// transaction: after a failure nothing of it is there. Thread-safe; several
/// processes may have it open.
class Catalog {
 public:
  virtual ~Catalog() = default;

  virtual Result<AppendOutcome> AppendEvents(std::span<const FeedbackEvent> events) = 0;
  /// Events with seq > after, ascending, at most `limit`.
  virtual Result<std::vector<FeedbackEvent>> EventsAfter(int64_t after, int64_t limit) const = 0;
  /// The number that the newest event got; it may have been removed since.
  virtual Result<int64_t> LastEventSeq() const = 0;

  /// Inserts or, for the same sha256 and listener, replaces.
  virtual Status PutObject(const ObjectRecord& object) = 0;
  virtual Result<std::optional<ObjectRecord>> FindObject(std::string_view sha256,
                                                         std::string_view listener) const = 0;
  /// All with that status ("" all), by added order.
  virtual Result<std::vector<ObjectRecord>> Objects(std::string_view status) const = 0;

  virtual Status AddQuarantine(std::span<const QuarantineRow> rows) = 0;
  /// Newest first; `before` 0 from the newest, else ids below it.
  virtual Result<std::vector<QuarantineRow>> Quarantine(int64_t before, int64_t limit) const = 0;
  virtual Result<int64_t> QuarantineCount() const = 0;

  /// Inserts or replaces the run with its stages.
  virtual Status PutRun(const RunRecord& run) = 0;
  virtual Result<std::optional<RunRecord>> FindRun(std::string_view run_id) const = 0;
  /// Newest first.
  virtual Result<std::vector<RunRecord>> Runs(int64_t offset, int64_t limit) const = 0;
  virtual Result<std::map<std::string, int64_t>> RunsByState() const = 0;

  virtual Status PutModel(const ModelRecord& model) = 0;
  virtual Result<std::optional<ModelRecord>> FindModel(std::string_view model_id) const = 0;
  /// Of every kind, newest first.
  virtual Result<std::vector<ModelRecord>> Models(int64_t offset, int64_t limit) const = 0;

  /// Appends to the deployment history, and so moves what it says, in one
  /// transaction. kConflict where the live model of that kind is no longer
  /// `from_model` (of a withdrawal: the model that is tried), or `seq` is given
  /// and another step is the newest of that kind.
  virtual Status Deploy(const DeploymentRecord& deployment) = 0;
  /// The newest promotion or rollback of a kind: its to_model is live. Empty before the first.
  virtual Result<std::optional<DeploymentRecord>> Live(ModelKind kind = ModelKind::kRecommender) const = 0;
  /// The shadow or canary of a kind that is going on: the kind's newest step, if it is one.
  virtual Result<std::optional<DeploymentRecord>> Trial(ModelKind kind = ModelKind::kRecommender) const = 0;
  /// Of every kind, newest first.
  virtual Result<std::vector<DeploymentRecord>> Deployments(int64_t limit) const = 0;

  /// Inserts or moves.
  virtual Status PutAlias(const AliasRecord& alias) = 0;
  /// kNotFound where there is none of that name.
  virtual Status RemoveAlias(std::string_view name) = 0;
  /// By name.
  virtual Result<std::vector<AliasRecord>> Aliases() const = 0;

  virtual Status AppendImpressions(std::span<const Impression> impressions) = 0;
  /// With seq > after, ascending, at most `limit`.
  virtual Result<std::vector<Impression>> ImpressionsAfter(int64_t after, int64_t limit) const = 0;
  virtual Result<int64_t> LastImpressionSeq() const = 0;
  virtual Result<std::optional<Impression>> FindImpression(std::string_view list_id) const = 0;
  /// Removes those with seq <= through that are older than that.
  virtual Status PruneImpressions(int64_t through, int64_t before_ms) = 0;

  virtual Result<int64_t> AddCommand(const Command& command) = 0;
  virtual Result<std::vector<Command>> PendingCommands() const = 0;
  virtual Result<std::optional<Command>> FindCommand(int64_t id) const = 0;
  virtual Status FinishCommand(int64_t id, std::string_view state, std::string_view outcome) = 0;

  /// An event's alarm: it fires at once. Rules' alarms go through alarm_book().
  virtual Status AddAlarm(const AlarmRecord& alarm) = 0;
  /// Those that have fired, newest first.
  virtual Result<std::vector<AlarmRecord>> Alarms(int64_t limit) const = 0;
  virtual AlarmBook& alarm_book() const = 0;

  /// Tokens and the record of what admins did; borrowed, as long as the catalog.
  virtual AccessRecords& access() = 0;
  /// What there is of single listeners, and who was forgotten; borrowed likewise.
  virtual ListenerRecords& listeners() = 0;
  /// What clients keep with us; borrowed likewise.
  virtual Documents& documents() = 0;

  /// Small values by name ("flushed_seq"); "" where unset.
  virtual Result<std::string> Meta(std::string_view name) const = 0;
  virtual Status SetMeta(std::string_view name, std::string_view value) = 0;
};

/// SQLite in WAL mode, synchronous=FULL. Creates or upgrades the file; a file
/// of a newer version is refused with kCorrupt.
Result<std::unique_ptr<Catalog>> OpenSqliteCatalog(const std::filesystem::path& file);

}  // namespace segue::store
