// A name is no right to be tried on listeners.
// refused because: invalid initialization of reference of type 'const segue::Approval&'
#include "deploy/trial.h"

#ifdef MUST_NOT_COMPILE
using Given = std::string;
#else
using Given = segue::Approval;
#endif

void Try(const Given& given, segue::store::Catalog& catalog, const segue::store::Clock& clock) {
  (void)segue::deploy::StartTrial(given, {}, catalog, clock, "a test", "to see whether it compiles");
}
