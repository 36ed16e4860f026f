// A Decide of another stage, or of another signature, is no friend.
// refused because: is private within this context
#include "core/verdict.h"

namespace segue::gate {
struct Question {};
}  // namespace segue::gate

#ifdef MUST_NOT_COMPILE
namespace segue::deploy {
#else
namespace segue::gate {
#endif
segue::Verdict Decide(const segue::gate::Question&) { return segue::Approval("any model", {}); }
}
