// There is no empty approval either.
// refused because: no matching function for call to 'segue::Approval::Approval()'
#include "core/verdict.h"

#ifdef MUST_NOT_COMPILE
segue::Approval Empty() { return segue::Approval(); }
#else
segue::Refusal Empty() { return segue::Refusal(); }
#endif
