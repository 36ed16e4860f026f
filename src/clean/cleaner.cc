#include "clean/cleaner.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "clean/events.h"
#include "clean/identity.h"
#include "clean/inputs.h"
#include "clean/listens.h"
#include "clean/quality.h"
#include "clean/rules.h"
#include "clean/suspicion.h"
#include "clean/tracks.h"
#include "clean/workshop.h"
#include "core/hash.h"
#include "store/dataset_store.h"
#include "store/duck.h"
#include "store/layout.h"

namespace segue::clean {
namespace {

using nlohmann::json;
using store::DatasetKey;
using store::DuckChunk;

constexpr uint64_t kSteps = 10;
/// A handful of bad rows proves nothing about a file.
constexpr int64_t kTooFewToJudge = 20;
constexpr const char* kLastDataset = "clean_last_dataset";

std::string StopName(const std::string& dataset_id) { return "clean_stop:" + dataset_id; }

std::string Percent(int64_t part, int64_t whole) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%.2f %%",
                whole > 0 ? 100.0 * static_cast<double>(part) / static_cast<double>(whole) : 0.0);
  return text.data();
}

std::string Dump(const json& value) { return value.dump(2, ' ', false, json::error_handler_t::replace) + "\n"; }

/// One Clean, step by step.
class Cleaning {
 public:
  Cleaning(const Context& context, Inputs inputs) : context_(context), inputs_(std::move(inputs)) {}

  Result<Outcome> Run() {
    SEGUE_TRY(work_, Workshop::Open(context_));
    SEGUE_RETURN_IF_ERROR(Step("reading"));
    SEGUE_RETURN_IF_ERROR(OpenListens(*work_, inputs_));
    SEGUE_RETURN_IF_ERROR(Step("checking tracks"));
    SEGUE_RETURN_IF_ERROR(JudgeTracks(*work_, inputs_, findings_));
    SEGUE_RETURN_IF_ERROR(Step("checking listens"));
    SEGUE_RETURN_IF_ERROR(JudgeListens(*work_, inputs_));
    SEGUE_RETURN_IF_ERROR(Step("looking for files that are wrong as a whole"));
    SEGUE_RETURN_IF_ERROR(StopAtSuspicions());
    SEGUE_RETURN_IF_ERROR(JudgeFiles());
    SEGUE_RETURN_IF_ERROR(MarkTracks(*work_, findings_));
    SEGUE_RETURN_IF_ERROR(Step("joining names"));
    SEGUE_RETURN_IF_ERROR(ResolveTracks());
    SEGUE_RETURN_IF_ERROR(Step("finding duplicates"));
    SEGUE_RETURN_IF_ERROR(MarkListens(*work_, context_.settings.skip_below_ms));
    SEGUE_RETURN_IF_ERROR(Step("describing tracks"));
    SEGUE_RETURN_IF_ERROR(BuildTracks(*work_, findings_));
    SEGUE_RETURN_IF_ERROR(Step("writing"));
    SEGUE_RETURN_IF_ERROR(WriteTables());
    SEGUE_RETURN_IF_ERROR(Step("profiling"));
    return Finish();
  }

 private:
  std::string Key(std::string_view leaf) const { return DatasetKey(inputs_.dataset_id, leaf); }

  Status Step(std::string_view what) {
    if (context_.instruments.Cancelled()) {
      return Error{ErrorCode::kCancelled, "clean: stopped before " + std::string(what)};
    }
    context_.instruments.Progress("clean", step_++, kSteps, "steps");
    return {};
  }

  /// A suspicious file goes to quarantine before anything is made of it, so that
  /// the next run does without it.
  Status StopAtSuspicions() {
    if (context_.settings.suspicious != "stop") return {};
    SEGUE_TRY(const auto known, KnownInputs());
    std::set<int64_t> files;
    for (const Input& input : inputs_.list) {
      if (input.table == "events" || input.forgotten || known.contains({input.sha256, input.listener})) files.insert(input.file);
    }
    SEGUE_TRY(const auto suspicions, SuspectFiles(*work_, inputs_, files));
    if (suspicions.empty()) return {};
    std::string told;
    for (const Suspicion& suspicion : suspicions) {
      const Input& input = inputs_.list[static_cast<size_t>(suspicion.file)];
      const std::string what = input.name + ": " + suspicion.reason + " (" + suspicion.check + ")";
      told += (told.empty() ? "" : ". ") + what;
      SEGUE_RETURN_IF_ERROR(context_.catalog.AddQuarantine(std::vector<store::QuarantineRow>{
          {.sha256 = input.sha256, .file = input.name, .field = suspicion.field, .reason = suspicion.reason, .at = context_.clock.NowSeconds()}}));
      SEGUE_TRY(auto object, context_.catalog.FindObject(input.sha256, input.listener));
      if (!object) continue;
      object->status = "quarantined";
      object->reason = suspicion.reason;
      SEGUE_RETURN_IF_ERROR(context_.catalog.PutObject(*object));
    }
    return Error{ErrorCode::kInvalid, told + ". The run stops and the next one does without. Fix the export and drop it again, or, where the file is "
                                             "right, set clean.suspicious = \"keep\" and drop it again"};
  }

  /// Files with too large a share of rejected rows are left out; a run stops
  /// when that share is too large over all that the last dataset did not have.
  Status JudgeFiles() {
    std::vector<int64_t> rejected(inputs_.list.size(), 0);
    const auto add = [&](const DuckChunk& chunk) {
      for (uint64_t i = 0; i < chunk.rows(); ++i) {
        if (Rules()[static_cast<size_t>(chunk.Int(1, i))].effect != Effect::kReject) continue;
        rejected[static_cast<size_t>(chunk.Int(0, i))] += chunk.Int(2, i);
      }
    };
    SEGUE_RETURN_IF_ERROR(
        work_->duck().Query("SELECT file, rule, n FROM tally_listens WHERE rule IS NOT NULL", add));
    SEGUE_RETURN_IF_ERROR(work_->duck().Query(
        "SELECT file, row_rule, count(*) FROM track_rows WHERE row_rule IS NOT NULL GROUP BY file, row_rule", add));
    SEGUE_TRY(const auto known, KnownInputs());
    int64_t new_rows = 0;
    int64_t new_rejected = 0;
    std::string left_out;
    for (Input& input : inputs_.list) {
      const int64_t bad = rejected[static_cast<size_t>(input.file)] + input.unreadable;
      const int64_t all = input.rows + input.unreadable;
      if (!input.forgotten && !known.contains({input.sha256, input.listener})) {
        new_rows += all;
        new_rejected += bad;
      }
      if (!TooMany(bad, all)) continue;
      input.left_out = true;
      left_out += (left_out.empty() ? "" : ", ") + std::to_string(input.file);
      SEGUE_RETURN_IF_ERROR(Alarm(input, bad, all));
    }
    if (TooMany(new_rejected, new_rows)) {
      stop_reason_ = "clean: " + std::to_string(new_rejected) + " of " + std::to_string(new_rows) +
                     " new rows were rejected (" + Percent(new_rejected, new_rows) + "); the limit is " + Limit() +
                     ". The quality report of dataset " + inputs_.dataset_id +
                     " names the rules and rows. Fix the export, or raise clean.max_rejected_share";
    }
    if (left_out.empty()) return {};
    return work_->Run("UPDATE files SET left_out = true WHERE file IN (" + left_out + ")");
  }

  bool TooMany(int64_t bad, int64_t all) const {
    return bad > kTooFewToJudge &&
           static_cast<double>(bad) > context_.settings.max_rejected_share * static_cast<double>(all);
  }

  std::string Limit() const {
    return Percent(static_cast<int64_t>(context_.settings.max_rejected_share * 10'000), 10'000);
  }

  /// What the dataset before this one had; nothing where there is none.
  Result<std::set<std::pair<std::string, std::string>>> KnownInputs() const {
    std::set<std::pair<std::string, std::string>> known;
    SEGUE_TRY(const std::string last, context_.catalog.Meta(kLastDataset));
    if (last.empty()) return known;
    const auto text = context_.bucket.Get(DatasetKey(last, "manifest.json"));
    const json manifest = text.ok() ? json::parse(*text, nullptr, false) : json();
    if (!manifest.is_object()) return known;
    for (const json& input : manifest.value("inputs", json::array())) {
      known.emplace(input.value("sha256", ""), input.value("listener", ""));
    }
    return known;
  }

  /// Once a file: it stays in the bucket and would ring at every run.
  Status Alarm(const Input& input, int64_t bad, int64_t all) {
    const std::string message = "clean: " + input.name + ": " + std::to_string(bad) + " of " + std::to_string(all) +
                                " rows rejected (" + Percent(bad, all) + "); the limit is " + Limit() +
                                ". The file is left out of the data. Fix the export and drop it again, or raise "
                                "clean.max_rejected_share";
    context_.instruments.Warn("clean", message);
    SEGUE_TRY(const auto alarms, context_.catalog.Alarms(1000));
    const bool rang = std::any_of(alarms.begin(), alarms.end(), [&](const auto& alarm) { return alarm.message == message; });
    if (rang) return {};
    return context_.catalog.AddAlarm({.at = context_.clock.NowSeconds(), .severity = "warning",
                                      .name = "file_left_out", .message = message});
  }

  Status ResolveTracks() {
    SEGUE_RETURN_IF_ERROR(CollectListenNames(*work_));
    std::vector<Naming> namings;
    SEGUE_RETURN_IF_ERROR(work_->duck().Query(
        "SELECT DISTINCT coalesce(source_id, ''), coalesce(name_key, '') FROM (SELECT source_id, name_key FROM "
        "listen_names UNION ALL SELECT source_id, name_key FROM track_values)",
        [&](const DuckChunk& chunk) {
          for (uint64_t i = 0; i < chunk.rows(); ++i) {
            namings.push_back({std::string(chunk.Text(0, i)), std::string(chunk.Text(1, i))});
          }
        }));
    identity_ = ResolveIdentity(std::move(namings));
    SEGUE_RETURN_IF_ERROR(work_->Run("CREATE TABLE members(key VARCHAR, number INTEGER)"));
    SEGUE_RETURN_IF_ERROR(AppendMembers("members", identity_.members));
    SEGUE_RETURN_IF_ERROR(work_->Run("CREATE TABLE aliases(alias VARCHAR, number INTEGER)"));
    SEGUE_RETURN_IF_ERROR(AppendMembers("aliases", identity_.aliases));
    identity_.members = {};
    identity_.aliases = {};
    SEGUE_RETURN_IF_ERROR(work_->Run("CREATE TABLE numbered(number INTEGER, track_id VARCHAR)"));
    SEGUE_TRY(auto rows, work_->duck().Append("numbered"));
    for (size_t i = 0; i < identity_.track_ids.size(); ++i) {
      rows->Int(static_cast<int64_t>(i));
      rows->Text(identity_.track_ids[i]);
      SEGUE_RETURN_IF_ERROR(rows->EndRow());
    }
    SEGUE_RETURN_IF_ERROR(rows->Close());
    return work_->Run(
        "CREATE TYPE track_name AS ENUM (SELECT id FROM (SELECT '' AS id UNION SELECT track_id FROM numbered) ORDER BY "
        "id); "
        "CREATE TABLE track_ids AS SELECT number, track_id, track_id::track_name AS track FROM numbered; "
        "CREATE TABLE identity AS SELECT m.key, t.track, d.source_id IS NOT NULL AS direct FROM members m JOIN "
        "track_ids t USING (number) LEFT JOIN (SELECT DISTINCT source_id FROM track_values WHERE filled > 0) d "
        "ON d.source_id = m.key");
  }

  Status AppendMembers(std::string_view table, const std::vector<Identity::Member>& members) {
    SEGUE_TRY(auto rows, work_->duck().Append(table));
    for (const auto& member : members) {
      rows->Text(member.key);
      rows->Int(member.track);
      SEGUE_RETURN_IF_ERROR(rows->EndRow());
    }
    return rows->Close();
  }

  Status WriteTables() {
    SEGUE_RETURN_IF_ERROR(work_->WriteParquet(TracksSql(), Key("tracks.parquet")));
    SEGUE_RETURN_IF_ERROR(work_->WriteParquet(
        "SELECT alias, track_id FROM aliases JOIN track_ids USING (number) ORDER BY alias", Key("aliases.parquet")));
    SEGUE_RETURN_IF_ERROR(work_->WriteParquet(InteractionsSql(), Key("interactions.parquet")));
    SEGUE_RETURN_IF_ERROR(work_->WriteParquet(ReviewsSql(), Key("reviews.parquet")));
    return work_->WriteParquet(
        "SELECT sha256, file, line, " + NameSql("rule") + " AS rule, " + FieldSql("rule") +
            " AS field, reason, sample FROM (" + RejectedListensSql() + " UNION ALL BY NAME " + RejectedTracksSql() +
            ") r ORDER BY file, sha256, nr, r.rule, sample, reason",
        Key("rejected.parquet"));
  }

  Result<Outcome> Finish() {
    SEGUE_RETURN_IF_ERROR(work_->Run("CREATE TABLE tally(tbl VARCHAR, file BIGINT, rule INTEGER, n BIGINT)"));
    SEGUE_RETURN_IF_ERROR(TallyListens(*work_));
    SEGUE_RETURN_IF_ERROR(TallyTracks(*work_));
    SEGUE_TRY(const auto interactions, context_.bucket.LocalPath(Key("interactions.parquet")));
    SEGUE_TRY(const json quality, MakeQuality(*work_, inputs_, findings_, identity_, interactions.string()));
    Outcome outcome;
    outcome.dataset_id = inputs_.dataset_id;
    outcome.rows_in = quality["rows"]["in"].get<int64_t>();
    outcome.rows_kept = quality["rows"]["kept"].get<int64_t>();
    SEGUE_TRY(outcome.listeners, work_->duck().Count("SELECT count(DISTINCT listener) FROM marked WHERE rule IS NULL"));
    outcome.tracks = static_cast<int64_t>(identity_.track_ids.size());
    outcome.stop = !stop_reason_.empty();
    outcome.stop_reason = stop_reason_;
    SEGUE_RETURN_IF_ERROR(context_.bucket.Put(Key("quality.json"), Dump(quality)));
    // The stop depends on what came before, so that it is no part of the dataset;
    // known before the manifest says that the dataset is there.
    if (outcome.stop) {
      SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta(StopName(outcome.dataset_id), stop_reason_));
    }
    SEGUE_RETURN_IF_ERROR(context_.bucket.Put(Key("manifest.json"), Dump(Manifest(outcome))));
    SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta(kLastDataset, outcome.dataset_id));
    context_.instruments.Progress("clean", kSteps, kSteps, "steps");
    context_.instruments.Info("clean", "cleaned", {{"dataset_id", outcome.dataset_id}, {"rows", quality["rows"]},
                                                   {"listeners", outcome.listeners}, {"tracks", outcome.tracks}});
    return outcome;
  }

  json Manifest(const Outcome& outcome) const {
    json list = json::array();
    int64_t events_through = 0;
    for (const Input& input : inputs_.list) {
      if (input.table == "events") events_through = std::max(events_through, LastOf(input.name));
      list.push_back({{"sha256", input.sha256}, {"listener", input.forgotten ? "" : input.listener}, {"name", input.name},
                      {"table", input.table == "events" ? "listens" : input.table}, {"left_out", input.left_out}});
    }
    return {{"dataset_id", outcome.dataset_id},
            {"code_version", kCleanVersion},
            {"settings", ResultFingerprint(context_.settings, "clean.")},
            {"inputs", list},
            {"events_through_seq", events_through},
            {"forgotten_through", inputs_.forgotten.empty() ? 0 : inputs_.forgotten.back().id},
            {"rows_in", outcome.rows_in},
            {"rows_kept", outcome.rows_kept},
            {"listeners", outcome.listeners},
            {"tracks", outcome.tracks}};
  }

  const Context& context_;
  Inputs inputs_;
  std::unique_ptr<Workshop> work_;
  TrackFindings findings_;
  Identity identity_;
  std::string stop_reason_;
  uint64_t step_ = 0;
};

/// The outcome of a dataset that is there, from its manifest.
Result<Outcome> Existing(const Context& context, const std::string& dataset_id) {
  SEGUE_TRY(const std::string text, context.bucket.Get(DatasetKey(dataset_id, "manifest.json")));
  const json manifest = json::parse(text, nullptr, false);
  if (!manifest.is_object()) {
    return Error{ErrorCode::kCorrupt, "clean: " + DatasetKey(dataset_id, "manifest.json") +
                                          " does not read; remove it to have the dataset made again"};
  }
  Outcome outcome;
  outcome.dataset_id = dataset_id;
  outcome.existed = true;
  outcome.rows_in = manifest.value("rows_in", int64_t{0});
  outcome.rows_kept = manifest.value("rows_kept", int64_t{0});
  outcome.listeners = manifest.value("listeners", int64_t{0});
  outcome.tracks = manifest.value("tracks", int64_t{0});
  SEGUE_TRY(outcome.stop_reason, context.catalog.Meta(StopName(dataset_id)));
  outcome.stop = !outcome.stop_reason.empty();
  SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kLastDataset, dataset_id));
  return outcome;
}

}  // namespace

Result<Outcome> Clean(const Context& context) {
  SEGUE_TRY(Inputs inputs, GatherInputs(context));
  if (context.bucket.Exists(DatasetKey(inputs.dataset_id, "manifest.json"))) {
    return Existing(context, inputs.dataset_id);
  }
  return Cleaning(context, std::move(inputs)).Run();
}

}  // namespace segue::clean
