#include "clean/testing.h"

namespace segue::clean {
namespace {

std::string Track(const std::string& uri, const std::string& artist, const std::string& title,
                  const std::string& more = "") {
  return "SELECT 'whole' AS part, 0 AS row, " + (uri.empty() ? "NULL::VARCHAR" : store::Quoted(uri)) +
         " AS source_id, " + store::Quoted(NameKey(artist, title)) + " AS name_key, " + store::Quoted(artist) +
         " AS artist, " + store::Quoted(title) + " AS title" + (more.empty() ? "" : ", " + more);
}

TEST_F(CleanTest, AWholeRowAndAnIdThatAreThereAlreadyAreDuplicates) {
  const std::string row = Track("u1", "A", "one", "0.5::DOUBLE AS energy, 'rock' AS tags");
  Stage("t.csv", "tracks", All({row, row, Track("u1", "A", "one", "0.7, 'pop'"), Track("u2", "A", "two", "0.1, NULL")}));
  CleanNow();
  EXPECT_EQ(Rejected("duplicate_row"), 1);
  EXPECT_EQ(Rejected("duplicate_source_id"), 1);
  EXPECT_EQ(last.tracks, 2);
  EXPECT_EQ(One("SELECT energy || ' ' || tags FROM " + Table("tracks") + " WHERE title = 'one'"), "0.5 pop;rock");
  ExpectRowsAddUp();
}

TEST_F(CleanTest, ATrackThatIsBothHitAndFlopHasNoLabel) {
  Stage("t.csv", "tracks",
        All({Track("u1", "A", "one", "1 AS hit"), Track("u1", "A", "one", "0"), Track("u2", "A", "two", "1"),
             Track("u3", "B", "three", "0"), Track("u4", "B", "Three", "1")}));
  CleanNow();
  EXPECT_EQ(One("SELECT hit FROM " + Table("tracks") + " WHERE title = 'one'"), "NULL");
  EXPECT_EQ(One("SELECT hit FROM " + Table("tracks") + " WHERE title = 'two'"), "1");
  EXPECT_EQ(One("SELECT hit FROM " + Table("tracks") + " WHERE lower(title) = 'three'"), "NULL");
  EXPECT_EQ(quality["track_tables"]["ids_both_hit_and_flop"], 1);
  EXPECT_EQ(quality["track_tables"]["tracks_both_hit_and_flop"], 2);
}

TEST_F(CleanTest, ImpossibleFeaturesBecomeUnknownAndTheRowStays) {
  const std::string columns =
      "0.0::DOUBLE AS tempo, 0.0::DOUBLE AS time_signature, 6.5::DOUBLE AS loudness, 1.01::DOUBLE AS energy, "
      "'inf'::DOUBLE AS valence, -5::BIGINT AS duration_ms, 0.5::DOUBLE AS liveness";
  Stage("t.csv", "tracks", All({Track("u1", "A", "one", columns),
                                Track("u2", "A", "two", "120.0, 4.0, -7.0, 1.0, 0.0, 200000, 0.0")}));
  CleanNow();
  EXPECT_EQ(One("SELECT concat_ws(',', tempo, time_signature, loudness, energy, valence, duration_ms, liveness) FROM " +
                Table("tracks") + " WHERE title = 'one'"), "0.5");
  EXPECT_EQ(One("SELECT concat_ws(',', tempo, time_signature, loudness, energy, valence, duration_ms, liveness) FROM " +
                Table("tracks") + " WHERE title = 'two'"), "120.0,4.0,-7.0,1.0,0.0,200000,0.0");
  for (const char* rule : {"impossible_tempo", "impossible_time_signature", "impossible_loudness", "impossible_energy",
                           "impossible_valence", "impossible_duration"}) {
    EXPECT_EQ(RuleFigure(rule, "changed"), 1) << rule;
  }
  EXPECT_EQ(quality["rows"]["kept"], 2);
}

TEST_F(CleanTest, ARowThatNamesNoTrackIsRejected) {
  Stage("t.csv", "tracks", All({Track("u1", "A", "one"), "SELECT 'whole', 0, NULL, NULL, NULL, 'no artist'"}));
  CleanNow();
  EXPECT_EQ(Rejected("names_no_track"), 1);
  EXPECT_EQ(last.tracks, 1);
}

TEST_F(CleanTest, FeaturesAndNamesAreJoinedByRowWhereTitlesAgree) {
  const auto features = [](int row, const std::string& title, const std::string& energy) {
    return "SELECT 'features' AS part, " + std::to_string(row) + " AS row, " + store::Quoted(title) + " AS title, " +
           energy + "::DOUBLE AS energy";
  };
  const auto names = [](int row, const std::string& artist, const std::string& title) {
    return "SELECT 'names' AS part, " + std::to_string(row) + " AS row, " + store::Quoted(NameKey(artist, title)) +
           " AS name_key, " + store::Quoted(artist) + " AS artist, " + store::Quoted(title) + " AS title";
  };
  Stage("song_data.csv", "tracks", All({features(0, "one", "0.1"), features(1, "two", "0.2"), features(2, "off", "0.3")}));
  CleanNow();
  EXPECT_EQ(Rejected("features_without_names"), 3) << "they wait for the other file";
  EXPECT_EQ(quality["rows"]["rejected"], 0);

  Stage("song_info.csv", "tracks", All({names(0, "A", "one"), names(1, "B", "two"), names(2, "C", "three")}));
  CleanNow();
  EXPECT_EQ(quality["track_tables"]["pairs_matched"], 2);
  EXPECT_EQ(quality["track_tables"]["pairs_mismatched"], 1);
  EXPECT_EQ(Rejected("features_of_another_title"), 1);
  EXPECT_EQ(One("SELECT energy FROM " + Table("tracks") + " WHERE artist = 'B'"), "0.2");
  EXPECT_EQ(One("SELECT energy FROM " + Table("tracks") + " WHERE artist = 'C'"), "NULL");
  ExpectRowsAddUp();
}

TEST_F(CleanTest, TheFullestRowGivesTheFeaturesAndOthersFillItsGaps) {
  Stage("a.csv", "tracks", Track("u1", "A", "one", "0.1::DOUBLE AS energy, NULL::DOUBLE AS valence, 0.9::DOUBLE AS liveness"));
  Stage("b.csv", "tracks", Track("u2", "A", "one", "0.2::DOUBLE AS energy, 0.3::DOUBLE AS valence, 0.8::DOUBLE AS liveness, 100.0::DOUBLE AS tempo"));
  Stage("c.csv", "tracks", Track("u3", "A", "one", "0.5::DOUBLE AS mode"));
  CleanNow();
  EXPECT_EQ(One("SELECT concat_ws(',', energy, valence, liveness, tempo, mode) FROM " + Table("tracks")), "0.2,0.3,0.8,100.0,0.5");
}

TEST_F(CleanTest, ATrackIsListedWhereATableHasItWhateverItKnows) {
  Stage("t.csv", "tracks", All({Track("u1", "A", "one"), Track("u2", "A", "two")}));
  Stage("a.json", "listens", All({Play("ann", "A", "one", kNow - 1000), Play("ann", "A", "three", kNow - 2000)}));
  CleanNow();
  EXPECT_EQ(One("SELECT string_agg(title, ',' ORDER BY title) FROM " + Table("tracks") + " WHERE listed"), "one,two");
  EXPECT_EQ(One("SELECT string_agg(title, ',' ORDER BY title) FROM " + Table("tracks") + " WHERE NOT listed"), "three");
}

TEST_F(CleanTest, TheCommonestSpellingNamesTheTrack) {
  Stage("a.json", "listens",
        All({Play("ann", "Björk", "Jóga", kNow - 1000), Play("ann", "Björk", "Jóga", kNow - 2000),
             Play("ann", "bjork", "joga", kNow - 3000)}));
  CleanNow();
  EXPECT_EQ(last.tracks, 1);
  EXPECT_EQ(One("SELECT artist || '/' || title FROM " + Table("tracks")), "Björk/Jóga");
}

TEST_F(CleanTest, AnArtistOnlySourceNamesTheTrackAfterTheArtistAndTakesItsTags) {
  Stage("artists.dat", "tracks", "SELECT 'whole' AS part, 0 AS row, 'lastfm:artist:51' AS source_id, 'Duran Duran' AS artist");
  Stage("tags.dat", "tag_names", "SELECT '1' AS tag_id, 'new wave' AS tag UNION ALL SELECT '2', 'eighties' UNION ALL SELECT '3', 'solo'");
  std::string taggings = "SELECT 'l' || i AS listener, 'lastfm:artist:51' AS source_id, '1' AS tag_id FROM range(3) t(i) "
                         "UNION ALL SELECT 'l9', 'lastfm:artist:51', '2' UNION ALL SELECT 'l9', 'lastfm:artist:51', '77' "
                         "UNION ALL SELECT 'l9', 'lastfm:artist:404', '1'";
  Stage("user_tags.dat", "taggings", taggings);
  CleanNow();
  EXPECT_EQ(One("SELECT title || '/' || artist || '/' || tags FROM " + Table("tracks")),
            "Duran Duran/Duran Duran/eighties;new wave");
  EXPECT_EQ(Rejected("unknown_tag"), 1);
  EXPECT_EQ(Rejected("tag_of_unknown_track"), 1);
  ExpectRowsAddUp();
}

TEST_F(CleanTest, OnlyTheTwentyTagsOfMostListenersAreKept) {
  Stage("artists.dat", "tracks", "SELECT 'whole' AS part, 0 AS row, 'x:1' AS source_id, 'A' AS artist");
  Stage("tags.dat", "tag_names", "SELECT i::VARCHAR AS tag_id, 'tag' || i AS tag FROM range(30) t(i)");
  Stage("u.dat", "taggings",
        "SELECT 'l' || l AS listener, 'x:1' AS source_id, t::VARCHAR AS tag_id FROM range(30) a(t), range(30) b(l) WHERE l <= t");
  CleanNow();
  EXPECT_EQ(One("SELECT len(string_split(tags, ';')) FROM " + Table("tracks")), "20");
  EXPECT_EQ(One("SELECT list_contains(string_split(tags, ';'), 'tag10') AND NOT "
                "list_contains(string_split(tags, ';'), 'tag9') FROM " + Table("tracks")), "true");
}

TEST_F(CleanTest, TellsHowPlaysFoundTheirAudioFeatures) {
  Stage("t.csv", "tracks", All({Track("u1", "A", "one", "0.5::DOUBLE AS energy"), Track("u2", "A", "two", "NULL")}));
  Stage("a.json", "listens",
        All({Play("ann", "A", "one", kNow - 100, kHeard, 1, "play", "u1"), Play("ann", "A", "One", kNow - 500),
             Play("ann", "A", "two", kNow - 900), Play("ann", "A", "three", kNow - 1900)}));
  CleanNow();
  const auto& found = quality["audio_features"];
  EXPECT_EQ(found["plays"], 4);
  EXPECT_EQ(found["found"], 2);
  EXPECT_EQ(found["by_id"], 1);
  EXPECT_EQ(found["by_name"], 1);
  EXPECT_EQ(found["share"], 0.5);
}

}  // namespace
}  // namespace segue::clean
