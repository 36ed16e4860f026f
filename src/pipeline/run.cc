#include <algorithm>
#include <chrono>
#include <functional>
#include <thread>

#include <nlohmann/json.hpp>

#include "clean/cleaner.h"
#include "core/check.h"
#include "monitor/run_log.h"
#include "pipeline/drift.h"
#include "pipeline/hits.h"
#include "pipeline/inbox.h"
#include "pipeline/intake.h"
#include "pipeline/judge.h"
#include "pipeline/judged.h"
#include "pipeline/manifest.h"
#include "pipeline/pipeline.h"
#include "pipeline/records.h"
#include "pipeline/release.h"
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

struct Candidate {
  std::string model_id;
  std::string algorithm;
  std::unique_ptr<models::Model> model;
  Report report;
};

/// One run on its way through the stages.
class Run {
 public:
  Run(const Context& context, RunRecord record)
      : context_(context), record_(std::move(record)), dry_run_(record_.trigger == kDryRun),
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
    // A resumed run keeps what it found new, and knows whether it came to its verdict.
    const json found = NewsOf(record_);
    if (found.is_object()) news_ = found;
    verdict_before_ = json::parse(record_.verdict, nullptr, false);
    SEGUE_TRY(const bool remembered, JudgedBy(context_, record_.run_id));
    judged_before_ = remembered && verdict_before_.is_object();
    record_.stages.clear();
    for (const auto& [name, body] : kStages) record_.stages.push_back({.name = name, .state = "waiting"});
    // Who is killed again before ingest is over has it still.
    if (news_.is_object()) record_.stages.front().detail = json{{"new", news_}}.dump();
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

  void Alarm(const std::string& name, const std::string& message, const std::string& severity = "critical") {
    if (dry_run_) return;  // who asked for it sees it
    // What fires already is not said again by each try, nor by a run that is resumed.
    const auto firing = context_.catalog.alarm_book().ListAlarms({.state = std::string(store::kAlarmFiring), .name = name});
    if (firing.ok() && std::any_of(firing->begin(), firing->end(), [&](const auto& alarm) { return alarm.message == message; })) return;
    const Status kept = context_.catalog.AddAlarm({.at = context_.clock.NowSeconds(), .severity = severity,
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

  Status Ingest(json& detail) {
    if (dry_run_) {
      detail = {{"skipped", "a dry run leaves the inbox alone"}, {"files", ListInbox(context_.folder.inbox()).files.size()}};
    } else {
      SEGUE_RETURN_IF_ERROR(TakeInbox(context_, record_, *log_, detail));
    }
    SEGUE_TRY(const News news, WhatIsNew(context_));
    there_ = news.there;
    if (news_.is_null()) {
      news_ = {{"objects", news.fresh.objects}, {"rows", news.fresh.rows}, {"events", news.fresh.events}};
      if (news.fresh.forgotten != 0) news_["forgotten"] = news.fresh.forgotten;
      if (!news.config.empty()) news_["config"] = news.config;
    }
    detail["new"] = news_;
    const bool nothing = there_.objects == 0 && there_.events == 0;
    if (nothing && dry_run_) {
      return Error{ErrorCode::kInvalid, "there is nothing to learn from yet, and a dry run leaves the inbox alone (" + detail["files"].dump() +
                                            " files are in it): `segue ingest` takes files in"};
    }
    reconfigured_ = news_.contains("config");
    // Feedback may be judged anew at any time; the others ask for something that was not there.
    const bool told = news_["objects"] != 0 || (record_.trigger != "inbox" && news_["events"] != 0) || record_.trigger == "feedback" ||
                      news_.contains("forgotten");
    if (nothing || !(told || insists())) {
      log_->Info("ingest", "nothing new to learn from");
      End("nothing_new");
    }
    return {};
  }

  /// Does the run go on even where there is nothing new to learn from?
  bool insists() const {
    return reconfigured_ || dry_run_ || judged_before_ || record_.trigger == "person" || record_.trigger == "drift" || record_.trigger == "config";
  }

  // --- clean ----------------------------------------------------------------

  Status Clean(json& detail) {
    const clean::Context context{context_.bucket, context_.catalog, context_.clock, context_.settings, *log_};
    // Before they are read: what comes in meanwhile is news for the next run.
    SEGUE_TRY(there_, MaterialNow(context_));
    SEGUE_RETURN_IF_ERROR(clean::FlushEvents(context));
    SEGUE_TRY(const clean::Outcome outcome, clean::Clean(context));
    record_.dataset_id = outcome.dataset_id;
    detail = {{"dataset_id", outcome.dataset_id}, {"existed", outcome.existed}, {"rows_in", outcome.rows_in},
              {"rows_kept", outcome.rows_kept}, {"listeners", outcome.listeners}, {"tracks", outcome.tracks}};
    if (outcome.stop) {
      Alarm("data_quality", outcome.stop_reason);
      return Error{ErrorCode::kInvalid, outcome.stop_reason};
    }
    // A comparison that cannot be made is no reason not to train.
    if (const Status compared = LookForDrift(detail); !compared.ok()) log_->Warn("clean", compared.error().message);
    if (outcome.listeners == 0) {
      log_->Info("clean", "there are tracks but no listening yet: nothing to train on");
      if (dry_run_) return Error{ErrorCode::kInvalid, "there are tracks but no listening yet: nothing to train on"};
      SEGUE_RETURN_IF_ERROR(RememberJudged());
      End("nothing_new");
      return {};
    }
    SEGUE_TRY(const bool same, SameAsLastJudged(context_, record_.dataset_id));
    if (same && !insists()) {
      log_->Info("clean", "the listening is the same as the last run's: nothing to train");
      SEGUE_RETURN_IF_ERROR(RememberJudged());
      End("nothing_new");
    }
    return {};
  }

  /// The dataset against the live model's. Neither alarm has the name that starts
  /// a run: this run is the one that judges these data.
  Status LookForDrift(json& detail) {
    SEGUE_TRY(drift_, DataDrift(context_, record_.dataset_id));
    if (drift_.is_null()) return {};
    const std::string drifted = drift_["drifted"], undefined = drift_["undefined"];
    detail["drift"] = {{"baseline_dataset_id", drift_["baseline_dataset_id"]}, {"drifted", drifted}, {"undefined", undefined}, {"moved", drift_["moved"]}};
    if (!drifted.empty()) Alarm("data_drift", "the data have drifted from the live model's: " + drifted, "warning");
    if (!undefined.empty()) Alarm("undefined_data", "undefined data has come in: " + undefined);
    return KeepDrift();
  }

  Status KeepDrift() {
    SEGUE_RETURN_IF_ERROR(context_.bucket.Put(store::RunKey(record_.run_id, "drift.json"), drift_.dump(2)));
    return dry_run_ ? Status() : context_.catalog.SetMeta("drift_run", record_.run_id);
  }

  /// What listeners would be shown, against what they are shown.
  Status LookForPredictionDrift(const Candidate& best, json& detail) {
    SEGUE_TRY(const auto live, context_.catalog.Live());
    if (!live || live->to_model == best.model_id) return {};
    SEGUE_TRY(const auto model, LoadModel(context_, live->to_model));
    const json predictions = PredictionDrift(context_, court_, *best.model, best.model_id, *model, live->to_model);
    detail["drift"] = predictions;
    drift_["predictions"] = predictions;
    return KeepDrift();
  }

  Status RememberJudged() { return dry_run_ ? Status() : pipeline::RememberJudged(context_, there_, record_.dataset_id, record_.run_id); }

  // --- hits -----------------------------------------------------------------

  Status Hits(json& detail) {
    SEGUE_TRY(const HitOutcome outcome, RunHits(context_, record_.dataset_id, record_.run_id, dry_run_, *log_, detail));
    if (!outcome.judged) detail["skipped"] = outcome.why;
    // A run that had nothing else to do is about the model of hits.
    if (outcome.judged && ended_) end_state_ = outcome.approved ? "approved" : "refused";
    return {};
  }

  // --- train ----------------------------------------------------------------

  Status Train(json& detail) {
    SEGUE_TRY(court_, OpenCourt(context_, record_.dataset_id));
    SEGUE_RETURN_IF_ERROR(LookAtHits());
    detail["split"] = court_.split.description;
    detail["models"] = json::array();
    SEGUE_TRY(const SearchOutcome search, SearchForRun(context_, court_.split.train, record_.run_id, dry_run_, *log_, detail["search"]));
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

  /// Asks the live model of hits about all tracks where an algorithm wants to know.
  Status LookAtHits() {
    const auto algorithms = train::SplitList(context_.settings.algorithms, ',');
    const auto wants = [&](const std::string& algorithm) { return UsesHitChance(algorithm, context_.settings); };
    if (std::none_of(algorithms.begin(), algorithms.end(), wants)) return {};
    SEGUE_TRY(hit_model_, LiveHitModel(context_));
    if (hit_model_.empty()) return {};
    if (const Status filled = FillHitChance(context_, hit_model_, court_.split.train); !filled.ok()) {
      log_->Warn("train", "without hit chances: " + filled.error().message);
      hit_model_.clear();
    }
    return {};
  }

  Status TrainOne(const std::string& algorithm, const Settings& settings, json& models) {
    const std::string hit_model = UsesHitChance(algorithm, settings) ? hit_model_ : "";
    Candidate candidate{.model_id = RecommenderId(settings, record_.dataset_id, algorithm, hit_model), .algorithm = algorithm};
    const auto start = std::chrono::steady_clock::now();
    const bool existed = context_.bucket.Exists(store::ModelKey(candidate.model_id, "manifest.json"));
    if (existed) {
      SEGUE_TRY(candidate.model, LoadModel(context_, candidate.model_id));
    } else {
      SEGUE_TRY(const auto trainer, train::MakeTrainer(algorithm));
      SEGUE_TRY(candidate.model, trainer->Fit(court_.split.train, settings, static_cast<uint64_t>(settings.seed), *log_));
      SEGUE_RETURN_IF_ERROR(KeepModel(context_, [&](const fs::path& file) { return candidate.model->Save(file); },
                                      RecommenderManifest(settings, record_, candidate.model_id, algorithm, court_.split.description, hit_model)));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    models.push_back({{"model_id", candidate.model_id}, {"algorithm", algorithm}, {"seconds", seconds},
                      {"existed", existed}});
    log_->Info("train", algorithm + (existed ? " was trained already" : " trained"),
               {{"model_id", candidate.model_id}, {"seconds", seconds}});
    candidates_.push_back(std::move(candidate));
    return {};
  }

  // --- evaluate -------------------------------------------------------------

  Status Evaluate(json& detail) {
    detail = json::array();
    for (Candidate& candidate : candidates_) {
      SEGUE_TRY(candidate.report, Judge(context_, court_, *candidate.model, candidate.model_id, *log_));
      detail.push_back(ToJson(candidate.report));
      SEGUE_RETURN_IF_ERROR(Register(candidate));
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

  /// Into the registry. A dry run changes nothing of a model that is there.
  Status Register(const Candidate& candidate) {
    if (dry_run_) {
      SEGUE_TRY(const auto known, context_.catalog.FindModel(candidate.model_id));
      if (known) return {};
    }
    SEGUE_TRY(const json manifest, ReadManifest(context_, candidate.model_id));
    return context_.catalog.PutModel({.model_id = candidate.model_id, .algorithm = candidate.algorithm, .dataset_id = record_.dataset_id,
                                      .run_id = record_.run_id, .manifest = manifest.dump(), .report = ToJson(candidate.report).dump(),
                                      .created_at = context_.clock.NowSeconds()});
  }

  static double Selected(const Candidate& candidate) {
    const auto it = candidate.report.figures.find(kSelectionFigure);
    return it == candidate.report.figures.end() ? 0 : it->second.value;
  }

  // --- gate, deploy -----------------------------------------------------------

  Status Gate(json& detail) {
    const Candidate& best = candidates_[best_];
    std::vector<const Report*> reports;
    for (const Candidate& candidate : candidates_) reports.push_back(&candidate.report);
    SEGUE_TRY(verdict_, PassGate(context_, record_, {court_, *best.model, best.report, reports, verdict_before_, dry_run_}, *log_, detail));
    if (const Status compared = LookForPredictionDrift(best, detail); !compared.ok()) log_->Warn("gate", compared.error().message);
    if (dry_run_) {
      End("dry_run");
      return {};
    }
    if (!detail["approved"].get<bool>()) {
      End("refused");
      return RememberJudged();
    }
    return {};
  }

  Status Deploy(json& detail) {
    SEGUE_TRY(const auto step, Release(context_, std::get<Approval>(*verdict_), "run " + record_.run_id + ": every check passed"));
    detail = {{"action", step.action}, {"from", step.from_model}, {"to", step.to_model}};
    End("approved");
    return RememberJudged();
  }

  const Context& context_;
  RunRecord record_;
  const bool dry_run_;
  std::unique_ptr<Instruments> log_;
  Court court_;
  std::string hit_model_;  ///< whose chances the court's train part has; "" none
  std::vector<Candidate> candidates_;
  size_t best_ = 0;
  std::optional<Verdict> verdict_;
  Material there_;
  json news_;                  ///< as NewsOf
  json drift_;                 ///< drift.json
  json verdict_before_;        ///< of this run before it was interrupted; no object where it had none
  bool judged_before_ = false; ///< and it was remembered
  bool reconfigured_ = false;  ///< the settings are others than at the last verdict
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
