#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/verdict.h"
#include "store/catalog.h"
#include "store/clock.h"

namespace segue::deploy {

/// How a challenger is tried beside the live model.
struct TrialPlan {
  bool shown = true;   ///< a canary; else a shadow
  double share = 0.1;  ///< of the listeners (canary) or of the lists (shadow)
};

/// Starts to try the approved model beside the live one, which stays live, and
/// appends to the deployment history; the record's figures are the plan's share
/// (store::TrialShare) and the checks' values. Another challenger that is being tried is withdrawn
/// first. Nothing else than the gate's approval is taken. The live model, and
/// the model that is being tried in this way already, are left as they are, and
/// their record is returned. kConflict where nothing is live (there is nothing
/// to try it against: promote it), where the model is no recommender, and where
/// somebody else deployed in the same moment; kNotFound where the registry does
/// not have the model.
Result<store::DeploymentRecord> StartTrial(const Approval& approval, const TrialPlan& plan, store::Catalog& catalog,
                                           const store::Clock& clock, std::string_view actor, std::string_view reason);

/// Makes the approved model live at the end of its trial. Only where `trial` is
/// still the newest step: a challenger that was withdrawn in the same moment does
/// not go live after all (kConflict). `figures`, a JSON object, are kept.
Result<store::DeploymentRecord> PromoteTried(const Approval& approval, const store::DeploymentRecord& trial, store::Catalog& catalog,
                                             const store::Clock& clock, std::string_view actor, std::string_view reason,
                                             std::string_view figures);

/// Why a trial ends without its model going live.
enum class Withdrawal { kRolledBack, kSuperseded, kTimedOut, kByHand };
/// "rolled_back", "superseded", "timed_out", "by_hand": "ended" in the record's figures.
std::string_view Name(Withdrawal withdrawal);

/// Ends a trial; the live model stays as it was. `figures` is a JSON object.
/// kConflict where `trial` is not the newest step any more.
Result<store::DeploymentRecord> Withdraw(const store::DeploymentRecord& trial, store::Catalog& catalog, const store::Clock& clock,
                                         std::string_view actor, Withdrawal why, std::string_view reason, std::string_view figures = "{}");

}  // namespace segue::deploy
