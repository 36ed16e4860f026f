#include "clean/suspicion.h"

#include "clean/testing.h"

namespace segue::clean {
namespace {

/// Files that are wrong as a whole, beside ones that are there and right.
class Suspicions : public CleanTest {
 protected:
  /// Tracks first .. first + n - 1, whose loudness goes with their energy.
  static std::string Tracks(int first, int n, const std::string& replace = "") {
    return "SELECT * " + (replace.empty() ? "" : "REPLACE (" + replace + ") ") +
           "FROM (SELECT i AS row, 'whole' AS part, 'spotify:track:' || i AS source_id, 'Artist ' || (i % 50) AS artist, "
           "'Title ' || i AS title, 'artist ' || (i % 50) || ' title ' || i AS name_key, (hash(i) % 1000) / 1000.0::DOUBLE AS energy, "
           "-20 + 15 * (hash(i) % 1000) / 1000.0::DOUBLE + (hash(i + 1000000) % 100) / 50.0::DOUBLE AS loudness, "
           "(hash(i + 2000000) % 1000) / 1000.0::DOUBLE AS valence, 60 + hash(i + 3000000) % 100::DOUBLE AS tempo "
           "FROM range(" + std::to_string(first) + ", " + std::to_string(first + n) + ") r(i))";
  }

  static std::string Ratings(int first, int n, const std::string& value) {
    return "SELECT 'anna' AS listener, 'spotify:track:' || i AS source_id, 'rating' AS kind, (" + value + ")::DOUBLE AS value FROM range(" +
           std::to_string(first) + ", " + std::to_string(first + n) + ") r(i)";
  }

  /// What is there before each file that is looked at.
  void StageGoodOnes() {
    Stage("songs.csv", "tracks", Tracks(0, 800));
    Stage("ratings.csv", "listens", Ratings(0, 200, "1 + i % 5"));
    const auto outcome = Clean(context());
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    good_ = outcome->dataset_id;
  }

  /// Cleans with one file more, which has to be stopped at for the reason, and
  /// then again: as if it had never come.
  void ExpectStop(const std::string& table, const std::string& select, const std::string& check, const std::string& field) {
    StageGoodOnes();
    Stage("bad.csv", table, select);
    const auto stopped = Clean(context());
    ASSERT_FALSE(stopped.ok());
    EXPECT_EQ(stopped.error().code, ErrorCode::kInvalid);
    EXPECT_NE(stopped.error().message.find("bad.csv: "), std::string::npos) << stopped.error().message;
    EXPECT_NE(stopped.error().message.find("(" + check + ")"), std::string::npos) << stopped.error().message;
    EXPECT_EQ(stopped.error().message.find("songs.csv"), std::string::npos) << "the good file is not the one";
    const auto rows = *catalog->Quarantine(0, 10);
    ASSERT_FALSE(rows.empty());
    EXPECT_EQ(rows[0].file, "bad.csv");
    bool named = false;
    for (const auto& row : rows) named = named || row.field == field;
    EXPECT_TRUE(named) << field;
    const auto again = Clean(context());
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->dataset_id, good_);
  }

  void ExpectNoStop(const std::string& table, const std::string& select) {
    StageGoodOnes();
    Stage("more.csv", table, select);
    const auto outcome = Clean(context());
    ASSERT_TRUE(outcome.ok()) << outcome.error().message;
    EXPECT_NE(outcome->dataset_id, good_);
  }

  std::string good_;
};

TEST_F(Suspicions, StopAtAColumnOfAnotherScale) {
  ExpectStop("tracks", Tracks(1000, 100, "energy * 1000 AS energy"), "impossible_column", "energy");
}

TEST_F(Suspicions, StopAtColumnsThatChangedPlaces) {
  ExpectStop("tracks", Tracks(100, 400, "energy AS valence, valence AS energy"), "disagrees", "energy");
}

TEST_F(Suspicions, StopAtAColumnThatWasShuffledAmongNewTracks) {
  ExpectStop("tracks", Tracks(1000, 600, "(hash(row + 77) % 1000) / 1000.0::DOUBLE AS energy"), "unrelated_columns", "loudness");
}

TEST_F(Suspicions, StopAtRatingsThatAreAllTheSame) {
  ExpectStop("listens", Ratings(200, 100, "5"), "constant_ratings", "value");
}

TEST_F(Suspicions, StopAtAMillionPlaysOfOneTrackInOneRow) {
  ExpectStop("listens", Play("mallory", "A", "B", kNow - 500) + " UNION ALL SELECT * REPLACE (1e6 AS value) FROM (" +
                            Play("mallory", "Loop", "Forever", kNow - 900) + ")",
             "one_track", "track");
}

TEST_F(Suspicions, StopAtAMillionPlaysOfOneTrackAMinuteEach) {
  ExpectStop("listens", "SELECT p.* REPLACE (" + std::to_string(kNow) + " - 60 * i AS \"at\") FROM range(1, 1000001) r(i), (" +
                            Play("mallory", "Loop", "Forever", 0) + ") p",
             "one_track", "track");
}

TEST_F(Suspicions, AreNoneOfMoreTracksOfTheSameKind) { ExpectNoStop("tracks", Tracks(1000, 600)); }

TEST_F(Suspicions, AreNoneOfColumnsThatAreConstant) {
  // 0.05 and 0.1 are no sums of powers of two: their deviations round to something.
  const std::string constant = "0.05::DOUBLE AS energy, 0.1::DOUBLE AS valence";
  Stage("plain.csv", "tracks", Tracks(0, 800, constant));
  ASSERT_TRUE(Clean(context()).ok());
  Stage("more.csv", "tracks", Tracks(1000, 700, constant));
  const auto outcome = Clean(context());
  EXPECT_TRUE(outcome.ok()) << outcome.error().message;
}

TEST_F(Suspicions, AreNoneWhereTheSameTracksAreToldAgain) { ExpectNoStop("tracks", Tracks(300, 600)); }

TEST_F(Suspicions, AreNoneOfFewRatings) { ExpectNoStop("listens", Ratings(200, 99, "5")); }

TEST_F(Suspicions, AreNoneOfRatingsThatDiffer) { ExpectNoStop("listens", Ratings(200, 100, "4 + i % 2")); }

TEST_F(Suspicions, AreNoneOfATrackThatIsLovedAmongMany) {
  ExpectNoStop("listens", "SELECT 'bert' AS listener, 'spotify:track:' || i AS source_id, 'play' AS kind, "
                          "CASE WHEN i = 0 THEN 12000 ELSE 150 END::DOUBLE AS value FROM range(0, 200) r(i)");
}

TEST_F(Suspicions, AreKeptWhereThatIsAskedFor) {
  settings.suspicious = "keep";
  ExpectNoStop("listens", Ratings(200, 100, "5"));
}

TEST_F(Suspicions, OfAFirstFileAreThoseThatNeedNoOther) {
  Stage("scaled.csv", "tracks", Tracks(0, 100, "valence * 1000 AS valence"));
  const auto stopped = Clean(context());
  ASSERT_FALSE(stopped.ok());
  EXPECT_NE(stopped.error().message.find("expected 0 to 1"), std::string::npos) << stopped.error().message;
}

TEST_F(Suspicions, OfRatingsAreNoneWhereNoOthersDiffer) {
  Stage("ones.csv", "listens", Ratings(0, 300, "1"));
  EXPECT_TRUE(Clean(context()).ok());
}

}  // namespace
}  // namespace segue::clean
