// To have been tried is no right to go live: the gate looks at what came of it.
// refused because: invalid initialization of reference of type 'const segue::Approval&'
#include "deploy/trial.h"

#ifdef MUST_NOT_COMPILE
using Given = segue::store::DeploymentRecord;
#else
using Given = segue::Approval;
#endif

void Conclude(const Given& given, const segue::store::DeploymentRecord& trial, segue::store::Catalog& catalog, const segue::store::Clock& clock) {
  (void)segue::deploy::PromoteTried(given, trial, catalog, clock, "a test", "to see whether it compiles", "{}");
}
