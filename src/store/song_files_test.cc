#include "store/song_files.h"

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

namespace segue::store {
namespace {

class SongFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path Write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return folder_ / name;
  }
  static Result<SongFiles> Read(std::vector<std::filesystem::path> files, const SongColumns& columns = {}) {
    return ReadSongFiles(files, columns);
  }
  /// The message of the error that reading `text` must give.
  std::string Refused(const std::string& text, const SongColumns& columns = {}) {
    const auto read = Read({Write("songs.csv", text)}, columns);
    EXPECT_FALSE(read.ok());
    return read.ok() ? "" : read.error().message;
  }
  std::filesystem::path folder_;
};

constexpr const char* kSixties =
    "track,artist,uri,danceability,energy,target\r\n"
    "\"Love, \"\"Love\"\"\",Anna,spotify:track:1,0.5,6.0E-06,1\r\n"
    "\"Two\nlines\",Ben,spotify:track:2,,-1,0\r\n"
    "Three,Cem,spotify:track:3,0.1,2,\r\n";

TEST_F(SongFilesTest, ReadsQuotesLineEndsAMarkAndScientificNotation) {
  const auto read = Read({Write("dataset-of-60s.csv", std::string("\xef\xbb\xbf") + kSixties)});
  ASSERT_TRUE(read.ok()) << read.error().message;
  const SongTable& songs = read->songs;
  EXPECT_EQ(songs.features, (std::vector<std::string>{"danceability", "energy"}));
  EXPECT_EQ(songs.title, (std::vector<std::string>{"Love, \"Love\"", "Two\nlines", "Three"}));
  EXPECT_EQ(songs.artist[1], "Ben");
  EXPECT_EQ(songs.id[0], "spotify:track:1");
  EXPECT_EQ(songs.values[0], 0.5);
  EXPECT_EQ(songs.values[1], 6.0e-6);
  EXPECT_TRUE(std::isnan(songs.values[2]));
  EXPECT_EQ(songs.label, (std::vector<int32_t>{1, 0, -1}));
  EXPECT_EQ(songs.labels, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(songs.decade, (std::vector<int32_t>{1960, 1960, 1960}));
  EXPECT_EQ(songs.line, (std::vector<uint64_t>{2, 3, 5}));
  EXPECT_EQ(read->text_columns, (std::vector<std::string>{"track", "artist", "uri"}));
}

TEST_F(SongFilesTest, NumbersAreTheNearestDoubles) {
  const auto read = Read({Write("a.csv", "tempo,target\n0.1,1\n9007199254740993,0\n1.7976931348623157e308,1\n")});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->songs.values, (std::vector<double>{0.1, 9007199254740992.0, 1.7976931348623157e308}));
}

TEST_F(SongFilesTest, AColumnSpeltOtherwiseGetsItsCanonicalNameAndPopularityIsNoFeature) {
  const auto read = Read({Write("a.csv", "song_name,song_popularity,song_danceability,Track Tempo,gain,song_genre\nx,3,0.5,120,1,rock\n")},
                         {.label = "song_genre"});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->songs.features, (std::vector<std::string>{"danceability", "tempo", "gain"}));
  EXPECT_EQ(read->songs.labels, (std::vector<std::string>{"rock"}));
  EXPECT_EQ(read->set_aside, (std::vector<std::string>{"song_popularity"}));
}

TEST_F(SongFilesTest, FeaturesCanBeChosenAndLeftOut) {
  const auto file = Write("a.csv", "song_popularity,song_danceability,tempo,target\n3,0.5,120,1\n");
  const auto chosen = Read({file}, {.features = {"tempo", "song_popularity"}});
  ASSERT_TRUE(chosen.ok()) << chosen.error().message;
  EXPECT_EQ(chosen->songs.features, (std::vector<std::string>{"tempo", "song_popularity"}));
  EXPECT_EQ(chosen->songs.values, (std::vector<double>{120, 3}));
  const auto left = Read({file}, {.without = {"danceability"}});
  ASSERT_TRUE(left.ok()) << left.error().message;
  EXPECT_EQ(left->songs.features, (std::vector<std::string>{"tempo"}));
}

TEST_F(SongFilesTest, FilesMayHaveTheirColumnsInAnyOrderButNeedTheSameOnes) {
  const auto a = Write("songs 1970s.csv", "tempo,energy,target\n1,2,0\n");
  const auto same = Read({a, Write("b-10s.csv", "target,energy,tempo\n1,4,3\n")});
  ASSERT_TRUE(same.ok()) << same.error().message;
  EXPECT_EQ(same->songs.values, (std::vector<double>{1, 2, 3, 4}));
  EXPECT_EQ(same->songs.decade, (std::vector<int32_t>{1970, 2010}));
  EXPECT_EQ(same->songs.file, (std::vector<uint32_t>{0, 1}));
  const auto lacks = Read({a, Write("c.csv", "target,tempo\n1,3\n")});
  ASSERT_FALSE(lacks.ok());
  EXPECT_NE(lacks.error().message.find("c.csv line 1: there is no column 'energy'"), std::string::npos) << lacks.error().message;
  const auto more = Read({a, Write("d.csv", "target,tempo,energy,sections\n1,3,4,5\n")});
  ASSERT_FALSE(more.ok());
  EXPECT_NE(more.error().message.find("'sections'"), std::string::npos) << more.error().message;
}

TEST_F(SongFilesTest, AColumnOfYearsGivesTheDecade) {
  const auto read = Read({Write("of-60s.csv", "tempo,release_date,target\n1,1987-05-01,0\n1,2004,1\n1,,1\n")});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->songs.decade, (std::vector<int32_t>{1980, 2000, 1960}));
  EXPECT_EQ(read->songs.features, (std::vector<std::string>{"tempo"}));
}

TEST_F(SongFilesTest, LabelsThatAreNumbersAreOrderedAndMergedAsNumbers) {
  const auto read = Read({Write("a.csv", "tempo,target\n1,10\n2,9\n3,9.0\n4,NA\n")});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->songs.labels, (std::vector<std::string>{"9", "10"}));
  EXPECT_EQ(read->songs.label, (std::vector<int32_t>{1, 0, 0, -1}));
}

TEST_F(SongFilesTest, TextInANumbersPlaceIsNamedOrCounted) {
  std::string text = "tempo,target\n";
  for (int i = 0; i < 20; ++i) text += "100,1\n";
  text += "fast,0\n";
  const std::string message = Refused(text);
  for (const char* part : {"songs.csv line 22", "'tempo'", "'fast'", "expected a number"}) {
    EXPECT_NE(message.find(part), std::string::npos) << message;
  }
  const auto read = Read({Write("songs.csv", text)}, {.text_is_missing = true});
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->text_for_numbers, (std::vector<uint64_t>{1}));
  EXPECT_TRUE(std::isnan(read->songs.values.back()));
}

TEST_F(SongFilesTest, WhatCannotBeReadIsSaidWithTheWayOut) {
  EXPECT_NE(Refused("").find("is empty"), std::string::npos);
  EXPECT_NE(Refused("\n").find("is empty"), std::string::npos);
  EXPECT_NE(Refused("tempo,target\n").find("no row below the header"), std::string::npos);
  EXPECT_NE(Refused("tempo,energy\n1,2\n").find("no column 'target'; there are tempo, energy"), std::string::npos);
  EXPECT_NE(Refused("tempo,target\n1,2\n1,2,3\n").find("line 3: has 3 fields, the header has 2"), std::string::npos);
  EXPECT_NE(Refused("tempo,energy,target\n1,2,1\n1,2").find("cut inside this row"), std::string::npos);
  EXPECT_NE(Refused("1,2\n3,4\n").find("no header"), std::string::npos);
  EXPECT_NE(Refused("tempo,tempo,target\n1,1,1\n").find("there twice"), std::string::npos);
  EXPECT_NE(Refused("tempo,song_tempo,target\n1,1,1\n").find("there twice"), std::string::npos);
  EXPECT_NE(Refused("name,target\nx,1\n").find("no column of numbers"), std::string::npos);
  EXPECT_NE(Refused("tempo,target\n1,1\n", {.features = {"tempo", "target"}}).find("is the label"), std::string::npos);
  EXPECT_NE(Refused("tempo,target\n1,1\n", {.features = {"tempo", "tempo"}}).find("twice"), std::string::npos);
  EXPECT_NE(Refused(std::string("t\0,target\n1,1\n", 15)).find("UTF-8"), std::string::npos);
  std::string many = "tempo,target\n";
  for (int i = 0; i < 1100; ++i) many += "1," + std::to_string(i) + "\n";
  EXPECT_NE(Refused(many).find("holds no labels"), std::string::npos);
  const auto missing = Read({folder_ / "none.csv"});
  ASSERT_FALSE(missing.ok());
  EXPECT_EQ(missing.error().code, ErrorCode::kNotFound);
}

TEST_F(SongFilesTest, ASemicolonOrTabMayStandBetween) {
  for (const char* text : {"tempo;energy;target\n1;2;0\n", "tempo\tenergy\ttarget\n1\t2\t0\n"}) {
    const auto read = Read({Write("a.csv", text)});
    ASSERT_TRUE(read.ok()) << read.error().message;
    EXPECT_EQ(read->songs.values, (std::vector<double>{1, 2}));
  }
}

TEST_F(SongFilesTest, AllRowsOfTheHitPredictorAreRead) {
  const char* data = std::getenv("SEGUE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  std::vector<std::filesystem::path> files;
  for (const char* decade : {"60", "70", "80", "90", "00", "10"}) {
    files.push_back(std::filesystem::path(data) / "hit_predictor" / ("dataset-of-" + std::string(decade) + "s.csv"));
  }
  const auto songs = ReadSongs(files);
  ASSERT_TRUE(songs.ok()) << songs.error().message;
  EXPECT_EQ(songs->size(), 41'106u);
  EXPECT_EQ(songs->features.size(), 15u);
  EXPECT_EQ(std::count(songs->label.begin(), songs->label.end(), 1), 20'553);
  EXPECT_EQ(songs->decade.front(), 1960);
  EXPECT_EQ(songs->decade.back(), 2010);
  const std::vector<std::filesystem::path> genres = {std::filesystem::path(data) / "spotify_songs" / "SpotifyDataset.csv"};
  const auto of_genres = ReadSongs(genres, {.label = "song_genre"});
  ASSERT_TRUE(of_genres.ok()) << of_genres.error().message;
  EXPECT_EQ(of_genres->size(), 19'999u);
  EXPECT_EQ(of_genres->labels.size(), 82u);
  EXPECT_EQ(of_genres->features.size(), 13u);
}

TEST(DecadeOfName, KnowsTheWaysInWhichFilesAreNamed) {
  EXPECT_EQ(DecadeOfName("dataset-of-60s.csv"), 1960);
  EXPECT_EQ(DecadeOfName("dataset-of-00s.csv"), 2000);
  EXPECT_EQ(DecadeOfName("10s"), 2010);
  EXPECT_EQ(DecadeOfName("hits 1990s.csv"), 1990);
  EXPECT_EQ(DecadeOfName("songs.csv"), -1);
  EXPECT_EQ(DecadeOfName("65s.csv"), -1);
  EXPECT_EQ(DecadeOfName("100songs.csv"), -1);
}

}  // namespace
}  // namespace segue::store
