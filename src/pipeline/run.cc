#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <nlohmann/json.hpp>

#include "clean/cleaner.h"
#include "core/check.h"
#include "core/hash.h"
#include "core/version.h"
#include "deploy/deploy.h"
#include "ingest/ingest.h"
#include "monitor/run_log.h"
#include "pipeline/hits.h"
#include "pipeline/inbox.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"
#include "pipeline/records.h"
#include "pipeline/search.h"
#include "train/member_list.h"
#include "train/trainer.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
using store::RunRecord;
namespace fs = std::filesystem;

/// The figure by which a run's candidates are compared: smoother than MRR
/// where listeners are few.
constexpr const char* kSelectionFigure = "ndcg@100";

/// Hash of what a dataset's models learn from, whatever it was made from: its
/// listening; and, where models of content take part, its tracks and reviews. For
/// all others track tables change the catalogue that is served, not the models.
Result<std::string> LearningHash(const Context& context, const std::string& dataset_id) {
  std::vector<std::string> leaves = {"interactions.parquet"};
  const std::string& algorithms = context.settings.algorithms;
  if (algorithms.find("content") != std::string::npos || algorithms.find("hybrid") != std::string::npos) {
    leaves.insert(leaves.end(), {"tracks.parquet", "reviews.parquet"});
  }
  std::string hashes;
  for (const std::string& leaf : leaves) {
    const auto bytes = context.bucket.Get(store::DatasetKey(dataset_id, leaf));
    if (!bytes.ok() && bytes.error().code == ErrorCode::kNotFound && leaf == "reviews.parquet") continue;
    if (!bytes.ok()) return bytes.error();
    hashes += Sha256Hex(*bytes);
  }
  return hashes;
}

struct Candidate {
  std::string model_id;
  std::string algorithm;
  Settings settings;  ///< as configured, with what the search found
  std::unique_ptr<models::Model> model;
  Report report;
};

/// One run on its way through the stages.
class Run {
 public:
  Run(const Context& context, RunRecord record)
      : context_(context), record_(std::move(record)),
        log_(monitor::OpenRunLog(context.folder.run_log(record_.run_id), context.clock,
                                 [&context] { return context.cancelled.load(); }, &context.instruments)) {}

  Result<RunRecord> Execute() {
    log_->Info("run", "started", {{"run_id", record_.run_id}, {"trigger", record_.trigger},
                                  {"detail", record_.trigger_detail}});
    const Status outcome = Stages();
    if (!outcome.ok()) {
      const bool interrupted = outcome.error().code == ErrorCode::kCancelled;
      record_.state = interrupted ? "interrupted" : "failed";
      record_.error = outcome.error().message;
      if (!interrupted) Alarm("run_failed", record_.error);
    }
    record_.finished_ms = context_.clock.NowMs();
    log_->Log(outcome.ok() ? LogLevel::kInfo : LogLevel::kError, "run", "finished: " + record_.state,
              {{"seconds", static_cast<double>(record_.finished_ms - record_.started_ms) / 1000},
               {"error", record_.error}});
    log_.reset();
    KeepLog();
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutRun(record_));
    return record_;
  }

 private:
  using Body = Status (Run::*)(json& detail);

  Status Stages() {
    static constexpr std::pair<const char*, Body> kStages[] = {
        {"ingest", &Run::Ingest},     {"clean", &Run::Clean}, {"hits", &Run::Hits}, {"train", &Run::Train},
        {"evaluate", &Run::Evaluate}, {"gate", &Run::Gate},   {"deploy", &Run::Deploy}};
    record_.stages.clear();
    for (const auto& [name, body] : kStages) record_.stages.push_back({.name = name, .state = "waiting"});
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutRun(record_));
    for (size_t i = 0; i < std::size(kStages); ++i) {
      // Models of hits learn from the tracks: they have their turn also where the listening is the same.
      const bool own_way = kStages[i].second == &Run::Hits && !record_.dataset_id.empty();
      if (ended_ && !own_way) {
        record_.stages[i].state = "skipped";
        continue;
      }
      SEGUE_RETURN_IF_ERROR(Stage(record_.stages[i], kStages[i].second));
    }
    if (ended_) record_.state = end_state_;
    return {};
  }

  Status Stage(store::StageRecord& stage, Body body) {
    if (context_.cancelled.load()) return Error{ErrorCode::kCancelled, "asked to stop"};
    stage.state = "running";
    stage.started_ms = context_.clock.NowMs();
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutRun(record_));
    json detail = json::object();
    Status outcome;
    try {
      outcome = (this->*body)(detail);
    } catch (const std::exception& bug) {
      outcome = Error{ErrorCode::kIo, bug.what()};
    }
    stage.finished_ms = context_.clock.NowMs();
    stage.state = !outcome.ok() ? "failed" : detail.contains("skipped") ? "skipped" : "done";
    // The recommender goes on without a model of hits.
    const bool aside = !outcome.ok() && body == &Run::Hits && outcome.error().code != ErrorCode::kCancelled;
    if (aside) Alarm("hits_failed", outcome.error().message);
    if (!outcome.ok()) detail["error"] = outcome.error().message;
    stage.detail = detail.dump();
    log_->Log(outcome.ok() ? LogLevel::kInfo : LogLevel::kError, stage.name, outcome.ok() ? "done" : "failed", detail);
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutRun(record_));
    if (!outcome.ok() && !aside) return outcome.error().In(stage.name);
    return {};
  }

  void Alarm(const std::string& name, const std::string& message) {
    const Status kept = context_.catalog.AddAlarm({.at = context_.clock.NowSeconds(), .severity = "critical",
                                                   .name = name, .message = message, .run_id = record_.run_id});
    if (!kept.ok()) log_->Warn("run", "the alarm could not be recorded: " + kept.error().message);
  }

  void KeepLog() {
    const fs::path live = context_.folder.run_log(record_.run_id);
    std::error_code error;
    if (!fs::exists(live, error)) return;
    // The live file stays where it is if the bucket cannot take it now.
    if (context_.bucket.PutFile(store::RunKey(record_.run_id, "log.ndjson"), live).ok()) fs::remove(live, error);
  }

  /// The stages that are left are skipped. The record stays "running" until the
  /// last has had its turn: who is killed before is resumed.
  void End(const std::string& state) {
    end_state_ = state;
    ended_ = true;
  }

  // --- ingest ---------------------------------------------------------------

  Status ReportProblem(const InboxProblem& problem) {
    const std::string meta = "inbox_problem:" + problem.name;
    const std::string stamp = std::to_string(problem.changed_ms) + problem.reason;
    SEGUE_TRY(const std::string known, context_.catalog.Meta(meta));
    if (known == stamp) return {};
    log_->Warn("ingest", problem.name + ": " + problem.reason);
    const store::QuarantineRow row{.file = problem.name, .reason = problem.reason, .at = context_.clock.NowSeconds()};
    SEGUE_RETURN_IF_ERROR(context_.catalog.AddQuarantine({&row, 1}));
    return context_.catalog.SetMeta(meta, stamp);
  }

  static void RemoveTaken(const InboxFile& file, const fs::path& inbox) {
    std::error_code error;
    fs::remove(file.path, error);
    // Folders that became empty by this go too; one that a person just made stays.
    for (fs::path folder = file.path.parent_path(); folder != inbox && folder.has_relative_path();
         folder = folder.parent_path()) {
      if (!fs::is_empty(folder, error) || error || !fs::remove(folder, error)) break;
    }
  }

  /// Somebody who copies files and then asks for a run means these files: waits
  /// until none has changed for inbox.settle_ms, unless they go on growing.
  InboxListing SettledInbox() const {
    const auto settle = std::chrono::milliseconds(context_.settings.inbox_settle_ms);
    const auto patience = std::chrono::steady_clock::now() + 5 * settle;
    while (true) {
      InboxListing listing = ListInbox(context_.folder.inbox());
      const int64_t now = context_.clock.NowMs();
      const bool fresh = std::any_of(listing.files.begin(), listing.files.end(),
                                     [&](const InboxFile& file) { return now - file.changed_ms < settle.count(); });
      if (!fresh || record_.trigger != "person" || context_.cancelled.load() || std::chrono::steady_clock::now() > patience) return listing;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }

  Status Ingest(json& detail) {
    const InboxListing listing = SettledInbox();
    const auto& settled = listing.files;
    ingest::Outcome total;
    int64_t waiting = 0;
    for (size_t i = 0; i < settled.size(); ++i) {
      if (context_.cancelled.load()) return Error{ErrorCode::kCancelled, "asked to stop"};
      log_->Progress("ingest", i, settled.size(), "files");
      const InboxFile& file = settled[i];
      if (context_.clock.NowMs() - file.changed_ms < context_.settings.inbox_settle_ms) {
        ++waiting;  // still being written: the next run takes it
        continue;
      }
      SEGUE_TRY(const auto outcome, IngestOne(file));
      if (outcome.grew) {
        ++waiting;
        continue;
      }
      RemoveTaken(file, context_.folder.inbox());
      total.accepted += outcome.accepted;
      total.already_known += outcome.already_known;
      total.set_aside += outcome.set_aside;
      total.quarantined += outcome.quarantined;
      total.rows += outcome.rows;
      total.rejected_rows += outcome.rejected_rows;
    }
    for (const InboxProblem& problem : listing.problems) SEGUE_RETURN_IF_ERROR(ReportProblem(problem));
    detail = {{"files", settled.size()}, {"accepted", total.accepted}, {"already_known", total.already_known},
              {"set_aside", total.set_aside}, {"quarantined", total.quarantined}, {"rows", total.rows},
              {"rejected_rows", total.rejected_rows}, {"still_growing", waiting},
              {"unreadable", listing.problems.size()}};
    SEGUE_TRY(const bool news, AnythingNew());
    if (!news) {
      log_->Info("ingest", "nothing new to learn from");
      End("nothing_new");
    }
    return {};
  }

  Result<ingest::Outcome> IngestOne(const InboxFile& file) {
    const ingest::Context context{context_.bucket, context_.catalog, context_.clock, context_.settings, *log_};
    // A bug in reading one file must not hold up all others for ever.
    try {
      return ingest::Ingest(context, {.path = file.path, .name = file.name, .run_id = record_.run_id});
    } catch (const std::exception& bug) {
      return Refuse(file, bug.what());
    }
  }

  Result<ingest::Outcome> Refuse(const InboxFile& file, const std::string& why) {
    const std::string sha = Sha256Hex(file.name + "\n" + std::to_string(file.changed_ms));
    log_->Warn("ingest", file.name + ": " + why);
    SEGUE_RETURN_IF_ERROR(context_.bucket.PutFile("quarantine/" + sha + "/file", file.path));
    const store::QuarantineRow row{.sha256 = sha, .file = file.name,
                                   .reason = "reading it failed: " + why, .at = context_.clock.NowSeconds()};
    SEGUE_RETURN_IF_ERROR(context_.catalog.AddQuarantine({&row, 1}));
    ingest::Outcome outcome;
    outcome.quarantined = 1;
    return outcome;
  }

  /// Is there accepted data or feedback that no run has judged yet?
  Result<bool> AnythingNew() {
    SEGUE_TRY(const auto objects, context_.catalog.Objects("accepted"));
    SEGUE_TRY(const auto judged, context_.catalog.Meta("judged_objects"));
    SEGUE_TRY(const int64_t seq, context_.catalog.LastEventSeq());
    if (objects.empty() && seq == 0) return false;
    const bool asked = record_.trigger != "inbox";
    return asked || std::to_string(objects.size()) != judged;
  }

  // --- clean ----------------------------------------------------------------

  Status Clean(json& detail) {
    const clean::Context context{context_.bucket, context_.catalog, context_.clock, context_.settings, *log_};
    SEGUE_TRY(judged_seq_, context_.catalog.LastEventSeq());
    SEGUE_TRY(const auto objects, context_.catalog.Objects("accepted"));
    judged_objects_ = objects.size();
    SEGUE_RETURN_IF_ERROR(clean::FlushEvents(context));
    SEGUE_TRY(const clean::Outcome outcome, clean::Clean(context));
    record_.dataset_id = outcome.dataset_id;
    detail = {{"dataset_id", outcome.dataset_id}, {"existed", outcome.existed}, {"rows_in", outcome.rows_in},
              {"rows_kept", outcome.rows_kept}, {"listeners", outcome.listeners}, {"tracks", outcome.tracks}};
    if (outcome.stop) {
      Alarm("data_quality", outcome.stop_reason);
      return Error{ErrorCode::kInvalid, outcome.stop_reason};
    }
    if (outcome.listeners == 0) {
      log_->Info("clean", "there are tracks but no listening yet: nothing to train on");
      SEGUE_RETURN_IF_ERROR(RememberJudged());
      End("nothing_new");
      return {};
    }
    SEGUE_TRY(const bool same, SameAsLastJudged());
    if (same && record_.trigger != "person") {
      log_->Info("clean", "the listening is the same as the last run's: nothing to train");
      SEGUE_RETURN_IF_ERROR(RememberJudged());
      End("nothing_new");
    }
    return {};
  }

  Result<bool> SameAsLastJudged() {
    SEGUE_TRY(const std::string judged, context_.catalog.Meta("judged_dataset"));
    if (judged.empty()) return false;
    if (judged == record_.dataset_id) return true;
    SEGUE_TRY(const std::string mine, LearningHash(context_, record_.dataset_id));
    const auto theirs = LearningHash(context_, judged);
    return theirs.ok() && mine == *theirs;
  }

  Status RememberJudged() {
    SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta("judged_objects", std::to_string(judged_objects_)));
    SEGUE_RETURN_IF_ERROR(context_.catalog.SetMeta("judged_seq", std::to_string(judged_seq_)));
    return context_.catalog.SetMeta("judged_dataset", record_.dataset_id);
  }

  // --- hits -----------------------------------------------------------------

  Status Hits(json& detail) {
    SEGUE_TRY(const HitOutcome outcome, RunHits(context_, record_.dataset_id, record_.run_id, *log_, detail));
    if (!outcome.judged) detail["skipped"] = outcome.why;
    // A run that had nothing else to do is about the model of hits.
    if (outcome.judged && ended_) end_state_ = outcome.approved ? "approved" : "refused";
    return {};
  }

  // --- train ----------------------------------------------------------------

  /// Does a model of this algorithm look at Dataset::hit_chance?
  bool UsesHits(const std::string& algorithm) const {
    return algorithm == "hit_chance" || (algorithm == "hybrid" && context_.settings.hybrid.members.find("hit_chance") != std::string::npos);
  }

  std::string ModelId(const std::string& algorithm, const Settings& settings) const {
    const std::string key = record_.dataset_id + "\n" + algorithm + "\n" + std::string(kTrainingVersion) + "\n" +
                            train::SettingsOf(algorithm, settings) + "evaluate.split=" + settings.split +
                            "\nevaluate.holdout_share=" + std::to_string(settings.holdout_share) +
                            (UsesHits(algorithm) ? "\nhit_model=" + hit_model_ : "");
    return "m" + Sha256Hex(key).substr(0, 16);
  }

  Status Train(json& detail) {
    SEGUE_TRY(court_, OpenCourt(context_, record_.dataset_id));
    auto hit_model = FillHitChance(context_, court_.split.train);
    if (hit_model.ok()) hit_model_ = *std::move(hit_model);
    else log_->Warn("train", "without hit chances: " + hit_model.error().message);
    detail["split"] = court_.split.description;
    detail["models"] = json::array();
    SEGUE_TRY(const SearchOutcome search, SearchForRun(context_, court_.split.train, record_.run_id, *log_, detail["search"]));
    for (const std::string& algorithm : train::SplitList(context_.settings.algorithms, ',')) {
      Settings settings = context_.settings;
      if (const auto best = search.best.find(algorithm); best != search.best.end()) {
        for (const auto& [name, value] : best->second) SEGUE_RETURN_IF_ERROR(Set(settings, name, value));
      }
      SEGUE_RETURN_IF_ERROR(TrainOne(algorithm, settings, detail["models"]));
    }
    if (candidates_.empty()) return Error{ErrorCode::kInvalid, "train.algorithms names no algorithm"};
    return {};
  }

  Status TrainOne(const std::string& algorithm, const Settings& settings, json& models) {
    Candidate candidate{.model_id = ModelId(algorithm, settings), .algorithm = algorithm, .settings = settings};
    const auto start = std::chrono::steady_clock::now();
    const bool existed = context_.bucket.Exists(store::ModelKey(candidate.model_id, "manifest.json"));
    if (existed) {
      SEGUE_TRY(candidate.model, LoadModel(context_, candidate.model_id));
    } else {
      SEGUE_TRY(const auto trainer, train::MakeTrainer(algorithm));
      SEGUE_TRY(candidate.model, trainer->Fit(court_.split.train, settings,
                                              static_cast<uint64_t>(settings.seed), *log_));
      SEGUE_RETURN_IF_ERROR(Keep(candidate));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    models.push_back({{"model_id", candidate.model_id}, {"algorithm", algorithm}, {"seconds", seconds},
                      {"existed", existed}});
    log_->Info("train", algorithm + (existed ? " was trained already" : " trained"),
               {{"model_id", candidate.model_id}, {"seconds", seconds}});
    candidates_.push_back(std::move(candidate));
    return {};
  }

  /// Artifact first, manifest last: a model without a manifest is not there.
  Status Keep(const Candidate& candidate) {
    const fs::path scratch = context_.bucket.ScratchFolder() / (candidate.model_id + ".segue");
    SEGUE_RETURN_IF_ERROR(candidate.model->Save(scratch));
    SEGUE_RETURN_IF_ERROR(context_.bucket.PutFile(store::ModelKey(candidate.model_id, "model.segue"), scratch));
    return context_.bucket.Put(store::ModelKey(candidate.model_id, "manifest.json"), Manifest(candidate).dump(2));
  }

  json Manifest(const Candidate& candidate) const {
    return {{"model_id", candidate.model_id},
            {"algorithm", candidate.algorithm},
            {"dataset_id", record_.dataset_id},
            {"run_id", record_.run_id},
            {"seed", context_.settings.seed},
            {"settings", train::SettingsOf(candidate.algorithm, candidate.settings)},
            {"split", court_.split.description},
            {"hit_model", UsesHits(candidate.algorithm) ? hit_model_ : ""},
            {"version", kVersion},
            {"training_version", kTrainingVersion}};
  }

  // --- evaluate -------------------------------------------------------------

  Status Evaluate(json& detail) {
    detail = json::array();
    for (Candidate& candidate : candidates_) {
      SEGUE_TRY(candidate.report, Judge(context_, court_, *candidate.model, candidate.model_id, *log_));
      detail.push_back(ToJson(candidate.report));
      SEGUE_RETURN_IF_ERROR(context_.catalog.PutModel(
          {.model_id = candidate.model_id, .algorithm = candidate.algorithm, .dataset_id = record_.dataset_id,
           .run_id = record_.run_id, .manifest = Manifest(candidate).dump(),
           .report = ToJson(candidate.report).dump(), .created_at = context_.clock.NowSeconds()}));
    }
    best_ = 0;
    for (size_t i = 1; i < candidates_.size(); ++i) {
      if (Selected(candidates_[i]) > Selected(candidates_[best_])) best_ = i;
    }
    record_.model_id = candidates_[best_].model_id;
    log_->Info("evaluate", candidates_[best_].algorithm + " is the best of " + std::to_string(candidates_.size()),
               {{"model_id", record_.model_id}, {kSelectionFigure, Selected(candidates_[best_])}});
    return {};
  }

  static double Selected(const Candidate& candidate) {
    const auto it = candidate.report.figures.find(kSelectionFigure);
    return it == candidate.report.figures.end() ? 0 : it->second.value;
  }

  // --- gate, deploy -----------------------------------------------------------

  Status Gate(json& detail) {
    const Candidate& best = candidates_[best_];
    const Smoke smoke = SmokeTest(context_, court_, *best.model, best.model_id);
    std::unique_ptr<Report> live;
    SEGUE_TRY(verdict_, AskGate(context_, court_, best.report, smoke, *log_, &live));
    const json verdict = ToJson(*verdict_);
    record_.verdict = verdict.dump();
    detail = {{"approved", verdict["approved"]}, {"reason", verdict["reason"]}};
    json report = {{"run_id", record_.run_id}, {"dataset_id", record_.dataset_id},
                   {"split", court_.split.description}, {"verdict", verdict}, {"candidates", json::array()},
                   {"live", live ? ToJson(*live) : json()}};
    for (const Candidate& candidate : candidates_) report["candidates"].push_back(ToJson(candidate.report));
    SEGUE_RETURN_IF_ERROR(context_.bucket.Put(store::RunKey(record_.run_id, "report.json"), report.dump(2)));
    SEGUE_TRY(auto model, context_.catalog.FindModel(best.model_id));
    if (!model) return Error{ErrorCode::kNotFound, "model " + best.model_id + " has left the registry"};
    model->verdict = record_.verdict;
    model->approved = verdict["approved"].get<bool>();
    SEGUE_RETURN_IF_ERROR(context_.catalog.PutModel(*model));
    log_->Info("gate", model->approved ? "approved" : "refused: " + verdict["reason"].get<std::string>(), verdict);
    if (!model->approved) {
      End("refused");
      return RememberJudged();
    }
    return {};
  }

  Status Deploy(json& detail) {
    SEGUE_TRY(const auto deployment,
              deploy::Promote(std::get<Approval>(*verdict_), context_.catalog, context_.clock, "pipeline",
                              "run " + record_.run_id + ": every check passed"));
    detail = {{"from", deployment.from_model}, {"to", deployment.to_model}};
    record_.state = "approved";
    return RememberJudged();
  }

  const Context& context_;
  RunRecord record_;
  std::unique_ptr<Instruments> log_;
  Court court_;
  std::string hit_model_;  ///< whose chances the court's train part has; "" none
  std::vector<Candidate> candidates_;
  size_t best_ = 0;
  std::optional<Verdict> verdict_;
  size_t judged_objects_ = 0;
  int64_t judged_seq_ = 0;
  bool ended_ = false;
  std::string end_state_;
};

}  // namespace

Result<store::RunRecord> RunOnce(const Context& context, const Trigger& trigger) {
  const int64_t now = context.clock.NowMs();
  return Run(context, {.run_id = NewRunId(now), .trigger = trigger.kind, .trigger_detail = trigger.detail,
                       .state = "running", .started_ms = now})
      .Execute();
}

Result<bool> ResumeInterrupted(const Context& context) {
  SEGUE_TRY(const auto runs, context.catalog.Runs(0, 20));
  for (store::RunRecord run : runs) {
    if (run.state != "running" && run.state != "interrupted") continue;
    context.instruments.Info("run", "resuming " + run.run_id + ", which was interrupted");
    run.state = "running";
    run.error.clear();
    run.finished_ms = 0;
    SEGUE_TRY(const auto finished, Run(context, run).Execute());
    return finished.state != "interrupted";
  }
  return false;
}

}  // namespace segue::pipeline
