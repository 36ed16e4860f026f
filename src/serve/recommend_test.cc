#include "serve/testing.h"

namespace segue::serve {
namespace {

TEST_F(Serving, RecommendsUnheardTracksWithReasons) {
  PutPopularityLive("m1");
  Start();
  const json list = Get("/v1/listeners/ann/recommendations?n=10");
  EXPECT_EQ(list["model_id"], "m1");
  EXPECT_TRUE(list["fallback"].is_null());
  ASSERT_EQ(list["items"].size(), 10u);
  for (const json& item : list["items"]) {
    EXPECT_FALSE(item["reason"].get<std::string>().empty());
    for (int k = 0; k < 5; ++k) EXPECT_NE(item["track_id"], IdOf(k)) << "she has heard it";
  }
  EXPECT_EQ(ListOf("ann").size(), 25u);
  EXPECT_EQ(ListOf("ann", "&mode=next").size(), 30u) << "repeats are allowed for what comes next";
  EXPECT_NE(Get("/v1/listeners/ann/recommendations")["list_id"], Get("/v1/listeners/ann/recommendations")["list_id"]);
  EXPECT_FALSE(Get("/v1/listeners/nobody/recommendations")["fallback"].is_null());
}

TEST_F(Serving, ADislikeActsOnTheNextResponseAndForGood) {
  PutPopularityLive("m1");
  Start();
  const std::string first = ListOf("ann")[0];
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", first}, {"kind", "dislike"}}}), 200);
  EXPECT_FALSE(Has(ListOf("ann"), first));
  EXPECT_FALSE(Has(ListOf("ann", "&mode=next"), first));
  EXPECT_TRUE(Has(ListOf("bob"), first)) << "others still get it";
  PutPopularityLive("m2");
  server_.reset();
  Start();
  EXPECT_FALSE(Has(ListOf("ann", "&mode=next"), first)) << "after a swap and a restart too";
}

TEST_F(Serving, ALikeChangesWhatTheModelSays) {
  PutIalsLive("m1");
  Start();
  const auto before = ListOf("new-listener");
  ASSERT_EQ(Post({{{"listener", "new-listener"}, {"track_id", ids_[5]}, {"kind", "like"}}}), 200);
  const auto after = ListOf("new-listener");
  EXPECT_NE(before, after);
  EXPECT_FALSE(Has(after, ids_[5]));
  EXPECT_TRUE(after[0] == ids_[11] || after[0] == ids_[17] || after[0] == ids_[23] || after[0] == ids_[29]) << "those like it come first";
  const json reason = Get("/v1/listeners/new-listener/recommendations?n=1")["items"][0]["reason"];
  EXPECT_NE(reason.get<std::string>().find("because you played"), std::string::npos) << reason;
  const json similar = Get("/v1/tracks/" + ids_[5] + "/similar?n=3");
  EXPECT_EQ(similar["items"].size(), 3u);
}

TEST_F(Serving, EventsOfAnotherProcessCountToo) {
  PutPopularityLive("m1");
  Start();
  const std::string first = ListOf("ann")[0];
  auto other = *store::OpenSqliteCatalog(folder_.catalog());
  const std::vector<store::FeedbackEvent> events = {{.listener = "ann", .track_id = first, .kind = "dislike", .at = 1'700'000'000}};
  ASSERT_TRUE(other->AppendEvents(events).ok());
  EXPECT_TRUE(Until([&] { return !Has(ListOf("ann"), first); }));
}

TEST_F(Serving, ATrackThatTheModelKnowsTwiceIsShownOnceAndNeverOnceDisliked) {
  std::vector<std::string> ids = ids_;
  ids.emplace_back(kOldId);  // ids ascend; made popular, so that it would be seen
  std::sort(ids.begin(), ids.end());
  PutPopularityLive("m1", ids);
  Start();
  const auto list = ListOf("bob");
  EXPECT_EQ(std::count(list.begin(), list.end(), IdOf(20)), 1);
  EXPECT_EQ(list.size(), 30u);
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", kOldId}, {"kind", "dislike"}}}), 200);
  EXPECT_FALSE(Has(ListOf("bob"), IdOf(20)));
  EXPECT_FALSE(Has(ListOf("bob", "&mode=next"), IdOf(20)));
}

TEST_F(Serving, ADislikeByNameHoldsWhenTheTrackComesIntoTheCatalogueUnderAnotherId) {
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Post({{{"listener", "bob"}, {"artist", "Late Artist"}, {"title", "Late Song"}, {"kind", "dislike"}}}), 200);
  auto rows = Rows();
  rows.push_back(TrackRow("t-late", "Late Artist", "Late Song"));
  rows.push_back("INSERT INTO a VALUES (" + store::Quoted(TrackIdOf(NameKey("Late Artist", "Late Song"))) + ",'t-late')");
  WriteDataset("d2", rows);
  auto ids = ids_;
  ids.emplace_back("t-late");
  std::sort(ids.begin(), ids.end());
  PutPopularityLive("m2", ids);
  WaitForModel("m2");
  EXPECT_TRUE(Has(ListOf("ann", "&mode=next&n=31"), "t-late")) << "others get it";
  EXPECT_FALSE(Has(ListOf("bob"), "t-late"));
  EXPECT_FALSE(Has(ListOf("bob", "&mode=next"), "t-late"));
}

TEST_F(Serving, SimilarTracksLeaveOutWhatTheListenerDislikes) {
  PutIalsLive("m1");
  Start();
  const auto similar = [&](const std::string& more) {
    std::vector<std::string> ids;
    const json answer = Get("/v1/tracks/" + ids_[5] + "/similar?n=29" + more);
    for (const json& item : answer["items"]) ids.push_back(item["track_id"]);
    return ids;
  };
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", ids_[11]}, {"kind", "dislike"}}}), 200);
  EXPECT_TRUE(Has(similar(""), ids_[11]));
  EXPECT_FALSE(Has(similar("&listener=ann"), ids_[11]));
  EXPECT_EQ(similar("&listener=ann").size(), 28u);
}

TEST_F(Serving, FeedbackThatTheDatasetHoldsIsNotCountedTwice) {
  PutIalsLive("m1");
  Start();
  const json before = Get("/v1/listeners/ann/recommendations")["items"];
  server_.reset();
  const std::vector<store::FeedbackEvent> flushed = {{.listener = "ann", .track_id = IdOf(0), .kind = "play", .at = 1'600'000'000}};
  ASSERT_TRUE(catalog_->AppendEvents(flushed).ok());
  WriteDataset("d2", Rows(), 1);
  Start();
  EXPECT_EQ(Get("/v1/listeners/ann/recommendations")["items"], before);
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", IdOf(0)}, {"kind", "play"}}}), 200);
  EXPECT_NE(Get("/v1/listeners/ann/recommendations")["items"], before);
}

TEST_F(Serving, NoArtistTakesMoreThanHisShareUnlessTheListWouldBeShort) {
  settings_.max_per_artist = 1;
  // The most popular 400 are of one artist; the others come far behind.
  WriteDataset("d2", {"INSERT INTO t(track_id,title,artist) SELECT 'u' || lpad(k::VARCHAR, 4, '0'), 'Song ' || k, "
                      "CASE WHEN k < 8 THEN 'Other ' || k ELSE 'Star' END FROM range(408) r(k)"});
  std::vector<std::string> ids;
  for (int k = 0; k < 408; ++k) ids.push_back("u" + std::string(k < 10 ? "000" : k < 100 ? "00" : "0") + std::to_string(k));
  PutPopularityLive("m1", ids);
  Start();
  const auto artists = [&](const std::string& n) {
    std::vector<std::string> names;
    const json list = Get("/v1/listeners/x/recommendations?n=" + n);
    for (const json& item : list["items"]) names.push_back(item["artist"]);
    return names;
  };
  const auto nine = artists("9");
  EXPECT_EQ(nine.size(), 9u);
  EXPECT_EQ(std::count(nine.begin(), nine.end(), "Star"), 1);
  EXPECT_EQ(artists("20").size(), 20u) << "there are but nine artists: the cap gives way";
}

TEST_F(Serving, SaysSoWhereNothingAListenerLikedIsKnown) {
  PutIalsLive("m1");
  Start();
  EXPECT_TRUE(Get("/v1/listeners/ann/recommendations")["fallback"].is_null());
  ASSERT_EQ(Post({{{"listener", "eve"}, {"artist", "Somebody"}, {"title", "Unheard Of"}, {"kind", "play"}}}), 200);
  const json list = Get("/v1/listeners/eve/recommendations");
  EXPECT_TRUE(list["fallback"].is_string());
  EXPECT_EQ(list["items"].size(), 10u);
}

}  // namespace
}  // namespace segue::serve
