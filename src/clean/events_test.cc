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

TEST_F(CleanTest, NoFeedbackIsNoObject) {
  Must(FlushEvents(context()));
  EXPECT_TRUE(bucket->List("events")->empty());
}

}  // namespace
}  // namespace segue::clean
