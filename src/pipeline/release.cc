#include "pipeline/release.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <nlohmann/json.hpp>

#include "deploy/deploy.h"
#include "deploy/trial.h"
#include "pipeline/records.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

constexpr int64_t kHistory = 1000;

/// The step by which this model was rolled back from a trial against the model
/// that is still live; nothing where it was not.
Result<std::optional<store::DeploymentRecord>> RolledBack(const Context& context, const std::string& model_id) {
  SEGUE_TRY(const auto history, context.catalog.Deployments(kHistory));
  for (const auto& step : history) {
    if (step.kind != ModelKind::kRecommender) continue;
    if (step.action == "promote" || step.action == "rollback") break;
    const json figures = json::parse(step.figures, nullptr, false);
    const bool rolled_back = figures.is_object() && figures.value("ended", "") == deploy::Name(deploy::Withdrawal::kRolledBack);
    if (step.action == "withdraw" && step.from_model == model_id && rolled_back) return std::optional(step);
  }
  return std::optional<store::DeploymentRecord>();
}

}  // namespace

Result<Verdict> PassGate(const Context& context, store::RunRecord& run, const Brought& brought, Instruments& log, json& detail) {
  const std::string& model_id = brought.report.model_id;
  const Smoke smoke = SmokeTest(context, brought.court, brought.model, model_id);
  std::unique_ptr<Report> live;
  SEGUE_TRY(const Verdict ruling, AskGate(context, brought.court, brought.report, smoke, log, &live));
  json verdict = ToJson(ruling);
  // What this run put live before it was killed is not judged against itself.
  SEGUE_TRY(const auto now_live, context.catalog.Live());
  const json& before = brought.verdict_before;
  const bool mine = now_live && now_live->to_model == model_id && before.is_object() && before.value("approved", false);
  if (mine && before.value("model_id", "") == model_id) verdict = before;
  run.verdict = verdict.dump();
  detail = {{"approved", verdict["approved"]}, {"reason", verdict["reason"]}};
  json report = {{"run_id", run.run_id}, {"dataset_id", run.dataset_id}, {"split", brought.court.split.description},
                 {"verdict", verdict}, {"candidates", json::array()}, {"live", live ? ToJson(*live) : json()}};
  for (const Report* candidate : brought.candidates) report["candidates"].push_back(ToJson(*candidate));
  SEGUE_RETURN_IF_ERROR(context.bucket.Put(store::RunKey(run.run_id, "report.json"), report.dump(2)));
  const bool approved = verdict["approved"].get<bool>();
  log.Info("gate", approved ? "approved" : "refused: " + verdict["reason"].get<std::string>(), verdict);
  if (brought.dry_run) return ruling;
  SEGUE_TRY(auto model, context.catalog.FindModel(model_id));
  if (!model) return Error{ErrorCode::kNotFound, "model " + model_id + " has left the registry"};
  model->verdict = run.verdict;
  model->approved = approved;
  SEGUE_RETURN_IF_ERROR(context.catalog.PutModel(*model));
  // Before the marks: who is resumed with these has his verdict, too.
  SEGUE_RETURN_IF_ERROR(context.catalog.PutRun(run));
  return ruling;
}

Result<store::DeploymentRecord> Release(const Context& context, const Approval& approval, std::string_view reason) {
  const DeliverySettings& delivery = context.settings.delivery;
  SEGUE_TRY(const auto live, context.catalog.Live());
  if (delivery.mode == "live" || !live) return deploy::Promote(approval, context.catalog, context.clock, "pipeline", reason);
  SEGUE_TRY(auto rolled_back, RolledBack(context, approval.model_id()));
  if (rolled_back) return *std::move(rolled_back);
  const bool shown = delivery.mode == "canary";
  return deploy::StartTrial(approval, {shown, shown ? delivery.canary_share : delivery.shadow_share}, context.catalog, context.clock, "pipeline", reason);
}

}  // namespace segue::pipeline
