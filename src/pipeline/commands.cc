#include <nlohmann/json.hpp>

#include "deploy/deploy.h"
#include "pipeline/hits.h"
#include "pipeline/judge.h"
#include "pipeline/pipeline.h"
#include "pipeline/records.h"
#include "store/aliases.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

/// A person's wish does not skip the gate: the model is judged against the
/// live one on the newest hold-out, and goes live only with an approval.
Result<store::DeploymentRecord> PromoteByHand(const Context& context, const std::string& named,
                                              const std::string& actor, const std::string& reason) {
  SEGUE_TRY(const std::string model_id, store::ResolveModel(context.catalog, named));
  SEGUE_TRY(const auto known, context.catalog.FindModel(model_id));
  if (!known) return Error{ErrorCode::kNotFound, "there is no model '" + model_id + "'; `segue models` lists them"};
  if (known->kind == ModelKind::kHits) return PromoteHitsByHand(context, *known, actor, reason);
  SEGUE_TRY(std::string dataset, context.catalog.Meta("judged_dataset"));
  if (dataset.empty()) dataset = known->dataset_id;
  SEGUE_TRY(const Court court, OpenCourt(context, dataset));
  SEGUE_TRY(const auto model, LoadModel(context, model_id));
  SEGUE_TRY(const Report report, Judge(context, court, *model, model_id, context.instruments));
  const Smoke smoke = SmokeTest(context, court, *model, model_id);
  SEGUE_TRY(const Verdict verdict, AskGate(context, court, report, smoke, context.instruments, nullptr));
  if (const auto* refusal = std::get_if<Refusal>(&verdict)) {
    return Error{ErrorCode::kConflict, "the gate refused model " + model_id + ": " + refusal->reason};
  }
  return deploy::Promote(std::get<Approval>(verdict), context.catalog, context.clock, actor, reason);
}

Result<store::DeploymentRecord> CarryOut(const Context& context, const store::Command& command) {
  const json arguments = json::parse(command.arguments, nullptr, false);
  if (!arguments.is_object()) return Error{ErrorCode::kInvalid, "the command's arguments are not a JSON object"};
  const std::string reason = arguments.value("reason", "");
  const std::string kind_name = arguments.value("kind", "");
  const auto kind = ParseModelKind(kind_name.empty() ? Name(ModelKind::kRecommender) : std::string_view(kind_name));
  if (!kind) return Error{ErrorCode::kInvalid, "there is no kind of model '" + kind_name + "'; known: recommender, hits"};
  if (command.kind == "rollback") {
    return deploy::Rollback(context.catalog, context.clock, command.actor, reason, *kind);
  }
  if (!kind_name.empty()) {
    // Who names a kind wants to be told where the model is another.
    SEGUE_TRY(const std::string model_id, store::ResolveModel(context.catalog, arguments.value("model_id", "")));
    SEGUE_TRY(const auto model, context.catalog.FindModel(model_id));
    if (model && model->kind != *kind) {
      return Error{ErrorCode::kConflict, "model " + model->model_id + " is of kind '" + std::string(Name(model->kind)) + "', not '" + kind_name + "'"};
    }
  }
  return PromoteByHand(context, arguments.value("model_id", ""), command.actor, reason);
}

Result<store::DeploymentRecord> CarryOutGuarded(const Context& context, const store::Command& command) {
  try {
    return CarryOut(context, command);
  } catch (const std::exception& bug) {
    return Error{ErrorCode::kIo, bug.what()};
  }
}

/// {"from","live","to","kind"}; where a trial was ended instead of moving the live
/// model, "ended": what kind of trial it was.
json OutcomeOf(const store::DeploymentRecord& step) {
  json outcome = {{"from", step.from_model}, {"live", step.to_model}, {"to", step.to_model}, {"kind", Name(step.kind)}};
  if (step.action != "withdraw") return outcome;
  const json figures = json::parse(step.figures, nullptr, false);
  outcome["ended"] = figures.is_object() ? figures.value("trial", "trial") : "trial";
  return outcome;
}

}  // namespace

Status FollowCommands(const Context& context) {
  SEGUE_TRY(const auto commands, context.catalog.PendingCommands());
  for (const store::Command& command : commands) {
    if (command.kind != "promote" && command.kind != "rollback") continue;
    const auto done = CarryOutGuarded(context, command);
    const json outcome = done.ok() ? OutcomeOf(*done) : json{{"code", Name(done.error().code)}, {"message", done.error().message}};
    SEGUE_RETURN_IF_ERROR(context.catalog.FinishCommand(command.id, done.ok() ? "done" : "failed", outcome.dump()));
    context.instruments.Info("deploy", command.kind + (done.ok() ? " done" : " refused"), outcome);
  }
  return {};
}

}  // namespace segue::pipeline
