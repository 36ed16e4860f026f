#include "simulate/simulate.h"

#include <unistd.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

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

TEST_F(Worlds, ImpossibleParametersAreRefused) {
  NoInstruments instruments;
  World world = Small();
  world.drift = 2;
  EXPECT_FALSE(Simulate(world, folder_, instruments).ok());
}

}  // namespace
}  // namespace segue::simulate
