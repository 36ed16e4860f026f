#pragma once

#include <string>

#include "core/verdict.h"
#include "store/catalog.h"

// What steps of the deployment history have in common.
namespace segue::deploy {

/// {check: value} as JSON.
std::string FiguresOf(const Approval& approval);

/// kNotFound where the registry does not have the approved model, kConflict
/// where it has it as another kind.
Status CheckRegistered(const Approval& approval, const store::Catalog& catalog);

/// The record with the number that the catalog gave it.
store::DeploymentRecord Written(store::DeploymentRecord record, const store::Catalog& catalog);

}  // namespace segue::deploy
