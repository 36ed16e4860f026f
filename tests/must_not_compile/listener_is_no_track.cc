// A listener's row cannot stand for a track.
// refused because: could not convert|cannot convert
#include "models/model.h"

#ifdef MUST_NOT_COMPILE
using Row = segue::UserIx;
#else
using Row = segue::TrackIx;
#endif

std::string_view NameOf(const segue::models::Model& model, Row row) { return model.TrackId(row); }
