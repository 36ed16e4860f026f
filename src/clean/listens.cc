#include "clean/listens.h"

#include <set>

#include "clean/rules.h"
#include "core/identity.h"
#include "core/staged.h"
#include "store/duck.h"

namespace segue::clean {
namespace {

std::string Number(std::string_view rule) { return std::to_string(RuleNumber("listens", rule)); }

bool HasListens(const Input& input) { return input.table == "listens" || input.table == "events"; }

Status AppendFiles(Workshop& work, const Inputs& inputs) {
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE listed(file BIGINT, content_rank BIGINT, path VARCHAR, name VARCHAR, sha256 VARCHAR, "
      "listener VARCHAR, tbl VARCHAR, latest BIGINT, came_in BIGINT)"));
  SEGUE_TRY(auto rows, work.duck().Append("listed"));
  for (const Input& input : inputs.list) {
    rows->Int(input.file);
    rows->Int(input.content_rank);
    rows->Text(input.path);
    rows->Text(input.name);
    rows->Text(input.sha256);
    rows->Text(input.listener);
    rows->Text(input.table);
    rows->Int(input.latest);
    rows->Int(input.came_in);
    SEGUE_RETURN_IF_ERROR(rows->EndRow());
  }
  return rows->Close();
}

Status AppendForgotten(Workshop& work, const Inputs& inputs) {
  SEGUE_RETURN_IF_ERROR(work.Run("CREATE TABLE forgotten_listeners(listener VARCHAR, forgotten_at BIGINT, through_seq BIGINT)"));
  SEGUE_TRY(auto rows, work.duck().Append("forgotten_listeners"));
  for (const store::ForgottenListener& one : inputs.forgotten) {
    rows->Text(ToUtf8(one.listener));
    rows->Int(one.at);
    rows->Int(one.through_seq);
    SEGUE_RETURN_IF_ERROR(rows->EndRow());
  }
  return rows->Close();
}

/// One SELECT a kind of object: feedback knows when each event was received, and
/// may know how long its track is.
std::string StagedColumns(std::string_view received_at, std::string_view duration_ms) {
  return "SELECT filename, file_row_number, line, listener, source_id, name_key, artist, title, album, \"at\", "
         "at_precision, kind, value, ms_played, text, event_id, " +
         std::string(received_at) + " AS received_at, " + std::string(duration_ms) + " AS duration_ms FROM ";
}

std::string AllStagedSql(const Inputs& inputs) {
  std::string sql;
  if (const std::string files = ReadStagedSql(inputs, "listens"); !files.empty()) {
    sql = StagedColumns("NULL::BIGINT", "NULL::BIGINT") + files;
  }
  if (const std::string events = ReadStagedSql(inputs, "events"); !events.empty()) {
    if (!sql.empty()) sql += " UNION ALL ";
    // Objects of before durations were kept have no such column.
    sql += StagedColumns("received_at", "duration_ms") + "(FROM " + events + " UNION ALL BY NAME FROM no_durations)";
  }
  if (sql.empty()) {
    sql = StagedColumns("NULL::BIGINT", "NULL::BIGINT") + "(SELECT *, '' AS filename, 0::BIGINT AS file_row_number FROM no_listens)";
  }
  return sql;
}

/// The whole row as `rejected.parquet` shows it.
constexpr std::string_view kSample =
    "left(concat_ws(' | ', listener, artist, title, source_id, kind, \"at\", ms_played, value), 200)";

}  // namespace

std::string ReadStagedSql(const Inputs& inputs, std::string_view table) {
  std::string paths;
  // The same object may be taken in for two listeners; it is read once and
  // joined to both.
  std::set<std::string_view> listed;
  for (const Input& input : inputs.list) {
    if (input.table != table || !listed.insert(input.path).second) continue;
    paths += (paths.empty() ? "" : ", ") + store::Quoted(input.path);
  }
  if (paths.empty()) return {};
  // Feedback is written as it comes, by one version of the program after another.
  const std::string by_name = table == "events" ? ", union_by_name = true" : "";
  return "read_parquet([" + paths + "], filename = true, file_row_number = true" + by_name + ")";
}

Status OpenListens(Workshop& work, const Inputs& inputs) {
  SEGUE_RETURN_IF_ERROR(AppendFiles(work, inputs));
  SEGUE_RETURN_IF_ERROR(AppendForgotten(work, inputs));
  SEGUE_RETURN_IF_ERROR(work.Run("CREATE TABLE no_listens(" + std::string(kStagedListens) + ")"));
  SEGUE_RETURN_IF_ERROR(work.Run("CREATE TABLE no_durations(duration_ms BIGINT)"));
  SEGUE_RETURN_IF_ERROR(work.Run("CREATE VIEW staged AS " + AllStagedSql(inputs)));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE files AS SELECT l.*, coalesce(t.has_time, false) AS has_time, false AS left_out FROM listed l "
      "LEFT JOIN (SELECT filename, count(\"at\") > 0 AS has_time FROM staged GROUP BY filename) t ON t.filename = l.path"));
  // 'Unknown Artist' would join tracks that have nothing in common.
  const std::string known = "coalesce(lower(trim(p.artist)), '') <> 'unknown artist'";
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE VIEW told_listens AS SELECT f.file, f.tbl, f.came_in, f.name, f.sha256, f.has_time, f.left_out, "
      "coalesce(p.received_at + 86400, f.latest) AS latest, p.file_row_number AS nr, p.line, "
      "CASE WHEN f.listener <> '' THEN f.listener ELSE p.listener END AS listener, "
      "nullif(p.source_id, '') AS source_id, "
      "CASE WHEN " + known + " THEN nullif(p.name_key, '') END AS name_key, p.artist, p.title, p.album, p.\"at\", "
      "p.at_precision, p.kind, p.value, p.ms_played, p.text, p.event_id, p.duration_ms "
      "FROM staged p JOIN files f ON f.path = p.filename"));
  // The line of feedback is the number that it got; see store/listeners.h.
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE VIEW named_listens AS SELECT t.* EXCLUDE (tbl, came_in), " +
      std::string(inputs.forgotten.empty()
                      ? "false AS forgotten FROM told_listens t"
                      : "g.listener IS NOT NULL AND CASE WHEN t.tbl = 'events' THEN t.line <= g.through_seq ELSE t.came_in <= g.forgotten_at OR "
                        "coalesce(t.\"at\" < g.forgotten_at, false) END AS forgotten FROM told_listens t LEFT JOIN forgotten_listeners g ON "
                        "g.listener = t.listener")));
  return work.Run("CREATE VIEW judged_listens AS SELECT *, " + FirstRuleSql("listens") +
                  " AS rule FROM named_listens");
}

Status JudgeListens(Workshop& work, Inputs& inputs) {
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE tally_listens AS SELECT file, rule, count(*) AS n FROM judged_listens GROUP BY file, rule"));
  for (Input& input : inputs.list) {
    if (HasListens(input)) input.rows = 0;
  }
  return work.duck().Query("SELECT file, sum(n)::BIGINT FROM tally_listens GROUP BY file",
                           [&](const store::DuckChunk& chunk) {
                             for (uint64_t i = 0; i < chunk.rows(); ++i) {
                               inputs.list[static_cast<size_t>(chunk.Int(0, i))].rows = chunk.Int(1, i);
                             }
                           });
}

Status CollectListenNames(Workshop& work) {
  return work.Run(
      "CREATE TABLE listen_names AS SELECT source_id, name_key, artist, title, album, duration_ms, count(*) AS n "
      "FROM (SELECT source_id, name_key, CASE WHEN name_key IS NOT NULL OR lower(trim(artist)) <> 'unknown artist' "
      "THEN nullif(trim(artist), '') END AS artist, CASE WHEN name_key IS NOT NULL OR coalesce(lower(trim(artist)), '') "
      "<> 'unknown artist' THEN nullif(trim(title), '') END AS title, nullif(trim(album), '') AS album, duration_ms "
      "FROM judged_listens WHERE rule IS NULL AND NOT left_out) GROUP BY ALL");
}

Status MarkListens(Workshop& work, int64_t skip_below_ms) {
  // As ENUMs a row is a few numbers, which sort as their texts do. An ENUM has
  // at least one value: the empty text, which names nobody.
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TYPE event_kind AS ENUM ('dislike', 'like', 'neutral', 'play', 'rating', 'review', 'skip', 'taken_back'); "
      "CREATE TYPE listener_name AS ENUM (SELECT name FROM (SELECT '' AS name UNION SELECT listener FROM "
      "judged_listens WHERE rule IS NULL AND NOT left_out) ORDER BY name)"));
  // Minutes: whatever is coarser than seconds.
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE events AS SELECT j.file::INTEGER AS file, j.nr, j.listener::listener_name AS listener, i.track, "
      "j.\"at\", CASE WHEN j.at_precision >= 60 THEN 60 ELSE 1 END::UTINYINT AS fineness, "
      "j.kind::event_kind AS kind, j.value, j.ms_played, j.event_id, "
      "coalesce(i.direct AND j.source_id IS NOT NULL, false) AS direct "
      "FROM judged_listens j LEFT JOIN identity i ON i.key = coalesce(j.source_id, j.name_key) "
      "WHERE j.rule IS NULL AND NOT j.left_out"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE same_event AS SELECT file, nr FROM (SELECT file, nr, row_number() OVER (PARTITION BY listener, "
      "event_id ORDER BY \"at\" NULLS FIRST, track, kind, value NULLS FIRST, ms_played NULLS FIRST, file, nr) AS n "
      "FROM events WHERE event_id IS NOT NULL AND track IS NOT NULL) WHERE n > 1"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE VIEW keyed AS SELECT file, nr, listener, track, \"at\", fineness, kind, value, ms_played, "
      "CASE WHEN kind = 'skip' AND ms_played IS NOT NULL THEN 'play'::event_kind ELSE kind END AS class, "
      "CASE WHEN kind IN ('play', 'skip') THEN \"at\" // 60 ELSE \"at\" END AS moment, "
      "CASE WHEN kind IN ('play', 'skip') AND \"at\" IS NOT NULL THEN NULL ELSE value END AS amount, "
      "hash(listener, track, class, moment, ms_played, amount) AS digest "
      "FROM events e ANTI JOIN same_event s USING (file, nr) WHERE track IS NOT NULL"));
  // Most rows are like no other: only those whose digest occurs twice are
  // sorted and looked at. A chance collision costs time, nothing else.
  SEGUE_RETURN_IF_ERROR(
      work.Run("CREATE TABLE met_twice AS SELECT digest FROM keyed GROUP BY digest HAVING count(*) > 1"));
  const std::string numbered =
      "SELECT *, row_number() OVER w AS n, lag(\"at\") OVER w AS before_at, lag(file) OVER w AS before FROM "
      "keyed SEMI JOIN met_twice USING (digest) WINDOW w AS (PARTITION BY listener, track, class, moment, ms_played, "
      "amount ORDER BY fineness, \"at\" NULLS FIRST, kind, value NULLS FIRST, file, nr)";
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE repeats AS SELECT file, nr, CASE WHEN before = file THEN " + Number("duplicate_within_file") +
      " ELSE " + Number("duplicate_between_files") + " END AS rule, before FROM (" + numbered +
      ") WHERE n > 1 AND (fineness > 1 OR \"at\" IS NOT DISTINCT FROM before_at) UNION ALL SELECT file, nr, " +
      Number("duplicate_event") + ", NULL FROM same_event"));
  return work.Run(
      "CREATE VIEW marked AS SELECT *, CASE WHEN rule IS NULL THEN CASE WHEN kind = 'play' AND ms_played < " +
      std::to_string(skip_below_ms) + " THEN 'skip'::event_kind WHEN kind = 'review' AND value IS NOT NULL THEN "
      "'rating'::event_kind ELSE kind END END AS final_kind FROM ("
      "SELECT e.* EXCLUDE (event_id), r.before, CASE WHEN r.rule IS NOT NULL THEN r.rule WHEN e.track IS NULL THEN " +
      Number("unknown_track") + " WHEN e.kind IN ('play', 'skip') AND (e.ms_played = 0 OR e.value = 0) THEN " +
      Number("zero_play") + " WHEN b.track IS NOT NULL THEN " + Number("taken_back") +
      " END AS rule FROM events e LEFT JOIN repeats r USING (file, nr) LEFT JOIN (SELECT DISTINCT listener, track, \"at\" FROM events "
      "WHERE kind = 'taken_back') b ON e.kind IN ('play', 'skip', 'taken_back') AND b.listener = e.listener AND b.track = e.track AND "
      "b.\"at\" = e.\"at\")");
}

std::string RejectedListensSql() {
  const std::string reason = ReasonSql("listens", "rule");
  return "SELECT sha256, name AS file, line, rule, " + reason + " AS reason, " + std::string(kSample) +
         " AS sample, nr FROM ("
         "SELECT * EXCLUDE (rule), CASE WHEN rule IS NULL THEN " + Number("file_left_out") +
         " ELSE rule END AS rule, NULL::VARCHAR AS other_name FROM judged_listens WHERE (rule IS NOT NULL OR left_out) AND NOT forgotten"
         " UNION ALL BY NAME SELECT j.* EXCLUDE (rule), m.rule, o.name AS other_name FROM "
         "(SELECT file, nr, rule, before FROM marked WHERE rule IS NOT NULL) m JOIN judged_listens j USING (file, nr) "
         "LEFT JOIN files o ON o.file = m.before)";
}

std::string InteractionsSql() {
  return "SELECT listener::VARCHAR AS listener, track::VARCHAR AS track_id, \"at\", kind::VARCHAR AS kind, value, "
         "ms_played FROM (SELECT listener, track, \"at\", final_kind AS kind, coalesce(value, 1) AS value, ms_played "
         "FROM marked WHERE rule IS NULL ORDER BY listener, \"at\" NULLS FIRST, track, final_kind, coalesce(value, 1), "
         "ms_played NULLS FIRST)";
}

std::string ReviewsSql() {
  return "SELECT m.listener::VARCHAR AS listener, m.track::VARCHAR AS track_id, m.\"at\", j.value AS rating, j.text "
         "FROM (SELECT file, nr, listener, track, \"at\" FROM marked WHERE rule IS NULL) m JOIN "
         "(SELECT file, nr, CASE WHEN kind IN ('review', 'rating') THEN value END AS value, text FROM judged_listens "
         "WHERE trim(text) <> '') j USING (file, nr) "
         "ORDER BY m.listener, m.track, m.\"at\" NULLS FIRST, j.text, j.value NULLS FIRST";
}

Status TallyListens(Workshop& work) {
  return work.Run(
      "INSERT INTO tally SELECT 'listens', t.file, CASE WHEN t.rule IS NULL THEN " + Number("file_left_out") +
      " ELSE t.rule END, t.n FROM tally_listens t JOIN files f USING (file) WHERE t.rule IS NOT NULL OR f.left_out"
      " UNION ALL SELECT 'listens', file, rule, count(*) FROM marked GROUP BY file, rule");
}

}  // namespace segue::clean
