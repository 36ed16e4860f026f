#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "clean/inputs.h"
#include "clean/workshop.h"
#include "core/result.h"

namespace segue::clean {

/// A file that is wrong as a whole, although its rows read well one by one.
struct Suspicion {
  int64_t file = 0;      ///< Input::file
  std::string check;     ///< one of those below
  std::string field;     ///< the column; "" none
  std::string reason;    ///< what was seen, in figures
};

/// Looks at the files that were not among the last dataset's, beside those that
/// were (`known`, their numbers), once JudgeTracks and JudgeListens are through.
///
///   impossible_column   more than half of a column's values, of 50 at least, are
///                       outside its range (rules.h): another unit, or shifted columns
///   disagrees           more than half of the values that the file gives for tracks,
///                       50 at least, which known files describe by the same id differ
///                       from theirs by more than half a standard deviation
///   unrelated_columns   two columns go together in the known files (|r| at least 0.5)
///                       and not in this one (r moved by 0.5 or more towards or past
///                       0), over 500 rows each: a column was shuffled or swapped
///   constant_ratings    100 ratings or more, all the same, where those of known
///                       files differ: they would say that everything is liked alike
///   one_track           10,000 plays or more of one track by one listener, which are
///                       more than half of the file's: a player that hangs, or a bot
///
/// At most one a check and file, in that order.
Result<std::vector<Suspicion>> SuspectFiles(Workshop& work, const Inputs& inputs, const std::set<int64_t>& known);

}  // namespace segue::clean
