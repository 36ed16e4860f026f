#pragma once

#include <string>

#include <nlohmann/json_fwd.hpp>

#include "clean/identity.h"
#include "clean/inputs.h"
#include "clean/tracks.h"
#include "clean/workshop.h"
#include "core/result.h"

namespace segue::clean {

/// quality.json, once all tables and `tally` are there:
///
///   dataset_id
///   rows         in = kept + rejected + duplicates + removed + left_out;
///                rejected: by rules that count, unreadable rows of ingest's
///                included; left_out: all rows of files left out as a whole
///   inputs       one an object (feedback in one): rows in, kept, rejected, ...
///   rules        one a rule that did something: rows removed or values changed
///   duplicates   within one file, between files, by listener (the 100 with most)
///   identity     how names and ids became tracks
///   audio_features  plays whose track has features, and how it was found
///   profile      of each column of tracks and interactions: type, nulls,
///                distinct (approximate), least, most, quantiles, histogram:
///                the baseline for drift. Quantiles of tables above 2 million
///                rows are those of a fixed sample.
///
/// Holds nothing that depends on when or where it was made.
Result<nlohmann::json> MakeQuality(Workshop& work, const Inputs& inputs, const TrackFindings& findings,
                                   const Identity& identity, const std::string& interactions_path);

}  // namespace segue::clean
