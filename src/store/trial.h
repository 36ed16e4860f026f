#pragma once

#include "store/catalog.h"

namespace segue::store {

/// Name of the catalog's note (Catalog::Meta) of what the pipeline saw when it
/// looked at the trial last: {"trial_seq","at","checks":[...],"waits_for","arms":[...]}.
inline constexpr const char* kTrialLook = "trial_look";

/// The share of the listeners (canary) or lists (shadow) that the record of a
/// trial keeps in its figures; 0 where it keeps none.
double TrialShare(const DeploymentRecord& trial);

}  // namespace segue::store
