#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "core/verdict.h"
#include "store/catalog.h"
#include "store/clock.h"

namespace segue::deploy {

/// Makes the approved model live, in one transaction, and appends to the
/// deployment history. Nothing else than the gate's approval is taken.
/// Promoting the live model again changes nothing and succeeds.
/// The approval's kind says as what it goes live; kConflict where the registry
/// has the model as another kind.
/// The record's figures are the checks' values. Where somebody else deploys in
/// the same moment it is tried once more, then kConflict. kNotFound where the
/// registry does not have the model.
Result<store::DeploymentRecord> Promote(const Approval& approval, store::Catalog& catalog,
                                        const store::Clock& clock, std::string_view actor,
                                        std::string_view reason);

/// Undoes the newest step. Where a challenger is being tried (deploy/trial.h):
/// withdraws it, and the live model stays. Else back to the model of that kind
/// that was live before the present one (which the gate had approved then). A
/// second rollback goes one further back, not forth again.
/// kConflict where there is none, and where somebody else deployed in the same
/// moment: then the present model is not the one that was to be left.
Result<store::DeploymentRecord> Rollback(store::Catalog& catalog, const store::Clock& clock,
                                         std::string_view actor, std::string_view reason,
                                         ModelKind kind = ModelKind::kRecommender);

}  // namespace segue::deploy
