// What can fail must be looked at (a warning, and warnings are errors).
// refused because: ignoring returned value
#ifdef MUST_NOT_COMPILE
#pragma GCC diagnostic error "-Wunused-result"
#endif
#include "core/result.h"

segue::Status Try();

void Carelessly() {
#ifdef MUST_NOT_COMPILE
  Try();
#else
  (void)Try();
#endif
}
