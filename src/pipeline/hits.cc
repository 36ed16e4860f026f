#include "pipeline/hits.h"

#include <chrono>

#include <nlohmann/json.hpp>

#include "core/hash.h"
#include "core/version.h"
#include "deploy/deploy.h"
#include "gate/gate.h"
#include "models/hit_chance.h"
#include "pipeline/hit_search.h"
#include "pipeline/judge.h"
#include "pipeline/judged.h"
#include "pipeline/manifest.h"
#include "pipeline/records.h"
#include "train/calibration.h"
#include "train/member_list.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr size_t kCalibrationFolds = 5;
constexpr const char* kJudgedHits = "judged_hits";          ///< HitCourt::content of what was judged last, and how
constexpr const char* kJudgedDataset = "judged_hits_dataset";

struct Candidate {
  std::string model_id, name, algorithm;  ///< name: as in hits.algorithms
  std::string settings;
  std::unique_ptr<models::Classifier> model;
  HitReport report;
};

/// Does the artifact, loaded again, predict as the model it was saved from?
bool SmokeTest(const Context& context, const HitCourt& court, const models::Classifier& fitted, const HitReport& report) {
  const auto loaded = LoadHitModel(context, report.model_id);
  if (!loaded.ok() || (*loaded)->features() != fitted.features()) return false;
  const auto again = JudgeHits(court, **loaded, report.model_id);
  return again.ok() && again->probability == report.probability;
}

/// What share of the artists a model was trained without; 1 where its manifest does not say.
Result<double> HoldoutShareOf(const Context& context, const std::string& model_id) {
  SEGUE_TRY(const auto record, context.catalog.FindModel(model_id));
  const json manifest = record ? json::parse(record->manifest, nullptr, false) : json();
  return manifest.is_object() ? manifest.value("holdout_share", 1.0) : 1.0;
}

/// What the gate says of a model against the live one, both on this court.
Result<Verdict> DecideHits(const Context& context, const HitCourt& court, const HitReport& report, bool smoke_test_passed,
                           std::unique_ptr<HitReport>* live_report) {
  SEGUE_TRY(const auto live, context.catalog.Live(ModelKind::kHits));
  std::unique_ptr<HitReport> against;
  HitReport ours = report;
  if (live && live->to_model != report.model_id) {
    const auto model = LoadHitModel(context, live->to_model);
    if (!model.ok()) return model.error().In("judging the live hit model");
    SEGUE_TRY(const double share, HoldoutShareOf(context, live->to_model));
    const HitCourt fair = court.HeldOutBy(share);
    auto judged = JudgeHits(fair, **model, live->to_model);
    if (!judged.ok()) return judged.error().In("judging the live hit model");
    against = std::make_unique<HitReport>(*std::move(judged));
    if (fair.test.size() < court.test.size()) {
      SEGUE_TRY(const auto challenger, LoadHitModel(context, report.model_id));
      SEGUE_TRY(ours, JudgeHits(fair, *challenger, report.model_id));
    }
  }
  SEGUE_TRY(const uint64_t bytes, ArtifactBytes(context, report.model_id));
  Verdict verdict = gate::Decide(gate::HitQuestion{.challenger = ours,
                                                   .live = against.get(),
                                                   .artifact_bytes = bytes,
                                                   .smoke_test_passed = smoke_test_passed,
                                                   .settings = context.settings,
                                                   .seed = static_cast<uint64_t>(context.settings.seed)});
  if (live_report != nullptr) *live_report = std::move(against);
  return verdict;
}

Status KeepVerdict(const Context& context, const std::string& model_id, const Verdict& verdict) {
  SEGUE_TRY(auto record, context.catalog.FindModel(model_id));
  if (!record) return Error{ErrorCode::kNotFound, "model " + model_id + " has left the registry"};
  record->verdict = ToJson(verdict).dump();
  record->approved = std::holds_alternative<Approval>(verdict);
  return context.catalog.PutModel(*record);
}

/// One pass through the candidates of a run.
class HitRun {
 public:
  HitRun(const Context& context, const HitCourt& court, std::string_view run_id, bool dry_run, Instruments& log, json& detail)
      : context_(context), court_(court), run_id_(run_id), dry_run_(dry_run), log_(log), detail_(detail),
        search_(context, court, run_id_, dry_run, log, detail["search"]) {}

  Result<HitOutcome> Execute() {
    detail_["models"] = json::array();
    for (const std::string& name : train::SplitList(context_.settings.hits.algorithms, ',')) {
      if (log_.Cancelled()) return Error{ErrorCode::kCancelled, "asked to stop"};
      SEGUE_RETURN_IF_ERROR(TrainAndJudge(name));
    }
    if (candidates_.empty()) return Error{ErrorCode::kInvalid, "hits.algorithms names no algorithm"};
    size_t best = 0;
    for (size_t i = 1; i < candidates_.size(); ++i) {
      if (candidates_[i].report.auc > candidates_[best].report.auc) best = i;
    }
    log_.Info("hits", candidates_[best].name + " is the best of " + std::to_string(candidates_.size()),
              {{"model_id", candidates_[best].model_id}, {"auc", candidates_[best].report.auc}});
    return GateAndDeploy(candidates_[best]);
  }

 private:
  Status TrainAndJudge(const std::string& name) {
    auto member = train::ReadMember(name, context_.settings);
    if (!member.ok()) return member.error().In("hits.algorithms");
    const auto trainer = train::MakeClassifierTrainer(member->algorithm);
    if (!trainer.ok()) return trainer.error().In("hits.algorithms");
    SEGUE_TRY(const Settings settings, search_.Best(name, *member));
    Candidate candidate{.name = name, .algorithm = member->algorithm, .settings = train::SettingsOfClassifier(member->algorithm, settings)};
    candidate.model_id = "h" + Sha256Hex(court_.content + "\n" + candidate.algorithm + "\n" + std::string(kTrainingVersion) + "\n" +
                                         candidate.settings + "calibrate=" + context_.settings.hits.calibrate).substr(0, 16);
    const auto start = std::chrono::steady_clock::now();
    const bool existed = context_.bucket.Exists(store::ModelKey(candidate.model_id, "manifest.json"));
    if (existed) {
      SEGUE_TRY(candidate.model, LoadHitModel(context_, candidate.model_id));
    } else {
      auto fitted = FitHitModel(**trainer, court_, settings, static_cast<uint64_t>(context_.settings.seed), log_);
      if (!fitted.ok()) return fitted.error().In(name);
      candidate.model = *std::move(fitted);
      SEGUE_RETURN_IF_ERROR(KeepModel(context_, [&](const std::filesystem::path& file) { return candidate.model->Save(file); },
                                      Manifest(candidate)));
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    SEGUE_TRY(candidate.report, JudgeHits(court_, *candidate.model, candidate.model_id));
    candidate.report.algorithm = candidate.algorithm;
    json line = ToJson(candidate.report);
    line["seconds"] = seconds;
    line["existed"] = existed;
    detail_["models"].push_back(line);
    log_.Info("hits", name + (existed ? " was trained already" : " trained"),
              {{"model_id", candidate.model_id}, {"seconds", seconds}, {"auc", candidate.report.auc}, {"accuracy", candidate.report.accuracy}});
    SEGUE_RETURN_IF_ERROR(Register(candidate));
    candidates_.push_back(std::move(candidate));
    return {};
  }

  json Manifest(const Candidate& candidate) const {
    return {{"model_id", candidate.model_id},
            {"kind", Name(ModelKind::kHits)},
            {"algorithm", candidate.algorithm},
            {"dataset_id", court_.dataset_id},
            {"songs", court_.content},
            {"run_id", run_id_},
            {"seed", context_.settings.seed},
            {"settings", candidate.settings},
            {"calibrate", context_.settings.hits.calibrate},
            {"holdout_share", context_.settings.hits.holdout_share},
            {"split", "artists by hash, " + std::to_string(context_.settings.hits.holdout_share) + " held out"},
            {"split_settings", ResultFingerprint(context_.settings, "hits.holdout_share") + ResultFingerprint(context_.settings, "hits.calibrate")},
            {"version", kVersion},
            {"training_version", kTrainingVersion}};
  }

  /// A model that was there before keeps its verdict until the gate is asked again.
  Status Register(const Candidate& candidate) const {
    SEGUE_TRY(const auto known, context_.catalog.FindModel(candidate.model_id));
    if (known && dry_run_) return {};
    SEGUE_TRY(const json manifest, ReadManifest(context_, candidate.model_id));
    store::ModelRecord record = known.value_or(store::ModelRecord{
        .model_id = candidate.model_id, .algorithm = candidate.algorithm, .dataset_id = court_.dataset_id, .run_id = run_id_,
        .manifest = manifest.dump(), .created_at = context_.clock.NowSeconds(), .kind = ModelKind::kHits});
    record.report = ToJson(candidate.report).dump();
    return context_.catalog.PutModel(record);
  }

  Result<HitOutcome> GateAndDeploy(const Candidate& best) {
    std::unique_ptr<HitReport> live;
    const bool smoke = SmokeTest(context_, court_, *best.model, best.report);
    SEGUE_TRY(const Verdict verdict, DecideHits(context_, court_, best.report, smoke, &live));
    if (!dry_run_) SEGUE_RETURN_IF_ERROR(KeepVerdict(context_, best.model_id, verdict));
    const json kept = ToJson(verdict);
    detail_["verdict"] = kept;
    detail_["model_id"] = best.model_id;
    if (live) detail_["live"] = ToJson(*live);
    HitOutcome outcome{.judged = true, .why = kept["reason"], .approved = std::holds_alternative<Approval>(verdict), .model_id = best.model_id};
    log_.Info("hits", outcome.approved ? "approved" : "refused: " + outcome.why, kept);
    if (outcome.approved && !dry_run_) {
      SEGUE_TRY(const auto deployment, deploy::Promote(std::get<Approval>(verdict), context_.catalog, context_.clock, "pipeline",
                                                       "run " + run_id_ + ": every check passed"));
      detail_["from"] = deployment.from_model;
      detail_["to"] = deployment.to_model;
    }
    return outcome;
  }

  const Context& context_;
  const HitCourt& court_;
  const std::string run_id_;
  const bool dry_run_;
  Instruments& log_;
  json& detail_;
  HitSearch search_;
  std::vector<Candidate> candidates_;
};

}  // namespace

Result<std::unique_ptr<models::Classifier>> FitHitModel(const train::ClassifierTrainer& trainer, const HitCourt& court, const Settings& settings,
                                                        uint64_t seed, Instruments& instruments) {
  SEGUE_TRY(auto fitted, train::FitCalibrated(trainer, court.songs, court.train, models::ParseCalibration(settings.hits.calibrate), kCalibrationFolds,
                                              train::FoldsBy::kArtist, settings, seed, instruments));
  return std::unique_ptr<models::Classifier>(std::move(fitted));
}

Result<std::unique_ptr<models::Classifier>> LoadHitModel(const Context& context, std::string_view model_id) {
  SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
  return models::LoadClassifier(path);
}

Result<Verdict> AskHitGate(const Context& context, const HitCourt& court, const HitReport& report, bool smoke_test_passed) {
  SEGUE_TRY(const Verdict verdict, DecideHits(context, court, report, smoke_test_passed, nullptr));
  SEGUE_RETURN_IF_ERROR(KeepVerdict(context, report.model_id, verdict));
  return verdict;
}

Result<store::DeploymentRecord> PromoteHitsByHand(const Context& context, const store::ModelRecord& model, const std::string& actor,
                                                  const std::string& reason) {
  SEGUE_TRY(std::string dataset, context.catalog.Meta(kJudgedDataset));
  if (dataset.empty()) dataset = model.dataset_id;
  SEGUE_TRY(const HitCourt court, OpenHitCourt(context, dataset));
  if (!court.unfit.empty()) return Error{ErrorCode::kConflict, "model " + model.model_id + " cannot be judged: " + court.unfit};
  SEGUE_TRY(const auto loaded, LoadHitModel(context, model.model_id));
  SEGUE_TRY(HitReport report, JudgeHits(court, *loaded, model.model_id));
  const bool smoke = SmokeTest(context, court, *loaded, report);
  SEGUE_TRY(const Verdict verdict, AskHitGate(context, court, report, smoke));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    return Error{ErrorCode::kConflict, "the gate refused model " + model.model_id + ": " + refusal->reason};
  }
  return deploy::Promote(std::get<Approval>(verdict), context.catalog, context.clock, actor, reason);
}

Result<std::string> LiveHitModel(const Context& context) {
  SEGUE_TRY(const auto live, context.catalog.Live(ModelKind::kHits));
  return live ? live->to_model : std::string();
}

Status FillHitChance(const Context& context, std::string_view model_id, Dataset& data) {
  SEGUE_TRY(const auto model, LoadHitModel(context, model_id));
  auto chances = models::HitChances(*model, data.tracks);
  if (!chances.ok()) return chances.error().In("model " + std::string(model_id));
  data.hit_chance = *std::move(chances);
  return {};
}

Result<HitOutcome> RunHits(const Context& context, std::string_view dataset_id, std::string_view run_id, bool dry_run, Instruments& log, json& detail) {
  SEGUE_TRY(const HitCourt court, OpenHitCourt(context, dataset_id));
  if (!court.unfit.empty()) return HitOutcome{.why = court.unfit};
  SEGUE_TRY(const std::string judged, context.catalog.Meta(kJudgedHits));
  const std::string now = court.content + " " + Sha256Hex(HitConfigFingerprint(context.settings)).substr(0, 16);
  if (judged == now) return HitOutcome{.why = "the labelled tracks are the same as the last that were judged, and the settings too"};
  detail = {{"train", court.train.size()}, {"test", court.test.size()}};
  SEGUE_TRY(const HitOutcome outcome, HitRun(context, court, run_id, dry_run, log, detail).Execute());
  if (dry_run) return outcome;
  SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kJudgedDataset, court.dataset_id));
  SEGUE_RETURN_IF_ERROR(context.catalog.SetMeta(kJudgedHits, now));
  return outcome;
}

}  // namespace segue::pipeline
