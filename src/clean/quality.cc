#include "clean/quality.h"

#include <map>
#include <vector>

#include <nlohmann/json.hpp>

#include "clean/profile.h"
#include "clean/rules.h"
#include "core/dataset.h"
#include "store/duck.h"

namespace segue::clean {
namespace {

using nlohmann::json;
using store::DuckChunk;

/// Where the rows of one file, or of all, went.
struct Counts {
  int64_t in = 0;
  int64_t kept = 0;
  int64_t rejected = 0;
  int64_t duplicates = 0;
  int64_t removed = 0;
  int64_t left_out = 0;

  void Add(const Counts& other) {
    in += other.in;
    kept += other.kept;
    rejected += other.rejected;
    duplicates += other.duplicates;
    removed += other.removed;
    left_out += other.left_out;
  }

  json ToJson() const {
    return {{"in", in},           {"kept", kept},       {"rejected", rejected}, {"duplicates", duplicates},
            {"removed", removed}, {"left_out", left_out}};
  }
};

struct Tally {
  std::map<int64_t, Counts> by_file;
  std::map<int64_t, int64_t> by_rule;
  std::map<std::string, Counts> by_table;
};

Result<Tally> ReadTally(Workshop& work, const Inputs& inputs) {
  Tally tally;
  for (const Input& input : inputs.list) {
    Counts& counts = tally.by_file[input.file];
    counts.in = counts.rejected = input.unreadable;
  }
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT tbl, file, coalesce(rule, -1), sum(n)::BIGINT FROM tally GROUP BY ALL", [&](const DuckChunk& chunk) {
        for (uint64_t i = 0; i < chunk.rows(); ++i) {
          const int64_t rule = chunk.Int(2, i);
          const int64_t n = chunk.Int(3, i);
          Counts counts{.in = n};
          if (rule < 0) {
            counts.kept = n;
          } else {
            tally.by_rule[rule] += n;
            switch (Rules()[static_cast<size_t>(rule)].effect) {
              case Effect::kReject: counts.rejected = n; break;
              case Effect::kDuplicate: counts.duplicates = n; break;
              case Effect::kRemove: counts.removed = n; break;
            }
          }
          tally.by_file[chunk.Int(1, i)].Add(counts);
        }
      }));
  for (const Input& input : inputs.list) {
    Counts& counts = tally.by_file[input.file];
    if (input.left_out) counts = {.in = counts.in, .left_out = counts.in};
    tally.by_table[input.table == "events" ? "listens" : input.table].Add(counts);
  }
  return tally;
}

json InputsJson(const Inputs& inputs, const Tally& tally) {
  json list = json::array();
  Counts feedback;
  int64_t objects = 0;
  for (const Input& input : inputs.list) {
    const Counts& counts = tally.by_file.at(input.file);
    if (input.table == "events") {
      feedback.Add(counts);
      ++objects;
      continue;
    }
    json row = counts.ToJson();
    row["rows"] = counts.in;
    row["unreadable"] = input.unreadable;
    row["name"] = input.name;
    row["sha256"] = input.sha256;
    row["listener"] = input.forgotten ? "" : input.listener;
    row["format"] = input.format;
    row["table"] = input.table;
    list.push_back(std::move(row));
  }
  if (objects > 0) {
    json row = feedback.ToJson();
    row["rows"] = feedback.in;
    row["name"] = "events/";
    row["sha256"] = "";
    row["format"] = "feedback";
    row["table"] = "listens";
    row["objects"] = objects;
    list.push_back(std::move(row));
  }
  return list;
}

json RuleJson(std::string_view rule, std::string_view table, int64_t removed, int64_t changed, bool counts,
              std::string_view why) {
  return {{"rule", rule},       {"table", table}, {"removed", removed}, {"changed", changed},
          {"counts_as_rejected", counts}, {"why", why}};
}

Result<json> RulesJson(Workshop& work, const Inputs& inputs, const Tally& tally, const TrackFindings& findings) {
  json list = json::array();
  int64_t unreadable = 0;
  for (const Input& input : inputs.list) unreadable += input.unreadable;
  if (unreadable > 0) {
    list.push_back(RuleJson("unreadable", "", unreadable, 0, true, "rows that could not be read when the file came in"));
  }
  for (const auto& [number, n] : tally.by_rule) {
    const Rule& rule = Rules()[static_cast<size_t>(number)];
    list.push_back(RuleJson(rule.name, rule.table, n, 0, rule.effect == Effect::kReject, rule.why));
  }
  SEGUE_TRY(const int64_t skips, work.duck().Count("SELECT count(*) FROM marked WHERE final_kind <> kind"));
  if (skips > 0) {
    list.push_back(RuleJson("short_play_is_skip", "listens", 0, skips, false, "a play shorter than clean.skip_below_ms"));
  }
  for (const auto& [rule, n] : findings.changed) {
    if (n == 0) continue;
    for (const Range& range : Ranges()) {
      if (range.rule == rule) list.push_back(RuleJson(rule, "tracks", 0, n, false, range.why));
    }
  }
  if (findings.label_conflicts_by_track > 0) {
    list.push_back(RuleJson("conflicting_label", "tracks", 0, findings.label_conflicts_by_track, false,
                            "both hit and flop: the label is unknown"));
  }
  return list;
}

Result<json> DuplicatesJson(Workshop& work) {
  const std::string within = std::to_string(RuleNumber("listens", "duplicate_within_file"));
  const std::string between = std::to_string(RuleNumber("listens", "duplicate_between_files"));
  const std::string same_event = std::to_string(RuleNumber("listens", "duplicate_event"));
  const std::string counts = "count(*) FILTER (rule = " + within + "), count(*) FILTER (rule = " + between +
                             "), count(*) FILTER (rule = " + same_event + ")";
  json duplicates = {{"within_file", 0}, {"between_files", 0}, {"same_event_id", 0}, {"by_listener", json::object()}};
  SEGUE_RETURN_IF_ERROR(work.duck().Query("SELECT " + counts + " FROM marked", [&](const DuckChunk& chunk) {
    duplicates["within_file"] = chunk.Int(0, 0);
    duplicates["between_files"] = chunk.Int(1, 0);
    duplicates["same_event_id"] = chunk.Int(2, 0);
  }));
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT " + counts + ", listener::VARCHAR FROM marked WHERE rule IN (" + within + ", " + between + ", " + same_event +
          ") GROUP BY listener ORDER BY count(*) DESC, listener LIMIT 100",
      [&](const DuckChunk& chunk) {
        for (uint64_t i = 0; i < chunk.rows(); ++i) {
          duplicates["by_listener"][std::string(chunk.Text(3, i))] = {
              {"within_file", chunk.Int(0, i)}, {"between_files", chunk.Int(1, i)}, {"same_event_id", chunk.Int(2, i)}};
        }
      }));
  return duplicates;
}

Result<json> AudioFeaturesJson(Workshop& work) {
  std::string any;
  for (const auto feature : kAudioFeatures) any += (any.empty() ? "" : " OR ") + std::string(feature) + " IS NOT NULL";
  json found;
  SEGUE_RETURN_IF_ERROR(work.duck().Query(
      "SELECT count(*), count(f.track), count(f.track) FILTER (m.direct) FROM marked m LEFT JOIN (SELECT track FROM "
      "tracks WHERE " + any + ") f USING (track) WHERE m.rule IS NULL AND m.final_kind IN ('play', 'skip')",
      [&](const DuckChunk& chunk) {
        const int64_t plays = chunk.Int(0, 0);
        const int64_t with = chunk.Int(1, 0);
        const int64_t by_id = chunk.Int(2, 0);
        found = {{"plays", plays}, {"found", with}, {"by_id", by_id}, {"by_name", with - by_id},
                 {"share", plays > 0 ? static_cast<double>(with) / static_cast<double>(plays) : 0.0}};
      }));
  SEGUE_TRY(const int64_t tracks, work.duck().Count("SELECT count(*) FROM tracks WHERE " + any));
  found["tracks"] = tracks;
  return found;
}

}  // namespace

Result<json> MakeQuality(Workshop& work, const Inputs& inputs, const TrackFindings& findings, const Identity& identity,
                         const std::string& interactions_path) {
  SEGUE_TRY(const Tally tally, ReadTally(work, inputs));
  Counts all;
  json tables = json::object();
  for (const auto& [table, counts] : tally.by_table) {
    all.Add(counts);
    tables[table] = counts.ToJson();
  }
  json quality = {{"dataset_id", inputs.dataset_id}, {"rows", all.ToJson()}, {"tables", tables}};
  quality["inputs"] = InputsJson(inputs, tally);
  SEGUE_TRY(quality["rules"], RulesJson(work, inputs, tally, findings));
  SEGUE_TRY(quality["duplicates"], DuplicatesJson(work));
  quality["identity"] = {{"tracks", identity.track_ids.size()},
                         {"source_ids", identity.source_ids},
                         {"names", identity.name_keys},
                         {"merged", identity.merged},
                         {"tracks_with_several_names", identity.tracks_with_several_names},
                         {"tracks_with_several_ids", identity.tracks_with_several_ids},
                         {"unknown_track_ids", identity.unknown_own_ids}};
  quality["track_tables"] = {{"pairs_matched", findings.pairs_matched},
                             {"pairs_mismatched", findings.pairs_mismatched},
                             {"ids_both_hit_and_flop", findings.label_conflicts_by_id},
                             {"tracks_both_hit_and_flop", findings.label_conflicts_by_track}};
  SEGUE_TRY(quality["audio_features"], AudioFeaturesJson(work));
  SEGUE_TRY(quality["profile"]["tracks"], ProfileColumns(work, "(SELECT * EXCLUDE (track) FROM tracks)", "track_id"));
  SEGUE_TRY(quality["profile"]["interactions"],
            ProfileColumns(work, "read_parquet(" + store::Quoted(interactions_path) + ")",
                           "listener, track_id, \"at\""));
  return quality;
}

}  // namespace segue::clean
