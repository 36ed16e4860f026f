// A row becomes a number only where that is said (Raw), so that it cannot
// index what it does not number.
// refused because: no match for 'operator[]'
#include <vector>

#include "core/ids.h"

float Get(const std::vector<float>& values, segue::TrackIx track) {
#ifdef MUST_NOT_COMPILE
  return values[track];
#else
  return values[Raw(track)];
#endif
}
