// Nobody but gate::Decide makes an Approval.
// refused because: is private within this context
#include "core/verdict.h"
#include "gate/gate.h"

segue::Verdict Wave(const segue::gate::Question& question) {
#ifdef MUST_NOT_COMPILE
  (void)question;
  return segue::Approval("any model", {});
#else
  return segue::gate::Decide(question);
#endif
}
