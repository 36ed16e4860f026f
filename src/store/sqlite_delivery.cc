#include "store/sqlite_delivery.h"

#include <sqlite3.h>

#include <algorithm>
#include <string>
#include <utility>

#include "store/sqlite.h"

namespace segue::store {

// Lists are looked up by id for as long as they are here; all else walks by seq.
const char* const kDeliverySchema = R"sql(
CREATE TABLE aliases (
  name TEXT PRIMARY KEY, model_id TEXT NOT NULL, at INTEGER NOT NULL, actor TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE impressions (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, list_id TEXT NOT NULL, listener TEXT NOT NULL, model_id TEXT NOT NULL,
  arm TEXT NOT NULL, mode TEXT NOT NULL, at_ms INTEGER NOT NULL, made_us INTEGER NOT NULL, error TEXT NOT NULL,
  tracks TEXT NOT NULL);
CREATE INDEX impressions_by_list ON impressions(list_id);
)sql";

namespace {

constexpr const char* kImpressionColumns = "seq,list_id,listener,model_id,arm,mode,at_ms,made_us,error,tracks";

/// Ids of tracks are ours and have no blanks.
std::string Joined(const std::vector<std::string>& tracks) {
  std::string text;
  for (const std::string& track : tracks) text += (text.empty() ? "" : " ") + track;
  return text;
}

std::vector<std::string> Parted(const std::string& text) {
  std::vector<std::string> tracks;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(' ', start), text.size());
    tracks.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return tracks;
}

Impression ReadRow(const Statement& row) {
  return {row.Int(0), row.Text(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Int(6), row.Int(7), row.Text(8), Parted(row.Text(9))};
}

constexpr const char* kDeploymentColumns = "seq,at,actor,action,from_model,to_model,reason,figures,kind";

/// A kind that only a newer segue knows cannot be here: its files are of a newer version.
DeploymentRecord ReadDeployment(const Statement& row) {
  return {row.Int(0), row.Int(1), row.Text(2), row.Text(3), row.Text(4), row.Text(5), row.Text(6), row.Text(7),
          ParseModelKind(row.Text(8)).value_or(ModelKind::kRecommender)};
}

constexpr const char* kMovesLive = " AND action IN ('promote','rollback')";

/// The newest step of a kind; `which` narrows it down.
Result<std::optional<DeploymentRecord>> Newest(sqlite3* database, ModelKind kind, const char* which) {
  Statement select(database, std::string("SELECT ") + kDeploymentColumns + " FROM deployments WHERE kind=?" + which + " ORDER BY seq DESC LIMIT 1");
  select.Bind(Name(kind));
  return ReadFirst(select, ReadDeployment);
}

bool IsTrial(const DeploymentRecord& step) { return step.action == "shadow" || step.action == "canary"; }

/// May this step follow those?
Status CheckStep(const DeploymentRecord& step, const std::optional<DeploymentRecord>& live, const std::optional<DeploymentRecord>& newest) {
  const std::string is_live = live ? live->to_model : "";
  if (step.action == "withdraw") {
    const bool tried = newest && IsTrial(*newest) && newest->to_model == step.from_model;
    if (!tried || is_live != step.to_model) {
      return Error{ErrorCode::kConflict, "model '" + step.from_model + "' is not tried any more: somebody else deployed meanwhile"};
    }
  } else if (is_live != step.from_model) {
    return Error{ErrorCode::kConflict, "the live model is '" + is_live + "', not '" + step.from_model + "' any more: somebody else deployed meanwhile"};
  }
  if (step.seq != 0 && (!newest || newest->seq != step.seq)) {
    return Error{ErrorCode::kConflict, "deployment " + std::to_string(step.seq) + " is not the newest any more: somebody else deployed meanwhile"};
  }
  return {};
}

}  // namespace

Status InsertDeployment(sqlite3* database, const DeploymentRecord& deployment) {
  SEGUE_TRY(const auto live, Newest(database, deployment.kind, kMovesLive));
  SEGUE_TRY(const auto newest, Newest(database, deployment.kind, ""));
  SEGUE_RETURN_IF_ERROR(CheckStep(deployment, live, newest));
  Statement insert(database, "INSERT INTO deployments(at,actor,action,from_model,to_model,reason,figures,kind) VALUES (?,?,?,?,?,?,?,?)");
  return insert.Bind(deployment.at).Bind(deployment.actor).Bind(deployment.action).Bind(deployment.from_model)
      .Bind(deployment.to_model).Bind(deployment.reason).Bind(deployment.figures).Bind(Name(deployment.kind)).Run();
}

Result<std::optional<DeploymentRecord>> LiveDeployment(sqlite3* database, ModelKind kind) { return Newest(database, kind, kMovesLive); }

Result<std::optional<DeploymentRecord>> TrialDeployment(sqlite3* database, ModelKind kind) {
  SEGUE_TRY(auto newest, Newest(database, kind, ""));
  return newest && IsTrial(*newest) ? std::move(newest) : std::nullopt;
}

Result<std::vector<DeploymentRecord>> ReadDeployments(sqlite3* database, int64_t limit) {
  Statement select(database, std::string("SELECT ") + kDeploymentColumns + " FROM deployments ORDER BY seq DESC LIMIT ?");
  select.Bind(limit);
  return ReadAll(select, ReadDeployment);
}

Status WriteAlias(sqlite3* database, const AliasRecord& alias) {
  return Statement(database, "INSERT OR REPLACE INTO aliases(name,model_id,at,actor) VALUES (?,?,?,?)")
      .Bind(alias.name).Bind(alias.model_id).Bind(alias.at).Bind(alias.actor).Run();
}

Status DeleteAlias(sqlite3* database, std::string_view name) {
  SEGUE_RETURN_IF_ERROR(Statement(database, "DELETE FROM aliases WHERE name=?").Bind(name).Run());
  if (sqlite3_changes(database) == 0) return Error{ErrorCode::kNotFound, "there is no alias '" + std::string(name) + "'"};
  return {};
}

Result<std::vector<AliasRecord>> ReadAliases(sqlite3* database) {
  Statement select(database, "SELECT name,model_id,at,actor FROM aliases ORDER BY name");
  return ReadAll<AliasRecord>(select, [](const Statement& row) {
    return AliasRecord{row.Text(0), row.Text(1), row.Int(2), row.Text(3)};
  });
}

Status InsertImpressions(sqlite3* database, std::span<const Impression> impressions) {
  Statement insert(database, "INSERT INTO impressions(list_id,listener,model_id,arm,mode,at_ms,made_us,error,tracks) "
                             "VALUES (?,?,?,?,?,?,?,?,?)");
  for (const Impression& impression : impressions) {
    insert.Bind(impression.list_id).Bind(impression.listener).Bind(impression.model_id).Bind(impression.arm)
        .Bind(impression.mode).Bind(impression.at_ms).Bind(impression.made_us).Bind(impression.error).Bind(Joined(impression.tracks));
    SEGUE_RETURN_IF_ERROR(insert.Run());
  }
  return {};
}

Result<std::vector<Impression>> ReadImpressions(sqlite3* database, int64_t after, int64_t limit) {
  Statement select(database, std::string("SELECT ") + kImpressionColumns + " FROM impressions WHERE seq>? ORDER BY seq LIMIT ?");
  select.Bind(after).Bind(limit);
  return ReadAll(select, ReadRow);
}

Result<std::vector<Impression>> ReadImpressionsOf(sqlite3* database, std::string_view listener, int64_t after, int64_t limit) {
  Statement select(database, std::string("SELECT ") + kImpressionColumns + " FROM impressions WHERE seq>? AND listener=? ORDER BY seq LIMIT ?");
  select.Bind(after).Bind(listener).Bind(limit);
  return ReadAll(select, ReadRow);
}

Result<std::optional<Impression>> ReadImpression(sqlite3* database, std::string_view list_id) {
  Statement select(database, std::string("SELECT ") + kImpressionColumns + " FROM impressions WHERE list_id=?");
  select.Bind(list_id);
  return ReadFirst(select, ReadRow);
}

}  // namespace segue::store
