#include "evaluate/song_split.h"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

namespace segue::evaluate {
namespace {

/// 100 songs of 20 artists, five each; song 7 has no label.
SongTable Songs() {
  SongTable songs;
  songs.features = {"tempo"};
  songs.labels = {"0", "1"};
  for (uint32_t i = 0; i < 100; ++i) {
    songs.values.push_back(i);
    songs.id.push_back("id" + std::to_string(i));
    songs.artist.push_back("artist" + std::to_string(i / 5));
    songs.label.push_back(i == 7 ? -1 : static_cast<int32_t>(i % 2));
    songs.decade.push_back(-1);
  }
  return songs;
}

TEST(SongSplit, PartsLabelledSongsByTheShareAndLeavesNoneOut) {
  const auto parts = *SplitSongs(Songs(), {SongSplit::By::kRandom, 0.3, 1});
  EXPECT_EQ(parts.test.size(), 30u);  // ⌈0.3 · 99⌉
  EXPECT_EQ(parts.train.size(), 69u);
  std::set<uint32_t> all(parts.train.begin(), parts.train.end());
  all.insert(parts.test.begin(), parts.test.end());
  EXPECT_EQ(all.size(), 99u);
  EXPECT_FALSE(all.contains(7));
}

TEST(SongSplit, AnArtistIsOnOneSideOnly) {
  const SongTable songs = Songs();
  const auto parts = *SplitSongs(songs, {SongSplit::By::kArtist, 0.3, 4});
  std::set<std::string> train;
  for (const uint32_t row : parts.train) train.insert(songs.artist[row]);
  for (const uint32_t row : parts.test) EXPECT_FALSE(train.contains(songs.artist[row]));
  EXPECT_NEAR(static_cast<double>(parts.test.size()), 30, 5);
}

TEST(SongSplit, TheSameSeedPartsTheSameWayAndAnotherDoesNot) {
  const SongTable songs = Songs();
  EXPECT_EQ(SplitSongs(songs, {SongSplit::By::kRandom, 0.3, 1})->test, SplitSongs(songs, {SongSplit::By::kRandom, 0.3, 1})->test);
  EXPECT_NE(SplitSongs(songs, {SongSplit::By::kRandom, 0.3, 1})->test, SplitSongs(songs, {SongSplit::By::kRandom, 0.3, 2})->test);
}

TEST(SongSplit, SaysWhatIsExpectedWhereTheTextIsWrong) {
  EXPECT_EQ(Describe(*ParseSongSplit("artist:0.25:9")), "artist:0.25:9");
  EXPECT_EQ(ParseSongSplit("random:0.3")->seed, 1u);
  for (const char* wrong : {"", "random", "random:1.5:1", "random:0:1", "genre:0.3:1", "random:0.3:x", "random:nan:1"}) {
    const auto split = ParseSongSplit(wrong);
    ASSERT_FALSE(split.ok()) << wrong;
    EXPECT_NE(split.error().message.find("random:SHARE:SEED"), std::string::npos);
  }
}

TEST(SongSplit, RefusesWhatLeavesASideEmpty) {
  SongTable songs = Songs();
  std::fill(songs.artist.begin(), songs.artist.end(), "one");
  EXPECT_FALSE(SplitSongs(songs, {SongSplit::By::kArtist, 0.3, 1}).ok());
  EXPECT_FALSE(SplitSongs(SongTable{}, {}).ok());
}

TEST(SongSplit, TellsWhichTestSongsStandInTrainToo) {
  SongTable songs = Songs();
  songs.id[1] = songs.id[0];
  songs.id[3] = songs.id[2] = "";  // without ids the numbers say it
  songs.values[3] = songs.values[2];
  const auto known = KnownFromTrain(songs, {{0, 2, 4}, {1, 3, 5}});
  EXPECT_EQ(known, (std::vector<uint8_t>{1, 1, 0}));
}

}  // namespace
}  // namespace segue::evaluate
