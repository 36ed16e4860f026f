#include <atomic>
#include <cmath>

#include "clean/testing.h"
#include "store/dataset_store.h"

namespace segue::clean {
namespace {

TEST_F(CleanTest, EachFaultyRowIsTakenOutByItsOwnRuleAndNamed) {
  const std::string good = Play("ann", "A", "one", kNow - 1000);
  const auto with = [&](const std::string& column, const std::string& value) {
    return "SELECT * REPLACE (" + value + " AS " + column + ") FROM (" + Play("ann", "A", "two", kNow - 2000) + ")";
  };
  Stage("a.json", "listens",
        All({good, with("listener", "'  '"), with("name_key", "NULL"), Play("ann", "Unknown Artist", "Unknown Track", kNow),
             with("kind", "'applaud'"), with("\"at\"", std::to_string(kNow + 86'401)), with("\"at\"", "0"),
             with("\"at\"", "NULL"), with("ms_played", "-1"), with("ms_played", "86400001"), with("value", "-1.0"),
             with("value", "'nan'::DOUBLE"), with("ms_played", "0")}));
  CleanNow();
  for (const auto& [rule, rows] : std::map<std::string, int64_t>{
           {"missing_listener", 1}, {"names_no_track", 2}, {"unknown_kind", 1}, {"time_in_future", 1},
           {"time_too_early", 1}, {"missing_time", 1}, {"negative_play_time", 1}, {"play_time_above_a_day", 1},
           {"impossible_value", 2}, {"zero_play", 1}}) {
    EXPECT_EQ(Rejected(rule), rows) << rule;
    EXPECT_EQ(RuleFigure(rule, "removed"), rows) << rule;
  }
  EXPECT_EQ(Kept(), 1);
  EXPECT_EQ(quality["rows"]["rejected"], 11);
  EXPECT_EQ(quality["rows"]["removed"], 1) << "a play of 0 ms is not the export's fault";
  ExpectRowsAddUp();
  EXPECT_EQ(One("SELECT file || ':' || line || ' ' || field || ' ' || reason FROM " + Table("rejected") +
                " WHERE rule = 'unknown_kind'"),
            "a.json:5 kind kind is 'applaud', expected play, skip, like, dislike, rating, review or neutral");
}

TEST_F(CleanTest, ATimeOfADayAheadIsKeptAndRatingsNeedNoTime) {
  Stage("a.json", "listens",
        All({Play("ann", "A", "one", kNow + 86'400),
             "SELECT * REPLACE (NULL AS \"at\", 'rating' AS kind, 4.0 AS value) FROM (" + Play("ann", "A", "two", 0) + ")"}));
  CleanNow();
  EXPECT_EQ(Kept(), 2);
  EXPECT_EQ(One("SELECT value FROM " + Table("interactions") + " WHERE kind = 'rating' AND \"at\" IS NULL"), "4.0");
}

TEST_F(CleanTest, TwoOverlappingExportsGiveEachPlayOnce) {
  const auto play = [&](int64_t minute) { return Play("ann", "A", "one", kNow - 60 * minute, kHeard, 60); };
  Stage("export-1/h.json", "listens", All({play(5), play(4), play(3)}));
  Stage("export-2/h.json", "listens", All({play(3), play(4), play(2), play(2)}));
  CleanNow();
  EXPECT_EQ(Kept(), 4);
  EXPECT_EQ(quality["duplicates"]["between_files"], 2);
  EXPECT_EQ(quality["duplicates"]["within_file"], 1);
  EXPECT_EQ(quality["duplicates"]["by_listener"]["ann"]["between_files"], 2);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("rejected") +
                  " WHERE file = 'export-2/h.json' AND rule = 'duplicate_between_files'"), 2)
      << "the first file's row stays";
  EXPECT_EQ(One("SELECT reason FROM " + Table("rejected") + " WHERE rule = 'duplicate_between_files' LIMIT 1"),
            "the same event is already in export-1/h.json");
  ExpectRowsAddUp();
}

TEST_F(CleanTest, DifferentPlaysInOneMinuteStay) {
  const int64_t minute = kNow / 60 * 60;
  Stage("minutes.json", "listens",
        All({Play("ann", "A", "one", minute, "31000", 60), Play("ann", "A", "one", minute, "32000", 60),
             Play("ben", "A", "one", minute, "31000", 60)}));
  Stage("seconds.json", "listens",
        All({Play("cat", "A", "one", minute + 1), Play("cat", "A", "one", minute + 2), Play("cat", "A", "one", minute + 2)}));
  CleanNow();
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = 'ann'"), 2);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = 'ben'"), 1);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = 'cat'"), 2);
}

TEST_F(CleanTest, APlayToldInMinutesAndInSecondsIsOnePlayWithItsSecond) {
  const int64_t minute = kNow / 60 * 60;
  Stage("account.json", "listens", All({Play("ann", "A", "one", minute, "45000", 60), Play("ann", "A", "one", minute - 60, "45000", 60)}));
  // The other export knows an id, and that the listener skipped.
  Stage("extended.json", "listens", Play("ann", "A", "one", minute + 42, "45000", 1, "skip", "spotify:track:x"));
  CleanNow();
  EXPECT_EQ(Kept(), 2);
  EXPECT_EQ(Count("SELECT \"at\" FROM " + Table("interactions") + " WHERE kind = 'skip'"), minute + 42);
  EXPECT_EQ(Rejected("duplicate_between_files"), 1);
}

TEST_F(CleanTest, AnEventIdMakesTwoRowsOneEvent) {
  const auto named = [&](const std::string& id, int64_t at) {
    return "SELECT * REPLACE ('" + id + "' AS event_id) FROM (" + Play("ann", "A", "one", at, "NULL") + ")";
  };
  Stage("a.json", "listens", All({named("e1", kNow - 500), named("e1", kNow - 100), named("e2", kNow - 300)}));
  CleanNow();
  EXPECT_EQ(Kept(), 2);
  EXPECT_EQ(Rejected("duplicate_event"), 1);
  EXPECT_EQ(quality["duplicates"]["same_event_id"], 1);
}

TEST_F(CleanTest, RatingsAreDuplicatesOnlyWithTheSameValueAndTime) {
  const auto rating = [&](int64_t at, const std::string& value) {
    return "SELECT * REPLACE ('rating' AS kind, " + value + "::DOUBLE AS value) FROM (" + Play("ann", "A", "one", at, "NULL") + ")";
  };
  Stage("a.json", "listens", All({rating(kNow, "3"), rating(kNow, "3"), rating(kNow, "4"), rating(kNow - 1, "3")}));
  CleanNow();
  EXPECT_EQ(Kept(), 3);
}

TEST_F(CleanTest, AShortPlayIsASkip) {
  settings.skip_below_ms = 30'000;
  Stage("a.json", "listens", All({Play("ann", "A", "one", kNow, "29999"), Play("ann", "A", "two", kNow, "30000"),
                                  Play("ann", "A", "three", kNow, "NULL")}));
  CleanNow();
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE kind = 'skip'"), 1);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE kind = 'play'"), 2);
  EXPECT_EQ(RuleFigure("short_play_is_skip", "changed"), 1);
}

std::string Plays(int good, int bad, const std::string& listener) {
  return "SELECT CASE WHEN i < " + std::to_string(bad) + " THEN NULL ELSE '" + listener + "' END AS listener, "
         "'src:' || (i % 7) AS source_id, (1600000000 + i * 100)::BIGINT AS \"at\", 1 AS at_precision, 'play' AS kind, "
         "200000::BIGINT AS ms_played FROM range(" + std::to_string(good + bad) + ") t(i)";
}

TEST_F(CleanTest, ABadFileIsLeftOutWithAnAlarmWhileTheRestGoesOn) {
  Stage("good.json", "listens", Plays(1000, 0, "ann"));
  Stage("bad.json", "listens", Plays(50, 50, "ben"));
  const Outcome outcome = CleanNow();
  EXPECT_FALSE(outcome.stop) << outcome.stop_reason;
  EXPECT_EQ(Kept(), 1000);
  EXPECT_EQ(Rejected("file_left_out"), 50);
  EXPECT_EQ(Rejected("missing_listener"), 50);
  EXPECT_EQ(quality["rows"]["left_out"], 100);
  EXPECT_EQ(quality["rows"]["rejected"], 0) << "what was left out does not spoil the dataset's own share";
  ExpectRowsAddUp();
  ASSERT_EQ(catalog->Alarms(10)->size(), 1U);
  EXPECT_NE(catalog->Alarms(10)->front().message.find("bad.json: 50 of 100 rows"), std::string::npos);

  Stage("more.json", "listens", Plays(10, 0, "cat"));
  CleanNow();
  EXPECT_EQ(catalog->Alarms(10)->size(), 1U) << "the same file rings once";
}

TEST_F(CleanTest, TooManyBadRowsOverAllNewFilesStopTheRunOnlyOnce) {
  Stage("good.json", "listens", Plays(1000, 0, "ann"));
  EXPECT_FALSE(CleanNow().stop);
  Stage("bad.json", "listens", Plays(50, 50, "ben"));
  const Outcome stopped = CleanNow();
  EXPECT_TRUE(stopped.stop) << "of the new rows one half is bad, whatever there was before";
  EXPECT_NE(stopped.stop_reason.find("50 of 100 new rows"), std::string::npos) << stopped.stop_reason;
  const Outcome again = CleanNow();
  EXPECT_TRUE(again.existed);
  EXPECT_EQ(again.stop_reason, stopped.stop_reason);
  Stage("more.json", "listens", Plays(10, 0, "cat"));
  EXPECT_FALSE(CleanNow().stop) << "a bad file of yesterday must not block for ever";
}

TEST_F(CleanTest, AFewBadRowsOfASmallFileAreNoReasonToLeaveItOut) {
  Stage("small.json", "listens", Plays(5, 15, "ann"));
  EXPECT_FALSE(CleanNow().stop);
  EXPECT_EQ(Kept(), 5);
}

TEST_F(CleanTest, RowsThatIngestCouldNotReadCount) {
  Stage("cut.json", "listens", Plays(100, 0, "ann"), "", 7);
  CleanNow();
  EXPECT_EQ(quality["rows"]["in"], 107);
  EXPECT_EQ(quality["rows"]["rejected"], 7);
  EXPECT_EQ(RuleFigure("unreadable", "removed"), 7);
  ExpectRowsAddUp();
  Stage("wreck.json", "listens", Plays(10, 0, "ben"), "", 70);
  EXPECT_TRUE(CleanNow().stop);
}

TEST_F(CleanTest, TheSameInputsAreTheSameBytesForAnyNumberOfThreads) {
  Stage("a.json", "listens",
        "SELECT 'l' || (i % 37) AS listener, 'src:' || (i * 7919 % 5003) AS source_id, "
        "'artist ' || (i * 7919 % 5003 % 61) || chr(31) || 'song ' || (i * 7919 % 5003) AS name_key, "
        "'Artist ' || (i * 7919 % 5003 % 61) AS artist, CASE WHEN i % 2 = 0 THEN 'Song ' ELSE 'song ' END || "
        "(i * 7919 % 5003) AS title, (1600000000 + i * 13 % 90000 * 60)::BIGINT AS \"at\", 60 AS at_precision, "
        "'play' AS kind, (20000 + i % 11 * 9000)::BIGINT AS ms_played FROM range(150000) t(i)");
  Stage("t.csv", "tracks",
        "SELECT 'src:' || (i % 4000) AS source_id, 'whole' AS part, i AS row, (i * 37 % 1000) / 1000.0 AS energy, "
        "i % 3 AS hit, 'a;b' || (i % 5) AS tags FROM range(9000) t(i)");
  const std::vector<std::string> leaves = {"tracks.parquet",   "aliases.parquet", "interactions.parquet",
                                           "rejected.parquet", "quality.json",    "manifest.json",
                                           "reviews.parquet"};
  std::map<std::string, std::string> first;
  for (const int64_t threads : {1, 2, 5}) {
    settings.threads = threads;
    const Outcome outcome = CleanNow();
    EXPECT_FALSE(outcome.existed);
    for (const auto& leaf : leaves) {
      const std::string bytes = Bytes(leaf);
      if (threads == 1) first[leaf] = bytes;
      EXPECT_TRUE(bytes == first[leaf]) << leaf << " differs with " << threads << " threads";
      Must(bucket->Remove(store::DatasetKey(outcome.dataset_id, leaf)));
    }
  }
  EXPECT_GT(first["interactions.parquet"].size(), 100'000U);
}

TEST_F(CleanTest, ReviewsKeepTheirWordsAndARatedOneIsARating) {
  const std::string columns = "'src:1' AS source_id, 'review' AS kind, ";
  Stage("r.json", "listens",
        All({"SELECT 'ann' AS listener, " + columns + "1600000000::BIGINT AS \"at\", 4.0::DOUBLE AS value, 'a \"fine\", slow; thing\nof two lines' AS text",
             "SELECT 'bob', " + columns + "NULL, NULL, 'no idea when'",
             "SELECT 'cid', " + columns + "1600000000, NULL, '  '"}));
  Stage("again.json", "listens",
        "SELECT 'ann' AS listener, " + columns + "1600000000::BIGINT AS \"at\", 4.0::DOUBLE AS value, 'a \"fine\", slow; thing\nof two lines' AS text");
  CleanNow();
  EXPECT_EQ(Kept(), 3);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("reviews")), 2);
  const auto data = store::LoadDataset(*bucket, last.dataset_id);
  ASSERT_TRUE(data.ok()) << data.error().message;
  ASSERT_EQ(data->reviews.size(), 2U);
  EXPECT_EQ(data->listeners[Raw(data->reviews[0].listener)], "ann");
  EXPECT_EQ(data->reviews[0].rating, 4.0F);
  EXPECT_EQ(data->reviews[0].at, 1'600'000'000);
  EXPECT_EQ(data->reviews[0].text, "a \"fine\", slow; thing\nof two lines");
  EXPECT_EQ(data->EventsOf(UserIx{0})[0].kind, EventKind::kRating);
  EXPECT_EQ(data->EventsOf(UserIx{0})[0].value, 4.0F);
  EXPECT_TRUE(std::isnan(data->reviews[1].rating));
  EXPECT_EQ(data->reviews[1].at, 0);
  EXPECT_EQ(data->EventsOf(UserIx{1})[0].kind, EventKind::kReview);
}

TEST_F(CleanTest, WhatFilesAreCalledDoesNotChangeTheData) {
  const auto exported = [&](int64_t from, int64_t to) {
    return "SELECT 'ann' AS listener, 'src:' || (i % 9) AS source_id, 'a' || chr(31) || (i % 9) AS name_key, "
           "CASE WHEN i % 2 = 0 THEN 'A' ELSE 'a' END AS artist, (i % 9)::VARCHAR AS title, "
           "(1600000000 + i * 60)::BIGINT AS \"at\", 60 AS at_precision, 'play' AS kind, (i % 3)::DOUBLE + 1 AS value, "
           "90000::BIGINT AS ms_played FROM range(" + std::to_string(from) + ", " + std::to_string(to) + ") t(i)";
  };
  Stage("first.json", "listens", exported(0, 60));
  Stage("second.json", "listens", exported(40, 100));
  const std::string id = CleanNow().dataset_id;
  std::map<std::string, std::string> before;
  for (const char* leaf : {"interactions.parquet", "tracks.parquet", "aliases.parquet"}) before[leaf] = Bytes(leaf);

  Must(bucket->Remove(store::DatasetKey(id, "manifest.json")));
  Stage("z-first.json", "listens", exported(0, 60));
  const Outcome outcome = CleanNow();
  EXPECT_EQ(outcome.dataset_id, id);
  EXPECT_FALSE(outcome.existed);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("rejected") + " WHERE file = 'z-first.json'"), 20)
      << "now the other file is the first";
  for (const auto& [leaf, bytes] : before) EXPECT_TRUE(Bytes(leaf) == bytes) << leaf;
}

TEST_F(CleanTest, InteractionsAndTracksAreInTheOrderThatReadersRelyOn) {
  Stage("a.json", "listens",
        "SELECT 'l' || (hash(i) % 40) AS listener, 'src:' || (hash(i + 5) % 300) AS source_id, 'play' AS kind, "
        "CASE WHEN i % 10 > 0 THEN (1600000000 + hash(i + 9) % 1000)::BIGINT END AS \"at\", 1.0 + i % 4 AS value "
        "FROM range(20000) t(i)");
  CleanNow();
  // Row numbers of the file against those of the sorted rows.
  EXPECT_EQ(Count("SELECT count(*) FROM (SELECT file_row_number AS stored, row_number() OVER (ORDER BY listener, \"at\" "
                  "NULLS FIRST, track_id, kind, value, ms_played NULLS FIRST, file_row_number) - 1 AS sorted FROM "
                  "read_parquet(" + store::Quoted((*bucket->LocalPath(store::DatasetKey(last.dataset_id,
                  "interactions.parquet"))).string()) + ", file_row_number = true)) WHERE stored <> sorted"), 0);
  EXPECT_GT(Kept(), 10'000);
  EXPECT_EQ(store::LoadDataset(*bucket, last.dataset_id)->events.size(), static_cast<size_t>(Kept()));
}

TEST_F(CleanTest, TheDatasetsIdFollowsContentAndSettingsOnly) {
  Stage("a.json", "listens", Plays(10, 0, "ann"));
  const std::string id = CleanNow().dataset_id;
  EXPECT_TRUE(CleanNow().existed);
  settings.memory_limit_mb = 512;
  EXPECT_EQ(CleanNow().dataset_id, id) << "memory changes speed, not results";
  settings.skip_below_ms = 10;
  EXPECT_NE(CleanNow().dataset_id, id);
  settings.skip_below_ms = 30'000;
  Stage("b.json", "listens", Plays(11, 0, "ann"));
  EXPECT_NE(CleanNow().dataset_id, id);
}

TEST_F(CleanTest, AnExistingDatasetTellsTheSameOutcome) {
  Stage("a.json", "listens", Plays(10, 0, "ann"));
  const Outcome first = CleanNow();
  const Outcome second = CleanNow();
  EXPECT_TRUE(second.existed);
  EXPECT_EQ(second.rows_in, first.rows_in);
  EXPECT_EQ(second.rows_kept, 10);
  EXPECT_EQ(second.listeners, 1);
  EXPECT_EQ(second.tracks, 7);
}

TEST_F(CleanTest, OneFileOfTwoListenersCountsForBoth) {
  Stage("a.json", "listens", Plays(10, 0, "ann"));
  auto object = catalog->Objects("accepted")->front();
  object.listener = "ben";
  object.name = "b.json";
  Must(catalog->PutObject(object));
  CleanNow();
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = 'ben'"), 10);
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = 'ann'"), 10);
}

TEST_F(CleanTest, NothingToCleanIsSaid) {
  const auto outcome = Clean(context());
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kNotFound);
}

TEST_F(CleanTest, ADamagedStagedObjectIsAnErrorAndLeavesNoDataset) {
  Stage("a.json", "listens", Plays(10, 0, "ann"));
  const auto object = catalog->Objects("accepted")->front();
  Must(bucket->Put(object.staged_key, "PAR1 cut off"));
  ASSERT_FALSE(Clean(context()).ok());
  const auto keys = *bucket->List("datasets");
  for (const auto& key : keys) EXPECT_FALSE(key.ends_with("manifest.json")) << key;
}

/// Asks to stop once so many steps are done.
class Stopping final : public Instruments {
 public:
  explicit Stopping(uint64_t after) : after_(after) {}
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t done, uint64_t, std::string_view) override { stop_ = stop_ || done >= after_; }
  bool Cancelled() const override { return stop_; }

 private:
  uint64_t after_;
  std::atomic<bool> stop_ = false;
};

TEST_F(CleanTest, StopsWhenAskedTo) {
  Stage("a.json", "listens", Plays(10, 0, "ann"));
  for (const uint64_t after : {0, 3, 6}) {
    Stopping stopping(after);
    const auto outcome = Clean({*bucket, *catalog, clock, settings, stopping});
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled) << outcome.error().message;
  }
  EXPECT_FALSE(CleanNow().existed) << "what was begun and stopped is not there";
  EXPECT_EQ(Kept(), 10);
}

TEST_F(CleanTest, TheReportNamesRulesInputsAndFigures) {
  Stage("a.json", "listens", Plays(1990, 10, "ann"));
  CleanNow();
  const std::string report = ReadableReport(quality);
  for (const char* part : {"missing_listener", "a.json", "2,000", "1,990", "0.50 %", "Columns of interactions", "ms_played"}) {
    EXPECT_NE(report.find(part), std::string::npos) << part << " is not in\n" << report;
  }
}

TEST_F(CleanTest, TheProfileDescribesEachColumn) {
  Stage("a.json", "listens", Plays(1000, 0, "ann"));
  CleanNow();
  const auto& columns = quality["profile"]["interactions"]["columns"];
  EXPECT_EQ(columns["at"]["min"], 1'600'000'000.0);
  EXPECT_EQ(columns["at"]["max"], 1'600'099'900.0);
  EXPECT_EQ(columns["at"]["quantiles"]["0.5"], 1'600'049'900.0);
  EXPECT_EQ(columns["at"]["nulls"], 0);
  for (const auto& bin : columns["at"]["histogram"]["counts"]) EXPECT_EQ(bin, 50);
  EXPECT_EQ(columns["listener"]["top"][0]["value"], "ann");
  EXPECT_EQ(columns["listener"]["top"][0]["rows"], 1000);
}

}  // namespace
}  // namespace segue::clean
