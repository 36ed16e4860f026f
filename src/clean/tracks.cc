#include "clean/tracks.h"

#include "clean/listens.h"
#include "clean/rules.h"
#include "core/dataset.h"
#include "core/staged.h"

namespace segue::clean {
namespace {

std::string TrackRule(std::string_view name) { return std::to_string(RuleNumber("tracks", name)); }
std::string TagRule(std::string_view name) { return std::to_string(RuleNumber("taggings", name)); }

/// What a row says, without where it stands.
constexpr std::string_view kFacts = "source_id, name_key, artist, title, album, year, duration_ms, popularity, tags, hit";

/// "<before>danceability<after>, <before>energy<after>, ..."
std::string EachFeature(std::string_view before, std::string_view after, std::string_view between = ", ") {
  std::string sql;
  for (const auto feature : kAudioFeatures) {
    if (!sql.empty()) sql += between;
    sql.append(before).append(feature).append(after);
  }
  return sql;
}

/// `impossible -> NULL` of a column that has a range.
std::string Checked(std::string_view column) {
  for (const Range& range : Ranges()) {
    if (range.field != column) continue;
    return "CASE WHEN " + ImpossibleSql(range) + " THEN NULL ELSE " + std::string(column) + " END AS " +
           std::string(column);
  }
  return std::string(column);
}

Status LoadTracks(Workshop& work, const Inputs& inputs) {
  std::string source = ReadStagedSql(inputs, "tracks");
  if (source.empty()) {
    SEGUE_RETURN_IF_ERROR(work.Run("CREATE TABLE no_tracks(" + std::string(kStagedTracks) + ")"));
    source = "(SELECT *, '' AS filename, 0::BIGINT AS file_row_number FROM no_tracks)";
  }
  return work.Run(
      "CREATE TABLE track_in AS SELECT f.file, f.content_rank, p.file_row_number AS nr, p.line, p.row, "
      "coalesce(p.part, 'whole') AS part, nullif(p.source_id, '') AS source_id, "
      "CASE WHEN coalesce(lower(trim(p.artist)), '') <> 'unknown artist' THEN nullif(p.name_key, '') END AS name_key, "
      "nullif(trim(p.artist), '') AS artist, nullif(trim(p.title), '') AS title, nullif(trim(p.album), '') AS album, "
      "p.year, p.duration_ms, p.popularity, nullif(p.tags, '') AS tags, p.hit, " +
      EachFeature("p.", "") + " FROM " + source + " p JOIN files f ON f.path = p.filename");
}

/// Which features file goes with which names file: most rows of the same title.
Status PairFiles(Workshop& work) {
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE agreeing AS SELECT a.file AS features, b.file AS names, count(*) AS n FROM track_in a JOIN "
      "track_in b ON a.row = b.row AND a.title = b.title WHERE a.part = 'features' AND b.part = 'names' "
      "GROUP BY a.file, b.file"));
  return work.Run(
      "CREATE TABLE pairs AS SELECT features, names FROM (SELECT *, row_number() OVER (PARTITION BY names ORDER BY n "
      "DESC, features) AS of_names FROM (SELECT *, row_number() OVER (PARTITION BY features ORDER BY n DESC, names) "
      "AS of_features FROM agreeing) WHERE of_features = 1) WHERE of_names = 1");
}

Status AddRows(Workshop& work, Inputs& inputs, std::string_view table) {
  return work.duck().Query("SELECT file, count(*) FROM " + std::string(table) + " GROUP BY file",
                           [&](const store::DuckChunk& chunk) {
                             for (uint64_t i = 0; i < chunk.rows(); ++i) {
                               inputs.list[static_cast<size_t>(chunk.Int(0, i))].rows = chunk.Int(1, i);
                             }
                           });
}

Status LoadTags(Workshop& work, const Inputs& inputs) {
  for (const auto& [table, body] : {std::pair{"tag_names", kStagedTagNames}, std::pair{"taggings", kStagedTaggings}}) {
    const std::string name(table);
    std::string source = ReadStagedSql(inputs, name);
    if (source.empty()) {
      SEGUE_RETURN_IF_ERROR(work.Run("CREATE TABLE no_" + name + "(" + std::string(body) + ")"));
      source = "(SELECT *, '' AS filename, 0::BIGINT AS file_row_number FROM no_" + name + ")";
    }
    SEGUE_RETURN_IF_ERROR(work.Run("CREATE VIEW staged_" + name +
                                   " AS SELECT f.file, p.file_row_number AS nr, p.* EXCLUDE (filename, "
                                   "file_row_number) FROM " + source + " p JOIN files f ON f.path = p.filename"));
  }
  return {};
}

/// The tags that most listeners gave, 20 a track.
Status CountTags(Workshop& work) {
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE taggings_marked AS SELECT t.*, i.track, n.tag, CASE WHEN g.listener IS NOT NULL THEN " +
      TagRule("forgotten_listener") + " WHEN i.track IS NULL THEN " + TagRule("tag_of_unknown_track") + " WHEN n.tag IS NULL THEN " + TagRule("unknown_tag") +
      " END AS rule FROM staged_taggings t JOIN files f USING (file) LEFT JOIN forgotten_listeners g ON g.listener = "
      "coalesce(nullif(f.listener, ''), t.listener) AND f.came_in <= g.forgotten_at LEFT JOIN identity i ON i.key = t.source_id LEFT JOIN "
      "(SELECT tag_id, min(trim(replace(tag, ';', ','))) AS tag FROM staged_tag_names WHERE trim(tag) <> '' "
      "GROUP BY tag_id) n ON n.tag_id = t.tag_id"));
  return work.Run(
      "CREATE TABLE top_tags AS SELECT track, tag FROM (SELECT track, tag, row_number() OVER (PARTITION BY track "
      "ORDER BY count(DISTINCT listener) DESC, tag) AS place FROM taggings_marked WHERE rule IS NULL "
      "GROUP BY track, tag) WHERE place <= 20");
}

Status ChooseSpelling(Workshop& work) {
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE spelt AS SELECT i.track, artist, title, album, sum(n) AS n FROM (SELECT source_id, name_key, artist, title, album, n FROM listen_names "
      "UNION ALL SELECT source_id, name_key, artist, title, album, 1 FROM track_values) s "
      "JOIN identity i ON i.key = coalesce(s.source_id, s.name_key) GROUP BY ALL"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE spelling AS SELECT track, artist, title FROM (SELECT track, artist, title, row_number() OVER "
      "(PARTITION BY track ORDER BY (artist IS NULL)::INT + (title IS NULL)::INT, sum(n) DESC, artist, title) AS place "
      "FROM spelt GROUP BY track, artist, title) WHERE place = 1"));
  return work.Run(
      "CREATE TABLE told_durations AS SELECT track, duration_ms FROM (SELECT i.track, duration_ms, row_number() OVER (PARTITION BY "
      "i.track ORDER BY sum(n) DESC, duration_ms) AS place FROM listen_names s JOIN identity i ON i.key = coalesce(s.source_id, "
      "s.name_key) WHERE duration_ms BETWEEN 1 AND 86400000 GROUP BY i.track, duration_ms) WHERE place = 1; "
      "CREATE TABLE albums AS SELECT track, album FROM (SELECT track, album, row_number() OVER (PARTITION BY track "
      "ORDER BY sum(n) DESC, album) AS place FROM spelt WHERE album IS NOT NULL GROUP BY track, album) WHERE place = 1");
}

}  // namespace

Status JudgeTracks(Workshop& work, Inputs& inputs, TrackFindings& findings) {
  SEGUE_RETURN_IF_ERROR(LoadTracks(work, inputs));
  SEGUE_RETURN_IF_ERROR(LoadTags(work, inputs));
  for (const auto* table : {"track_in", "staged_tag_names", "staged_taggings"}) {
    SEGUE_RETURN_IF_ERROR(AddRows(work, inputs, table));
  }
  SEGUE_RETURN_IF_ERROR(PairFiles(work));
  const std::string place = "n.file, n.content_rank, n.nr, n.line, n.row, n.part, ";
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE joined AS SELECT " + place + "f.file AS features_file, n.source_id, n.name_key, n.artist, n.title, "
      "n.album, coalesce(n.year, f.year) AS year, coalesce(n.duration_ms, f.duration_ms) AS duration_ms, "
      "coalesce(n.popularity, f.popularity) AS popularity, coalesce(n.tags, f.tags) AS tags, "
      "coalesce(n.hit, f.hit) AS hit, " + [] {
        std::string sql;
        for (const auto feature : kAudioFeatures) {
          const std::string name(feature);
          sql += (sql.empty() ? "" : ", ") + ("coalesce(n." + name + ", f." + name + ") AS " + name);
        }
        return sql;
      }() + ", false AS has_names FROM track_in n LEFT JOIN pairs p ON p.names = n.file AND n.part = 'names' "
      "LEFT JOIN track_in f ON f.file = p.features AND f.row = n.row AND f.title = n.title "
      "WHERE n.part <> 'features'"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE track_rows AS SELECT *, " + FirstRuleSql("tracks") + " AS row_rule FROM (SELECT * FROM joined "
      "UNION ALL BY NAME SELECT n.*, n.file IN (SELECT features FROM pairs) AS has_names FROM track_in n "
      "WHERE n.part = 'features' AND NOT EXISTS (SELECT 1 FROM joined j WHERE j.features_file = n.file "
      "AND j.row = n.row))"));
  SEGUE_RETURN_IF_ERROR(work.Run("DROP TABLE track_in"));
  SEGUE_TRY(findings.pairs_matched, work.duck().Count("SELECT count(*) FROM joined WHERE features_file IS NOT NULL"));
  SEGUE_TRY(findings.pairs_mismatched,
            work.duck().Count("SELECT count(*) FROM track_rows WHERE row_rule = " +
                              TrackRule("features_of_another_title")));
  return {};
}

Status MarkTracks(Workshop& work, TrackFindings& findings) {
  // All that a row says: two NULLs are the same here.
  const std::string content = std::string(kFacts) + ", part, " + EachFeature("", "");
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE tracks_marked AS SELECT * EXCLUDE (row_rule, copy, same_id), CASE WHEN row_rule IS NOT NULL THEN "
      "row_rule WHEN copy > 1 THEN " + TrackRule("duplicate_row") + " WHEN source_id IS NOT NULL AND same_id > 1 THEN " +
      TrackRule("duplicate_source_id") + " END AS rule FROM (SELECT *, row_number() OVER (PARTITION BY source_id, "
      "row_rule IS NULL AND copy = 1 ORDER BY file, nr) AS same_id FROM (SELECT *, row_number() OVER (PARTITION BY " +
      content + ", row_rule IS NULL ORDER BY file, nr) AS copy FROM (SELECT t.* EXCLUDE (row_rule), CASE WHEN "
      "t.row_rule IS NULL AND f.left_out THEN " + TrackRule("file_left_out") + " ELSE t.row_rule END AS row_rule "
      "FROM track_rows t JOIN files f USING (file))))"));
  const std::string counting = "(rule IS NULL OR rule = " + TrackRule("duplicate_source_id") + ")";
  std::string sums;
  for (const Range& range : Ranges()) {
    sums += (sums.empty() ? "" : ", ") + ("count(*) FILTER (" + ImpossibleSql(range) + ")");
  }
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT " + sums + " FROM tracks_marked WHERE " + counting, [&](const store::DuckChunk& chunk) {
        for (size_t i = 0; i < Ranges().size() && chunk.rows() > 0; ++i) {
          findings.changed.emplace_back(Ranges()[i].rule, chunk.Int(static_cast<int>(i), 0));
        }
      }));
  std::string checked = Checked("year") + ", " + Checked("duration_ms");
  for (const auto feature : kAudioFeatures) checked += ", " + Checked(feature);
  return work.Run(
      "CREATE TABLE track_values AS SELECT *, row_number() OVER (ORDER BY filled DESC, content_rank, nr) AS rank FROM "
      "(SELECT *, " + EachFeature("(", " IS NOT NULL)::INT", " + ") + " AS filled FROM (SELECT file, content_rank, nr, "
      "source_id, name_key, artist, title, album, tags, CASE WHEN hit IN (0, 1) THEN hit END AS hit, " + checked +
      " FROM tracks_marked WHERE " + counting + "))");
}

Status BuildTracks(Workshop& work, TrackFindings& findings) {
  SEGUE_RETURN_IF_ERROR(CountTags(work));
  SEGUE_RETURN_IF_ERROR(ChooseSpelling(work));
  std::string facts;
  for (const auto feature : kAudioFeatures) {
    const std::string name(feature);
    facts += ", arg_min(" + name + ", rank) AS " + name;
  }
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE valued AS SELECT v.*, i.track FROM track_values v JOIN identity i ON i.key = "
      "coalesce(v.source_id, v.name_key)"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE facts AS SELECT track, arg_min(year, rank) AS year, arg_min(duration_ms, rank) AS duration_ms, "
      "min(hit) AS low, max(hit) AS high" + facts + " FROM valued GROUP BY track"));
  SEGUE_TRY(findings.label_conflicts_by_id,
            work.duck().Count("SELECT count(*) FROM (SELECT source_id FROM valued WHERE source_id IS NOT NULL "
                              "GROUP BY source_id HAVING min(hit) <> max(hit))"));
  SEGUE_TRY(findings.label_conflicts_by_track, work.duck().Count("SELECT count(*) FROM facts WHERE low <> high"));
  SEGUE_RETURN_IF_ERROR(work.Run(
      "CREATE TABLE track_tags AS SELECT track, string_agg(tag, ';' ORDER BY tag) AS tags FROM (SELECT track, tag "
      "FROM top_tags UNION SELECT track, tag FROM (SELECT track, trim(unnest(string_split(tags, ';'))) AS tag FROM "
      "valued WHERE tags IS NOT NULL) WHERE tag <> '') GROUP BY track"));
  return work.Run(
      "CREATE TABLE tracks AS SELECT t.track, t.track_id, coalesce(s.title, s.artist) AS title, s.artist, a.album, "
      "g.tags, f.year, coalesce(f.duration_ms, d.duration_ms) AS duration_ms, CASE WHEN f.low = f.high THEN f.low END AS hit, " + EachFeature("f.", "") +
      ", f.track IS NOT NULL AS listed FROM track_ids t LEFT JOIN spelling s USING (track) LEFT JOIN albums a USING (track) "
      "LEFT JOIN told_durations d USING (track) LEFT JOIN facts f USING (track) LEFT JOIN track_tags g USING (track)");
}

std::string RejectedTracksSql() {
  return "SELECT f.sha256, f.name AS file, line, rule, " + ReasonSql("tracks", "rule") + " AS reason, "
         "left(concat_ws(' | ', artist, title, source_id, album), 200) AS sample, nr FROM tracks_marked JOIN files f "
         "USING (file) WHERE rule IS NOT NULL UNION ALL BY NAME SELECT f.sha256, f.name AS file, line, rule, " +
         ReasonSql("taggings", "rule") + " AS reason, left(concat_ws(' | ', m.listener, source_id, m.tag_id, tag), 200) "
         "AS sample, nr FROM taggings_marked m JOIN files f USING (file) WHERE rule IS NOT NULL AND rule <> " + TagRule("forgotten_listener");
}

Status TallyTracks(Workshop& work) {
  // Rows of features that went into their rows of names were kept too.
  return work.Run(
      "INSERT INTO tally SELECT 'tracks', file, rule, count(*) FROM tracks_marked GROUP BY file, rule "
      "UNION ALL SELECT 'tracks', features_file, NULL, count(*) FROM joined WHERE features_file IS NOT NULL "
      "GROUP BY features_file UNION ALL SELECT 'taggings', file, rule, count(*) FROM taggings_marked "
      "GROUP BY file, rule UNION ALL SELECT 'tag_names', file, NULL, count(*) FROM staged_tag_names GROUP BY file");
}

std::string TracksSql() {
  return "SELECT track_id, title, artist, album, tags, year, duration_ms, hit, " + EachFeature("", "") +
         ", listed FROM tracks ORDER BY track";
}

}  // namespace segue::clean
