#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/songs.h"

namespace segue::evaluate {

/// How songs are parted into train and test.
struct SongSplit {
  enum class By { kRandom, kArtist };
  By by = By::kRandom;
  double share = 0.3;    ///< of the songs that are tested on
  uint64_t seed = 1;
};

/// "random:0.3:7" or "artist:0.3:7"; the seed may be left out (1). kInvalid
/// says what is expected.
Result<SongSplit> ParseSongSplit(std::string_view text);
std::string Describe(const SongSplit& split);

struct TrainTestRows {
  std::vector<uint32_t> train;   ///< rows of the table, ascending
  std::vector<uint32_t> test;
};

/// Parts the labelled rows. Random: each row by itself, ⌈share · n⌉ of them to
/// test, as scikit-learn's train_test_split counts them (its draw is another).
/// Artist: artists in random order go to test, with all their songs, until it
/// has its share; songs of unknown artist go by themselves. kInvalid where one
/// side stays empty, with the numbers.
Result<TrainTestRows> SplitSongs(const SongTable& songs, const SongSplit& split);

/// Rows of test whose id (or, without ids, whose features) stands in train
/// too: for them a model can remember instead of generalising. [test] 0 or 1
std::vector<uint8_t> KnownFromTrain(const SongTable& songs, const TrainTestRows& parts);

}  // namespace segue::evaluate
