// A name is no right to go live.
// refused because: invalid initialization of reference of type 'const segue::Approval&'
#include "deploy/deploy.h"

#ifdef MUST_NOT_COMPILE
using Given = std::string;
#else
using Given = segue::Approval;
#endif

void Deploy(const Given& given, segue::store::Catalog& catalog, const segue::store::Clock& clock) {
  (void)segue::deploy::Promote(given, catalog, clock, "a test", "to see whether it compiles");
}
