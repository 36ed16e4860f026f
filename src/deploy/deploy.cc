#include "deploy/deploy.h"

#include <string>
#include <utility>
#include <vector>

#include "deploy/step.h"
#include "deploy/trial.h"

namespace segue::deploy {
namespace {

constexpr int64_t kHistory = 100'000;

/// The chain of models that led here, the present one last: a promotion adds
/// one, a rollback takes one away.
std::vector<std::string> Chain(const std::vector<store::DeploymentRecord>& newest_first, ModelKind kind) {
  std::vector<std::string> chain;
  for (auto it = newest_first.rbegin(); it != newest_first.rend(); ++it) {
    if (it->kind != kind || (it->action != "promote" && it->action != "rollback")) continue;
    if (it->action == "rollback" && chain.size() > 1) {
      chain.pop_back();
    } else {
      chain.push_back(it->to_model);
    }
  }
  return chain;
}

Result<store::DeploymentRecord> TryPromote(const Approval& approval, store::Catalog& catalog, const store::Clock& clock,
                                           std::string_view actor, std::string_view reason) {
  SEGUE_TRY(const auto live, catalog.Live(approval.kind()));
  if (live && live->to_model == approval.model_id()) return *live;
  store::DeploymentRecord record{.at = clock.NowSeconds(), .actor = std::string(actor), .action = "promote",
                                 .from_model = live ? live->to_model : "", .to_model = approval.model_id(),
                                 .reason = std::string(reason), .figures = FiguresOf(approval),
                                 .kind = approval.kind()};
  SEGUE_RETURN_IF_ERROR(catalog.Deploy(record));
  return Written(std::move(record), catalog);
}

}  // namespace

Result<store::DeploymentRecord> Promote(const Approval& approval, store::Catalog& catalog, const store::Clock& clock,
                                        std::string_view actor, std::string_view reason) {
  SEGUE_RETURN_IF_ERROR(CheckRegistered(approval, catalog));
  auto outcome = TryPromote(approval, catalog, clock, actor, reason);
  // Somebody else deployed between the look and the move: the approval still
  // holds, so it is tried against what is live now.
  if (!outcome.ok() && outcome.error().code == ErrorCode::kConflict) {
    outcome = TryPromote(approval, catalog, clock, actor, reason);
  }
  return outcome;
}

Result<store::DeploymentRecord> Rollback(store::Catalog& catalog, const store::Clock& clock, std::string_view actor,
                                         std::string_view reason, ModelKind kind) {
  SEGUE_TRY(const auto trial, catalog.Trial(kind));
  if (trial) return Withdraw(*trial, catalog, clock, actor, Withdrawal::kByHand, reason);
  SEGUE_TRY(const auto history, catalog.Deployments(kHistory));
  const auto chain = Chain(history, kind);
  if (chain.size() < 2) {
    const std::string model = kind == ModelKind::kRecommender ? "model" : "model of kind '" + std::string(Name(kind)) + "'";
    return Error{ErrorCode::kConflict, chain.empty() ? "no " + model + " is live: there is nothing to go back from"
                                                     : "no " + model + " was live before " + chain.back() + ": there is nothing to go back to"};
  }
  store::DeploymentRecord record{.at = clock.NowSeconds(), .actor = std::string(actor), .action = "rollback",
                                 .from_model = chain.back(), .to_model = chain[chain.size() - 2],
                                 .reason = std::string(reason), .figures = "{}", .kind = kind};
  // Not tried again when somebody else deployed meanwhile: the model to leave is
  // not live any more, and going back from its successor might lead to it.
  SEGUE_RETURN_IF_ERROR(catalog.Deploy(record));
  return Written(std::move(record), catalog);
}

}  // namespace segue::deploy
