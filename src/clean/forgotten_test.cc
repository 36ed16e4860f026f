#include "clean/testing.h"

namespace segue::clean {
namespace {

class ForgottenTest : public CleanTest {
 protected:
  store::Forgotten Forget(const std::string& listener, int64_t at) {
    auto forgotten = catalog->listeners().Forget(listener, at);
    if (!forgotten.ok()) throw std::runtime_error(forgotten.error().message);
    return *forgotten;
  }
  void Tell(const std::string& id, const std::string& listener, const std::string& title, int64_t at) {
    ASSERT_TRUE(catalog->AppendEvents(std::vector<store::FeedbackEvent>{
        {.event_id = id, .listener = listener, .track_id = TrackIdOf(NameKey("A", title)), .artist = "A", .title = title, .kind = "like", .at = at,
         .received_at = at}}).ok());
  }
  int64_t Of(const std::string& listener) const {
    return Count("SELECT count(*) FROM " + Table("interactions") + " WHERE listener = " + store::Quoted(listener));
  }
  int64_t Reviews() const { return Count("SELECT count(*) FROM " + Table("reviews")); }
  /// Does any file of the dataset have this text, in whatever column?
  bool Mentions(const std::string& text) const {
    for (const char* leaf : {"tracks", "aliases", "interactions", "reviews", "rejected"}) {
      if (Count("SELECT count(*) FROM " + Table(leaf) + " t WHERE contains(lower(t::VARCHAR), " + store::Quoted(text) + ")") > 0) return true;
    }
    return Bytes("manifest.json").find(text) != std::string::npos || Bytes("quality.json").find(text) != std::string::npos;
  }
};

TEST_F(ForgottenTest, NoFileOfTheNextDatasetNamesHim) {
  // Good plays, a repeated one, a bad one and a review; a file of his own, and one that he shares.
  Stage("walter/a.json", "listens", All({Play("", "A", "one", kNow - 500), Play("", "A", "one", kNow - 500), Play("", "A", "only his", kNow - 600),
                                         Play("", "A", "bad", kNow - 700, "-5")}), "walter");
  Stage("all.csv", "listens", "SELECT *, listener || ' wrote this' AS text FROM (" +
                                  All({Play("walter", "A", "two", kNow - 800), Play("bob", "A", "two", kNow - 900), Play("bob", "A", "one", kNow - 950, "-5")}) + ")");
  Tell("e1", "walter", "three", kNow - 50);
  Must(FlushEvents(context()));
  const std::string before = CleanNow().dataset_id;
  ASSERT_TRUE(Mentions("walter"));
  ASSERT_EQ(Of("walter"), 4);

  EXPECT_EQ(Forget("walter", kNow).events, 1);
  EXPECT_NE(CleanNow().dataset_id, before) << "the id depends on who was forgotten";
  EXPECT_FALSE(Mentions("walter"));
  EXPECT_FALSE(Mentions("only his")) << "nobody else has met that track";
  EXPECT_EQ(Of("bob"), 1);
  EXPECT_EQ(Reviews(), 1);
  EXPECT_EQ(Rejected("forgotten_listener"), 0) << "what is removed is not shown as rejected";
  EXPECT_EQ(RuleFigure("forgotten_listener", "removed"), 6);
  EXPECT_EQ(Rejected("negative_play_time"), 1) << "bob's";
  ExpectRowsAddUp();
  EXPECT_EQ(nlohmann::json::parse(Bytes("manifest.json"))["forgotten_through"], 1);
  EXPECT_TRUE(CleanNow().existed);
}

TEST_F(ForgottenTest, WhatHeDoesLaterCountsAgain) {
  Stage("ann/a.json", "listens", Play("", "A", "one", kNow - 500), "ann");
  Tell("e1", "ann", "one", kNow - 400);
  Must(FlushEvents(context()));
  Forget("ann", kNow);
  EXPECT_EQ(CleanNow().rows_kept, 0);
  // In the same second, and told of a time before: feedback counts by when it came.
  Tell("e2", "ann", "two", kNow);
  Tell("e3", "ann", "three", kNow - 1000);
  Must(FlushEvents(context()));
  CleanNow();
  EXPECT_EQ(Of("ann"), 2);
  EXPECT_EQ(One("SELECT string_agg(title, ',' ORDER BY title) FROM " + Table("tracks")), "three,two");
}

TEST_F(ForgottenTest, AnOldExportThatIsDroppedAgainBringsNothingBack) {
  Stage("x/a.json", "listens", Play("", "A", "one", kNow - 500), "ann");
  Forget("ann", kNow - 100);  // files of this test come in at kNow
  Stage("x/grown.json", "listens", All({Play("", "A", "one", kNow - 500), Play("", "A", "new", kNow - 50)}), "ann");
  CleanNow();
  EXPECT_EQ(Of("ann"), 1);
  EXPECT_EQ(One("SELECT title FROM " + Table("tracks")), "new");
  EXPECT_EQ(RuleFigure("forgotten_listener", "removed"), 2);
}

TEST_F(ForgottenTest, HisTagsGoToo) {
  Stage("artists.dat", "tracks", "SELECT 'whole' AS part, 0 AS row, 'x:1' AS source_id, 'A' AS artist");
  Stage("tags.dat", "tag_names", "SELECT '1' AS tag_id, 'new wave' AS tag UNION ALL SELECT '2', 'odd'");
  Stage("u.dat", "taggings", "SELECT 'ann' AS listener, 'x:1' AS source_id, '1' AS tag_id UNION ALL SELECT 'walter', 'x:1', '2' "
                             "UNION ALL SELECT 'walter', 'x:404', '2'");
  Forget("walter", kNow);
  CleanNow();
  EXPECT_EQ(One("SELECT tags FROM " + Table("tracks")), "new wave");
  EXPECT_FALSE(Mentions("walter"));
  EXPECT_EQ(RuleFigure("forgotten_listener", "removed"), 2);
  ExpectRowsAddUp();
}

TEST_F(ForgottenTest, AFileOfAForgottenListenerNeitherStopsARunNorIsLeftOut) {
  std::vector<std::string> plays;
  for (int i = 0; i < 40; ++i) plays.push_back(Play("", "A", "t" + std::to_string(i), kNow - 1000 * i, "-1"));
  Stage("walter/a.json", "listens", All(plays), "walter");
  Stage("bob/b.json", "listens", Play("", "A", "one", kNow - 500), "bob");
  Forget("walter", kNow);
  const Outcome outcome = CleanNow();
  EXPECT_FALSE(outcome.stop) << outcome.stop_reason;
  EXPECT_EQ(outcome.rows_kept, 1);
  EXPECT_TRUE(catalog->Alarms(10)->empty());
}

}  // namespace
}  // namespace segue::clean
