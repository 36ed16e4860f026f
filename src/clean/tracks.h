#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "clean/inputs.h"
#include "clean/workshop.h"
#include "core/result.h"

namespace segue::clean {

/// What cleaning of track tables found, beside the rows that it removed.
struct TrackFindings {
  int64_t pairs_matched = 0;     ///< rows of features that found their row of names
  int64_t pairs_mismatched = 0;  ///< same row, other title
  int64_t label_conflicts_by_id = 0;     ///< source ids that are both hit and flop
  int64_t label_conflicts_by_track = 0;  ///< tracks that are both, over all their ids and names
  std::vector<std::pair<std::string, int64_t>> changed;  ///< rule, values set to NULL
};

/// Cleaning of track tables and taggings, in SQL; the steps in order, after OpenListens.
///
/// 1. `track_rows`: rows of "whole" tables, and of pairs of tables joined by
/// row and title (a features file goes with the names file that most of its
/// rows agree with), each with its first row rule. Fills Input::rows.
Status JudgeTracks(Workshop& work, Inputs& inputs, TrackFindings& findings);

/// 2. With files.left_out decided: `tracks_marked` (rule NULL: kept) and
/// `track_values`, the rows that count, impossible values NULL, with `filled`
/// (audio features given) and `rank` (fullest first, then by content).
Status MarkTracks(Workshop& work, TrackFindings& findings);

/// 3. With `identity`, `track_ids` and `listen_names` there: the table `tracks`
/// in the schema of tracks.parquet with `track`, its id as an ENUM. Artist and title
/// are the pair spelt so most often (ties: the smallest); a feature is that of
/// the fullest row, gaps filled from the next; a label that is both hit and
/// flop is NULL; tags are those of all rows and the 20 that most listeners gave.
Status BuildTracks(Workshop& work, TrackFindings& findings);

/// As in listens.h, of tracks and taggings.
std::string RejectedTracksSql();
Status TallyTracks(Workshop& work);

/// SQL of tracks.parquet, ordered.
std::string TracksSql();

}  // namespace segue::clean
