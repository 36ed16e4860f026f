// The gate alone approves models of hits too, whoever trains them.
// refused because: is private within this context
#include "core/verdict.h"

namespace segue::gate {
struct HitQuestion {};
}  // namespace segue::gate

#ifdef MUST_NOT_COMPILE
namespace segue::pipeline {
#else
namespace segue::gate {
#endif
segue::Verdict Decide(const segue::gate::HitQuestion&) { return segue::Approval("any model", {}, segue::ModelKind::kHits); }
}
