// Whether a listener is before a track is no question.
// refused because: no match for 'operator<'
#include "core/ids.h"

#ifdef MUST_NOT_COMPILE
using Other = segue::UserIx;
#else
using Other = segue::TrackIx;
#endif

bool Before(segue::TrackIx track, Other other) { return track < other; }
