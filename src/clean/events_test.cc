#include "clean/testing.h"

namespace segue::clean {
namespace {

store::FeedbackEvent Liked(const std::string& id, int64_t received_at) {
  return {.event_id = id, .listener = "ann", .track_id = TrackIdOf(NameKey("A", "one")), .artist = "A", .title = "one",
          .kind = "like", .at = received_at, .received_at = received_at};
}

TEST_F(CleanTest, FeedbackIsFlushedOnceIntoAnObjectADay) {
  const std::vector<store::FeedbackEvent> events = {Liked("e1", kNow - 86'400), Liked("e2", kNow - 86'400), Liked("e3", kNow)};
  ASSERT_TRUE(catalog->AppendEvents(events).ok());
  Must(FlushEvents(context()));
  const std::vector<std::string> keys = {"events/2023/11/13/000000000001-000000000002.parquet",
                                         "events/2023/11/14/000000000003-000000000003.parquet"};
  EXPECT_EQ(*bucket->List("events"), keys);
  EXPECT_EQ(*catalog->Meta("flushed_seq"), "3");
  Must(FlushEvents(context()));
  EXPECT_EQ(*bucket->List("events"), keys);

  ASSERT_TRUE(catalog->AppendEvents(std::vector{Liked("e4", kNow)}).ok());
  Must(FlushEvents(context()));
  EXPECT_EQ(bucket->List("events")->size(), 3U);
  CleanNow();
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE kind = 'like'"), 2)
      << "likes of one second are one like";
  EXPECT_EQ(One("SELECT title FROM " + Table("tracks")), "one");
}

TEST_F(CleanTest, ACrashBeforeTheNoteGivesTheSameObjectsAndNoEventTwice) {
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Liked("e1", kNow), Liked("e2", kNow + 1)}).ok());
  Must(FlushEvents(context()));
  const std::string key = bucket->List("events")->front();
  const std::string bytes = *bucket->Get(key);

  Must(catalog->SetMeta("flushed_seq", ""));
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Liked("e3", kNow + 2)}).ok());
  Must(FlushEvents(context()));
  EXPECT_EQ(*bucket->Get(key), bytes);
  EXPECT_EQ(bucket->List("events")->back(), "events/2023/11/14/000000000003-000000000003.parquet");
  EXPECT_EQ(*catalog->Meta("flushed_seq"), "3");

  const auto keys = *bucket->List("events");
  for (const auto& each : keys) Must(bucket->Remove(each));
  Must(catalog->SetMeta("flushed_seq", "2"));
  Must(FlushEvents(context()));
  EXPECT_EQ(bucket->List("events")->size(), 1U);
}

TEST_F(CleanTest, FlushedEventsChangeTheDatasetAndItsId) {
  Stage("a.json", "listens", Play("ann", "A", "one", kNow - 100));
  const std::string before = CleanNow().dataset_id;
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Liked("e1", kNow)}).ok());
  Must(FlushEvents(context()));
  const Outcome after = CleanNow();
  EXPECT_NE(after.dataset_id, before);
  EXPECT_EQ(after.tracks, 1) << "the event's track is the played one";
  EXPECT_EQ(after.rows_kept, 2);
  EXPECT_EQ(nlohmann::json::parse(Bytes("manifest.json"))["events_through_seq"], 1);
}

store::FeedbackEvent Heard(const std::string& id, int64_t at, const std::string& source_id = "") {
  store::FeedbackEvent event = Liked(id, at);
  event.kind = "play";
  event.album = "First";
  event.source_id = source_id;
  event.duration_ms = 200'000;
  return event;
}

TEST_F(CleanTest, WhatAPlayerTellsOfATrackMakesTheTrack) {
  store::FeedbackEvent skipped = Heard("e2", kNow);
  skipped.at = kNow + 500;
  skipped.ms_played = 2'000;
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Heard("e1", kNow, "mbid:0-1"), skipped}).ok());
  Must(FlushEvents(context()));
  EXPECT_EQ(CleanNow().tracks, 1);
  EXPECT_EQ(One("SELECT album || ' ' || duration_ms FROM " + Table("tracks")), "First 200000");
  EXPECT_EQ(One("SELECT track_id FROM " + Table("aliases") + " WHERE alias = 'mbid:0-1'"), TrackIdOf(NameKey("A", "one")));
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions") + " WHERE kind = 'skip' AND ms_played = 2000"), 1);
}

TEST_F(CleanTest, ATrackKnownByAnIdAloneJoinsItsNameWhenThatIsTold) {
  store::FeedbackEvent liked = Liked("e1", kNow);
  liked.artist = liked.title = "";
  liked.source_id = "mbid:0-1";
  liked.track_id = TrackIdOf(liked.source_id);
  ASSERT_TRUE(catalog->AppendEvents(std::vector{liked, Heard("e2", kNow, "mbid:0-1")}).ok());
  Must(FlushEvents(context()));
  EXPECT_EQ(CleanNow().tracks, 1);
  EXPECT_EQ(One("SELECT track_id FROM " + Table("aliases") + " WHERE alias = " + store::Quoted(liked.track_id)), TrackIdOf(NameKey("A", "one")));
}

TEST_F(CleanTest, APlayThatIsTakenBackDoesNotCountAnyMore) {
  store::FeedbackEvent back = Heard("e2", kNow), other = Heard("e3", kNow), mine = Heard("e4", kNow);
  back.kind = std::string(store::kTakenBack);
  other.at = kNow + 600;
  mine.listener = "bob";
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Heard("e1", kNow), back, other, mine}).ok());
  Must(FlushEvents(context()));
  CleanNow();
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("interactions")), 2) << "another time's and another listener's stay";
  EXPECT_EQ(Count("SELECT count(*) FROM " + Table("rejected") + " WHERE rule = 'taken_back'"), 2);
}

TEST_F(CleanTest, ObjectsOfBeforeDurationsWereKeptAreReadBesideNewOnes) {
  ASSERT_TRUE(catalog->AppendEvents(std::vector{Heard("e1", kNow)}).ok());
  Must(FlushEvents(context()));
  const std::string key = bucket->List("events")->front();
  const std::string older = (root / "older.parquet").string();
  Must(duck->Run("COPY (SELECT * EXCLUDE (duration_ms, source) FROM read_parquet(" + store::Quoted(bucket->LocalPath(key)->string()) +
                 ")) TO " + store::Quoted(older) + " (FORMAT parquet)"));
  Must(bucket->Remove(key));
  Must(bucket->PutFile(key, older));
  store::FeedbackEvent later = Heard("e2", kNow);
  later.at = later.received_at = kNow + 86'400;
  ASSERT_TRUE(catalog->AppendEvents(std::vector{later}).ok());
  Must(FlushEvents(context()));
  EXPECT_EQ(CleanNow().rows_kept, 2);
  EXPECT_EQ(One("SELECT duration_ms FROM " + Table("tracks")), "200000");
}

TEST_F(CleanTest, NoFeedbackIsNoObject) {
  Must(FlushEvents(context()));
  EXPECT_TRUE(bucket->List("events")->empty());
}

}  // namespace
}  // namespace segue::clean
