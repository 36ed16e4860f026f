#include "ingest/formats.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace segue::ingest {
namespace {

using Row = std::vector<std::optional<std::string>>;

Sample Headed(std::vector<std::string> columns, std::vector<Row> rows = {}, std::string name = "folder/file.csv") {
  return {.name = std::move(name), .has_header = true, .shape = "a table", .columns = std::move(columns), .rows = std::move(rows)};
}

std::string FormatOf(const Sample& sample) {
  const auto plan = Recognise(sample, Settings{});
  return plan.ok() ? plan->format : "?";
}

TEST(Formats, TellsFormatsByTheirColumns) {
  EXPECT_EQ(FormatOf(Headed({"endTime", "artistName", "trackName", "msPlayed"})), "spotify_account");
  EXPECT_EQ(FormatOf(Headed({"endTime", "podcastName", "episodeName", "msPlayed"})), "spotify_podcast");
  EXPECT_EQ(FormatOf(Headed({"ts", "username", "ms_played", "master_metadata_track_name"})), "spotify_extended");
  EXPECT_EQ(FormatOf(Headed({"userID", "artistID", "weight"})), "lastfm2k_user_artists");
  EXPECT_EQ(FormatOf(Headed({"userID", "artistID", "tagID", "timestamp"})), "lastfm2k_taggings");
  EXPECT_EQ(FormatOf(Headed({"user", "timestamp", "artist_id", "artist", "artist_id (2)", "song"})), "?")
      << "its header names two columns alike";
  EXPECT_EQ(FormatOf(Headed({"userId", "movieId", "rating", "timestamp"})), "ratings");
  EXPECT_EQ(FormatOf(Headed({"user_id", "item_id", "value"})), "ratings");
  EXPECT_EQ(FormatOf(Headed({"listener", "track_id", "at", "kind", "value", "ms_played"})), "segue_listens");
  EXPECT_EQ(FormatOf(Headed({"artist", "title", "timestamp"})), "segue_listens");
  EXPECT_EQ(FormatOf(Headed({"track_id", "title", "artist", "album", "tempo"})), "segue_tracks");
  EXPECT_EQ(FormatOf(Headed({"user_id", "asin", "rating", "text"})), "reviews");
  EXPECT_EQ(FormatOf(Headed({"Review", "Liked"})), "?");
}

TEST(Formats, TellsRatingsFromPlayCountsByTheirValues) {
  Sample table{.name = "x.dat", .shape = "", .columns = {"column1", "column2", "column3"}, .rows = {{"1", "2", "5"}, {"1", "3", "10"}}};
  EXPECT_EQ(Recognise(table, Settings{})->constants["kind"], "rating");
  table.rows.push_back({"1", "4", "11"});
  EXPECT_EQ(Recognise(table, Settings{})->constants["kind"], "play");
  EXPECT_EQ(Recognise(Headed({"user", "item", "plays"}, {{"1", "2", "5"}}), Settings{})->constants["kind"], "play");
}

TEST(Formats, TellsBareLastFm1kByItsTimes) {
  const Sample table{.name = "x.tsv",
                     .shape = "",
                     .columns = {"column1", "column2", "column3", "column4", "column5", "column6"},
                     .rows = {{"user_000001", "2009-05-04T23:08:57Z", "a", "Artist", "t", "Title"}}};
  EXPECT_EQ(FormatOf(table), "lastfm1k");
}

TEST(Formats, FindsTheListenerInThisOrder) {
  Settings settings;
  settings.default_listener = "nobody";
  const std::vector<std::string> columns = {"ts", "username", "ms_played", "master_metadata_track_name"};
  const std::vector<Row> rows = {{"2021-09-21T19:38:59Z", "carla", "1", "x"}};
  Sample sample = Headed(columns, rows, "anna/MyData/x.json");
  sample.listener = "berta";
  EXPECT_EQ(Recognise(sample, settings)->listener, "berta");
  sample.listener.clear();
  EXPECT_EQ(Recognise(sample, settings)->listener, "anna");
  sample.name = "x.json";
  EXPECT_EQ(Recognise(sample, settings)->listener, "carla");
  sample.rows[0][1] = "";
  EXPECT_EQ(Recognise(sample, settings)->listener, "nobody");
}

TEST(Formats, ATableThatNamesItsListenersHasNoneOfItsOwn) {
  EXPECT_EQ(Recognise(Headed({"listener", "artist", "title", "at"}), Settings{})->listener, "");
}

TEST(Formats, AnUnknownTablesErrorListsItsColumns) {
  const auto plan = Recognise(Headed({"Review", "Liked"}), Settings{});
  ASSERT_FALSE(plan.ok());
  EXPECT_NE(plan.error().message.find("columns: Review, Liked"), std::string::npos);
  EXPECT_NE(plan.error().message.find("[[ingest.mapping]]"), std::string::npos);
}

TEST(Formats, EveryRuleOfEveryPlanNamesAStagedColumn) {
  for (const auto& columns : std::vector<std::vector<std::string>>{{"endTime", "artistName", "trackName", "msPlayed"},
                                                                   {"track", "artist", "uri", "danceability", "energy", "tempo", "target"},
                                                                   {"song_name", "artist_name", "song_genre"},
                                                                   {"song_name", "song_duration_ms", "song_danceability"},
                                                                   {"song_name", "artist_name", "playlist"},
                                                                   {"id", "name", "url", "pictureURL"},
                                                                   {"tagID", "tagValue"},
                                                                   {"reviewerID", "asin"},
                                                                   {"track_id", "title", "artist"},
                                                                   {"listener", "track_id"}}) {
    const auto plan = Recognise(Headed(columns), Settings{});
    ASSERT_TRUE(plan.ok());
    const auto staged = StagedColumns(plan->table);
    const auto there = [&](const std::string& name) {
      return std::any_of(staged.begin(), staged.end(), [&](const StagedColumn& column) { return column.name == name; });
    };
    for (const ColumnRule& rule : plan->rules) EXPECT_TRUE(there(rule.to)) << plan->format << " " << rule.to;
    for (const auto& [name, value] : plan->constants) EXPECT_TRUE(there(name)) << plan->format << " " << name;
  }
}

TEST(Formats, ComparesColumnNamesWithoutCaseAndJoiners) {
  EXPECT_EQ(FindColumn({"User ID", "item"}, "user_id"), 0);
  EXPECT_EQ(FindColumn({"userid", "user_id"}, "user_id"), 1);
  EXPECT_EQ(FindColumn({"users"}, "user"), -1);
}

}  // namespace
}  // namespace segue::ingest
