#pragma once

#include <string>

#include "clean/inputs.h"
#include "clean/workshop.h"
#include "core/result.h"

namespace segue::clean {

/// Cleaning of listens, in SQL over the staged Parquet files: rows never come
/// into C++, and long text is never kept, so that it works out of core.
/// The steps build on one another, in this order; `tracks` between 1 and 2.
///
///   files(file, content_rank, path, name, sha256, listener, tbl, latest,
///         came_in, has_time, left_out)
///   forgotten_listeners(listener, forgotten_at, through_seq)
///   judged_listens   view: every staged row with its file, row number `nr`
///                    and the first row rule that applies, or NULL

/// 1. `files` (of all tables) and the view `judged_listens`.
Status OpenListens(Workshop& work, const Inputs& inputs);

/// 2. Rows by file and row rule into `tally_listens`; fills Input::rows.
Status JudgeListens(Workshop& work, Inputs& inputs);

/// 3. `listen_names(source_id, name_key, artist, title, album, duration_ms, n)`: how the
/// good rows name tracks.
Status CollectListenNames(Workshop& work);

/// 4. With `identity(key, track, direct)` there: the view `marked`, a slim row
/// an event with `rule` (NULL: kept), the file that a duplicate repeats, and
/// `final_kind`: a play shorter than skip_below_ms is a skip, a review with a
/// rating is that rating.
///
/// Two plays are the same where listener, track, minute and ms_played agree,
/// and their seconds too if both sources tell seconds: several different plays
/// in one minute are real. Of the same plays the one with the finest time
/// stays, among these the one of the first file. A skip that tells its ms_played is
/// compared as a play: an account export calls both plays. Rows without time
/// must agree in value as well. All else: same listener, track, kind, time, value.
Status MarkListens(Workshop& work, int64_t skip_below_ms);

/// SQL of the removed rows, but for those of forgotten listeners: (sha256, file, line, rule, reason, sample, nr).
std::string RejectedListensSql();

/// SQL of interactions.parquet, ordered.
std::string InteractionsSql();

/// SQL of reviews.parquet, ordered: what was written in the events that are kept.
std::string ReviewsSql();

/// Into `tally(tbl, file, rule, n)`, after all steps: rows by file and rule,
/// rule NULL for those kept.
Status TallyListens(Workshop& work);

/// `read_parquet([...], filename = true, file_row_number = true)` of the inputs
/// of a table, or "" where there is none.
std::string ReadStagedSql(const Inputs& inputs, std::string_view table);

}  // namespace segue::clean
