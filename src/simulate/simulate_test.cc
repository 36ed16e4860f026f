#include "simulate/simulate.h"

#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "simulate/names.h"

namespace segue::simulate {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

World Small() {
  World world;
  world.listeners = 10;
  world.tracks = 300;
  world.artists = 40;
  world.days = 20;
  return world;
}

class Worlds : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-sim-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::map<std::string, std::string> Make(const World& world, const std::string& name) {
    NoInstruments instruments;
    const auto made = Simulate(world, folder_ / name, instruments);
    EXPECT_TRUE(made.ok());
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder_ / name)) {
      if (!entry.is_regular_file()) continue;
      std::ifstream file(entry.path());
      std::ostringstream text;
      text << file.rdbuf();
      files[entry.path().lexically_relative(folder_ / name).string()] = text.str();
    }
    return files;
  }

  fs::path folder_;
};

TEST_F(Worlds, TheSameSeedGivesTheSameFiles) {
  World other = Small();
  other.seed = 8;
  const auto first = Make(Small(), "a");
  EXPECT_EQ(first, Make(Small(), "b"));
  EXPECT_NE(first, Make(other, "c"));
}

TEST_F(Worlds, AccountAndExtendedExportsParse) {
  const auto files = Make(Small(), "a");
  const json account = json::parse(files.at("listener-001/StreamingHistory0.json"));
  ASSERT_FALSE(account.empty());
  for (const char* field : {"endTime", "artistName", "trackName", "msPlayed"}) EXPECT_TRUE(account[0].contains(field));
  const json extended = json::parse(files.at("listener-005/Streaming_History_Audio_2025_0.json"));
  ASSERT_FALSE(extended.empty());
  EXPECT_TRUE(extended[0]["spotify_track_uri"].get<std::string>().starts_with("spotify:track:"));
}

TEST_F(Worlds, PlaysAreInOrderOfTime) {
  const json plays = json::parse(Make(Small(), "a").at("listener-002/StreamingHistory0.json"));
  for (size_t i = 1; i < plays.size(); ++i) EXPECT_LE(plays[i - 1]["endTime"], plays[i]["endTime"]);
}

TEST_F(Worlds, EveryTrackIsInOneTrackTable) {
  int64_t rows = 0;
  for (const auto& [name, text] : Make(Small(), "a")) {
    if (!name.starts_with("tracks/")) continue;
    rows += std::count(text.begin(), text.end(), '\n') - 1;
    EXPECT_TRUE(text.starts_with("track,artist,uri,danceability"));
  }
  EXPECT_EQ(rows, 300);
}

TEST_F(Worlds, ListenersDifferInWhatTheyPlay) {
  const auto files = Make(Small(), "a");
  std::vector<std::set<std::string>> artists;
  for (const char* name : {"listener-001", "listener-002"}) {
    std::set<std::string> mine;
    for (const json& play : json::parse(files.at(std::string(name) + "/StreamingHistory0.json"))) mine.insert(play["artistName"]);
    artists.push_back(mine);
  }
  EXPECT_NE(artists[0], artists[1]);
}

TEST_F(Worlds, AnExtendedExportHasAllFieldsThatSpotifyWrites) {
  const json play = json::parse(Make(Small(), "a").at("listener-005/Streaming_History_Audio_2025_0.json"))[0];
  std::set<std::string> fields;
  for (const auto& [name, value] : play.items()) fields.insert(name);
  EXPECT_EQ(fields, (std::set<std::string>{
                        "ts", "username", "platform", "ms_played", "conn_country", "ip_addr_decrypted",
                        "user_agent_decrypted", "master_metadata_track_name", "master_metadata_album_artist_name",
                        "master_metadata_album_album_name", "spotify_track_uri", "episode_name", "episode_show_name",
                        "spotify_episode_uri", "reason_start", "reason_end", "shuffle", "skipped", "offline",
                        "offline_timestamp", "incognito_mode"}));
}

TEST_F(Worlds, AFileHoldsTenThousandPlaysAndTheNextGoesOn) {
  World world = Small();
  world.listeners = 1;
  world.plays_per_day = 2000;
  const auto files = Make(world, "a");
  EXPECT_EQ(json::parse(files.at("listener-001/StreamingHistory0.json")).size(), 10'000u);
  EXPECT_FALSE(json::parse(files.at("listener-001/StreamingHistory1.json")).empty());
}

/// Shares over tastes of what an extended export plays in [first, last).
std::vector<double> Played(const World& world, const json& plays, double first, double last) {
  std::map<std::string, int> taste_of;
  const auto tastes = TrackTastes(world);
  for (size_t i = 0; i < tastes.size(); ++i) {
    taste_of["spotify:track:" + SpotifyId(world.seed, static_cast<int64_t>(i))] = tastes[i];
  }
  std::vector<double> shares(static_cast<size_t>(world.tastes));
  const auto from = static_cast<size_t>(first * static_cast<double>(plays.size()));
  const auto to = static_cast<size_t>(last * static_cast<double>(plays.size()));
  for (size_t i = from; i < to; ++i) {
    shares[static_cast<size_t>(taste_of.at(plays[i]["spotify_track_uri"]))] += 1.0 / static_cast<double>(to - from);
  }
  return shares;
}

/// Half the sum of absolute differences: what has to move to get from a to b.
double Distance(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += std::abs(a[i] - b[i]) / 2;
  return sum;
}

World OneManiac(double drift) {
  World world = Small();
  world.listeners = 5;
  world.days = 100;
  world.plays_per_day = 100;
  world.drift = drift;
  return world;
}

TEST_F(Worlds, WhatAListenerPlaysIsWhatTheirTasteSays) {
  const World world = OneManiac(0);
  const json plays = json::parse(Make(world, "a").at("listener-005/Streaming_History_Audio_2025_0.json"));
  const auto taste = TasteOn(world, 4, 0);
  const auto played = Played(world, plays, 0, 1);
  EXPECT_EQ(std::max_element(taste.begin(), taste.end()) - taste.begin(),
            std::max_element(played.begin(), played.end()) - played.begin());
  // Favourites are repeated and lean to what suits, so the shares are near, not equal.
  EXPECT_LT(Distance(taste, played), 0.15);
}

TEST_F(Worlds, WithoutDriftATasteStaysAndWithItItMoves) {
  const World still = OneManiac(0);
  EXPECT_EQ(TasteOn(still, 4, 0), TasteOn(still, 4, 99));
  const World moving = OneManiac(0.1);
  const auto first = TasteOn(moving, 4, 0), second = TasteOn(moving, 4, 1), last = TasteOn(moving, 4, 99);
  EXPECT_LE(Distance(first, second), 0.1 + 1e-12);
  EXPECT_GT(Distance(first, last), 0.3);
  double sum = 0;
  for (const double share : last) sum += share;
  EXPECT_NEAR(sum, 1, 1e-9);

  const char* file = "listener-005/Streaming_History_Audio_2025_0.json";
  const json calm = json::parse(Make(still, "a").at(file));
  const json restless = json::parse(Make(moving, "b").at(file));
  EXPECT_LT(Distance(Played(still, calm, 0, 0.2), Played(still, calm, 0.8, 1)),
            Distance(Played(moving, restless, 0, 0.2), Played(moving, restless, 0.8, 1)));
}

TEST_F(Worlds, AnUnwritableFolderIsAnErrorThatNamesIt) {
  fs::create_directories(folder_);
  std::ofstream(folder_ / "file") << "not a folder";
  NoInstruments instruments;
  const auto made = Simulate(Small(), folder_ / "file", instruments);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("file"), std::string::npos);
}

TEST_F(Worlds, ImpossibleParametersAreRefused) {
  NoInstruments instruments;
  World world = Small();
  world.drift = 2;
  EXPECT_FALSE(Simulate(world, folder_, instruments).ok());
}

TEST_F(Worlds, OnTheDayOfTheSwitchEveryTasteIsAnotherAndBeforeItNothingIsDifferent) {
  World still = Small();
  still.drift = 0;
  World switched = still;
  switched.switch_day = 10;
  for (int64_t listener = 0; listener < still.listeners; ++listener) {
    EXPECT_EQ(TasteOn(still, listener, 9), TasteOn(switched, listener, 9));
    const auto before = TasteOn(switched, listener, 9), after = TasteOn(switched, listener, 10);
    EXPECT_NE(std::max_element(before.begin(), before.end()) - before.begin(), std::max_element(after.begin(), after.end()) - after.begin());
  }
  const json plays = json::parse(Make(still, "a").at("listener-002/StreamingHistory0.json"));
  const json other = json::parse(Make(switched, "b").at("listener-002/StreamingHistory0.json"));
  size_t same = 0;
  while (same < std::min(plays.size(), other.size()) && plays[same] == other[same]) ++same;
  ASSERT_LT(same, other.size());
  EXPECT_GE(other[same]["endTime"].get<std::string>(), "2025-01-11");
}

}  // namespace
}  // namespace segue::simulate
