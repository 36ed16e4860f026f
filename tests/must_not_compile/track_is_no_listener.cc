// A track's row cannot ask for a listener's events.
// refused because: could not convert|cannot convert
#include "core/dataset.h"

size_t Count(const segue::Dataset& data) {
#ifdef MUST_NOT_COMPILE
  const segue::TrackIx row{0};
#else
  const segue::UserIx row{0};
#endif
  return data.EventsOf(row).size();
}
