#include "deploy/trial.h"

#include <utility>

#include <nlohmann/json.hpp>

#include "deploy/step.h"

namespace segue::deploy {
namespace {

using nlohmann::json;

json ObjectOf(std::string_view text) {
  json value = json::parse(text, nullptr, false);
  return value.is_object() ? value : json::object();
}

}  // namespace

std::string_view Name(Withdrawal withdrawal) {
  switch (withdrawal) {
    case Withdrawal::kRolledBack: return "rolled_back";
    case Withdrawal::kSuperseded: return "superseded";
    case Withdrawal::kTimedOut: return "timed_out";
    case Withdrawal::kByHand: break;
  }
  return "by_hand";
}

Result<store::DeploymentRecord> StartTrial(const Approval& approval, const TrialPlan& plan, store::Catalog& catalog, const store::Clock& clock,
                                           std::string_view actor, std::string_view reason) {
  SEGUE_RETURN_IF_ERROR(CheckRegistered(approval, catalog));
  const std::string& challenger = approval.model_id();
  if (approval.kind() != ModelKind::kRecommender) {
    return Error{ErrorCode::kConflict, "model " + challenger + " is of kind '" + std::string(Name(approval.kind())) + "': only recommenders are tried on listeners"};
  }
  SEGUE_TRY(const auto live, catalog.Live());
  if (!live) return Error{ErrorCode::kConflict, "no model is live that " + challenger + " could be tried against: promote it"};
  if (live->to_model == challenger) return *live;
  const std::string action = plan.shown ? "canary" : "shadow";
  SEGUE_TRY(auto trial, catalog.Trial());
  if (trial && trial->to_model == challenger && trial->action == action) return *trial;
  if (trial && trial->to_model != challenger) {
    SEGUE_TRY(trial, Withdraw(*trial, catalog, clock, actor, Withdrawal::kSuperseded, challenger + " was approved after it"));
  }
  json figures = ObjectOf(FiguresOf(approval));
  figures["share"] = plan.share;
  store::DeploymentRecord record{.seq = trial ? trial->seq : 0, .at = clock.NowSeconds(), .actor = std::string(actor), .action = action,
                                 .from_model = live->to_model, .to_model = challenger, .reason = std::string(reason),
                                 .figures = figures.dump()};
  SEGUE_RETURN_IF_ERROR(catalog.Deploy(record));
  return Written(std::move(record), catalog);
}

Result<store::DeploymentRecord> PromoteTried(const Approval& approval, const store::DeploymentRecord& trial, store::Catalog& catalog,
                                             const store::Clock& clock, std::string_view actor, std::string_view reason, std::string_view figures) {
  SEGUE_RETURN_IF_ERROR(CheckRegistered(approval, catalog));
  if (approval.model_id() != trial.to_model) {
    return Error{ErrorCode::kConflict, "model " + approval.model_id() + " was approved, but " + trial.to_model + " was tried"};
  }
  store::DeploymentRecord record{.seq = trial.seq, .at = clock.NowSeconds(), .actor = std::string(actor), .action = "promote",
                                 .from_model = trial.from_model, .to_model = trial.to_model, .reason = std::string(reason),
                                 .figures = std::string(figures), .kind = trial.kind};
  SEGUE_RETURN_IF_ERROR(catalog.Deploy(record));
  return Written(std::move(record), catalog);
}

Result<store::DeploymentRecord> Withdraw(const store::DeploymentRecord& trial, store::Catalog& catalog, const store::Clock& clock,
                                         std::string_view actor, Withdrawal why, std::string_view reason, std::string_view figures) {
  json kept = ObjectOf(figures);
  kept["ended"] = Name(why);
  kept["trial"] = trial.action;
  kept["trial_seq"] = trial.seq;
  store::DeploymentRecord record{.seq = trial.seq, .at = clock.NowSeconds(), .actor = std::string(actor), .action = "withdraw",
                                 .from_model = trial.to_model, .to_model = trial.from_model, .reason = std::string(reason),
                                 .figures = kept.dump(), .kind = trial.kind};
  SEGUE_RETURN_IF_ERROR(catalog.Deploy(record));
  return Written(std::move(record), catalog);
}

}  // namespace segue::deploy
