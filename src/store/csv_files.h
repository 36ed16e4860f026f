#pragma once

#include <filesystem>

#include "core/dataset.h"
#include "core/result.h"

namespace segue::store {

/// What models are tried on outside the bucket: CSV files with a header. All
/// but `train` may be "" (none).
struct CsvFiles {
  std::filesystem::path train;          ///< user_id,item_id,value[,at]
  std::filesystem::path test;           ///< the same
  std::filesystem::path fold_in;        ///< the same: the past of listeners who are not trained on
  std::filesystem::path item_tags;      ///< item_id,tag[,count]
  std::filesystem::path item_features;  ///< item_id and numeric columns
  std::filesystem::path friends;        ///< user_id,friend_id
};

struct TrainTest {
  Dataset train;  ///< with tags, extra features and friends
  Dataset test;   ///< same tracks and listeners; events of the test file
  Dataset fold_in;  ///< the same listeners, no tracks; events of the fold-in file
};

/// Adds `more`'s events, which are of the same listeners and tracks.
void AddEvents(Dataset& data, const Dataset& more);

/// The catalogue and the listeners are those of train, test and fold_in; what the
/// other files say of anyone else is left out. A row is a rating of `value` at
/// `at` where train's values look like ratings (at most 10, whole or half
/// steps, another at least as common as the lowest), else a play of `value`. kInvalid
/// names file, line and field of what cannot be used.
///
/// Memory while reading: 12 bytes a row, 20 where it has an `at`, beside the
/// events they become and the ids; the text of a file is never held as a whole.
Result<TrainTest> LoadCsvFiles(const CsvFiles& files);

}  // namespace segue::store
