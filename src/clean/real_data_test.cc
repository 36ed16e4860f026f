#include <cstdlib>

#include "clean/testing.h"
#include "store/dataset_store.h"

namespace segue::clean {
namespace {

/// `name_key` of each distinct (artist, title) of a relation, as table `keys`.
void MakeKeys(store::Duck& duck, const std::string& relation) {
  std::vector<std::pair<std::string, std::string>> names;
  const auto read = duck.Query("SELECT DISTINCT artist, title FROM " + relation + " WHERE artist IS NOT NULL AND title IS NOT NULL",
                               [&](const store::DuckChunk& chunk) {
                                 for (uint64_t i = 0; i < chunk.rows(); ++i) {
                                   names.emplace_back(chunk.Text(0, i), chunk.Text(1, i));
                                 }
                               });
  ASSERT_TRUE(read.ok()) << read.error().message;
  ASSERT_TRUE(duck.Run("CREATE OR REPLACE TABLE keys(artist VARCHAR, title VARCHAR, name_key VARCHAR)").ok());
  auto rows = *duck.Append("keys");
  for (const auto& [artist, title] : names) {
    rows->Text(artist);
    rows->Text(title);
    rows->TextOrNull(NameKey(artist, title));
    ASSERT_TRUE(rows->EndRow().ok());
  }
  ASSERT_TRUE(rows->Close().ok());
}

TEST_F(CleanTest, SixOverlappingExportsOfOneListenerGiveEachPlayOnce) {
  const char* folder = std::getenv("SEGUE_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  Must(duck->Run("CREATE TABLE history AS SELECT filename, epoch(strptime(endTime, '%Y-%m-%d %H:%M'))::BIGINT AS \"at\", "
                 "artistName AS artist, trackName AS title, msPlayed AS ms_played FROM read_json(" +
                 store::Quoted(std::string(folder) + "/spotify_histories/listener-12/**/*.json") +
                 ", columns = {endTime: 'VARCHAR', artistName: 'VARCHAR', trackName: 'VARCHAR', msPlayed: 'BIGINT'}, filename = true)"));
  ASSERT_EQ(Count("SELECT count(*) FROM history"), 201'151);
  ASSERT_EQ(Count("SELECT count(DISTINCT (\"at\", artist, title, ms_played)) FROM history"), 136'968);
  MakeKeys(*duck, "history");
  std::vector<std::string> files;
  Must(duck->Query("SELECT DISTINCT filename FROM history ORDER BY filename", [&](const store::DuckChunk& chunk) {
    for (uint64_t i = 0; i < chunk.rows(); ++i) files.emplace_back(chunk.Text(0, i));
  }));
  for (const auto& file : files) {
    Stage(file.substr(std::string(folder).size()), "listens",
          "SELECT name_key, artist, title, \"at\", 60 AS at_precision, 'play' AS kind, ms_played FROM history JOIN keys "
          "USING (artist, title) WHERE filename = " + store::Quoted(file), "listener-12");
  }
  clock.Advance(int64_t{4} * 365 * 86'400'000);
  auto objects = *catalog->Objects("accepted");
  for (auto& object : objects) {
    object.added_at = clock.NowSeconds();
    Must(catalog->PutObject(object));
  }
  const Outcome outcome = CleanNow();
  EXPECT_FALSE(outcome.stop);
  EXPECT_EQ(outcome.rows_in, 201'151);
  // Exports of different years spell some titles differently ("- Remastered",
  // "(feat. ...)"): such a play is one play, so that those distinct by
  // normalised name are somewhat fewer than 136,968 less the unknown ones.
  const std::string known = "FROM history JOIN keys USING (artist, title) WHERE artist <> 'Unknown Artist'";
  const int64_t spelt = Count("SELECT count(DISTINCT (\"at\", artist, title, ms_played)) " + known);
  const int64_t distinct = Count("SELECT count(DISTINCT (\"at\", name_key, ms_played)) " + known);
  EXPECT_LE(distinct, spelt);
  EXPECT_GT(distinct, spelt - 500);
  const int64_t zero = Count("SELECT count(DISTINCT (\"at\", name_key)) " + known + " AND ms_played = 0");
  EXPECT_EQ(Kept(), distinct - zero);
  EXPECT_EQ(Rejected("zero_play"), zero);
  EXPECT_EQ(Rejected("names_no_track"), 268);
  EXPECT_EQ(quality["rows"]["duplicates"], 201'151 - 268 - distinct);
  EXPECT_GT(quality["duplicates"]["between_files"].get<int64_t>(), 60'000);
  ExpectRowsAddUp();
}

TEST_F(CleanTest, TheHitTablesDuplicatesAndConflictsAreThoseOfTheData) {
  const char* folder = std::getenv("SEGUE_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  Must(duck->Run("CREATE TABLE hits AS SELECT * FROM read_csv(" +
                 store::Quoted(std::string(folder) + "/hit_predictor/dataset-of-*.csv") + ", header = true, delim = ',', quote = '\"')"));
  ASSERT_EQ(Count("SELECT count(*) FROM hits"), 41'106);
  Must(duck->Run("CREATE TABLE named AS SELECT *, track AS title FROM hits"));
  MakeKeys(*duck, "named");
  Stage("hits.csv", "tracks",
        "SELECT 'whole' AS part, uri AS source_id, name_key, artist, title, danceability, energy, key, loudness, mode, "
        "speechiness, acousticness, instrumentalness, liveness, valence, tempo, duration_ms, time_signature, chorus_hit, "
        "sections, target AS hit FROM named JOIN keys USING (artist, title)");
  CleanNow();
  EXPECT_EQ(quality["rows"]["in"], 41'106);
  EXPECT_EQ(Rejected("duplicate_row"), 420);
  EXPECT_EQ(Rejected("duplicate_row") + Rejected("duplicate_source_id"), 546);
  EXPECT_EQ(quality["track_tables"]["ids_both_hit_and_flop"], 26);
  EXPECT_GT(RuleFigure("impossible_tempo", "changed"), 0);
  EXPECT_GT(RuleFigure("impossible_time_signature", "changed"), 0);
  ExpectRowsAddUp();
}

TEST_F(CleanTest, RealReviewsReachTheDatasetWordForWord) {
  const char* folder = std::getenv("SEGUE_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  Must(duck->Run("CREATE TABLE amazon AS SELECT * FROM read_json(" +
                 store::Quoted(std::string(folder) + "/amazon_digital_music/reviews_Digital_Music_5_head.json") +
                 ", columns = {reviewerID: 'VARCHAR', asin: 'VARCHAR', overall: 'DOUBLE', reviewText: 'VARCHAR', unixReviewTime: 'BIGINT'}, "
                 "format = 'newline_delimited')"));
  ASSERT_EQ(Count("SELECT count(*) FROM amazon"), 6908);
  // Those before 2002 are rejected, as all events are.
  const std::string kept = "WHERE trim(reviewText) <> '' AND unixReviewTime >= 1009843200";
  Stage("reviews.json", "listens",
        "SELECT reviewerID AS listener, 'amazon:' || asin AS source_id, 'review' AS kind, overall AS value, reviewText AS text, "
        "unixReviewTime AS \"at\" FROM amazon");
  CleanNow();
  const auto data = store::LoadDataset(*bucket, last.dataset_id);
  ASSERT_TRUE(data.ok()) << data.error().message;
  EXPECT_EQ(static_cast<int64_t>(data->reviews.size()), Count("SELECT count(*) FROM amazon " + kept));
  int64_t bytes = 0;
  for (const Review& review : data->reviews) {
    bytes += static_cast<int64_t>(review.text.size());
    EXPECT_GE(review.rating, 1);
  }
  EXPECT_EQ(bytes, Count("SELECT sum(strlen(reviewText))::BIGINT FROM amazon " + kept));
}

}  // namespace
}  // namespace segue::clean
