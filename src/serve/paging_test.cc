#include "serve/paging.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

TEST(Paging, ACursorBelongsToItsList) {
  Request request;
  EXPECT_EQ(PageOf(request, "runs", 50, 100)->limit, 50);
  request.query["n"] = "7";
  EXPECT_EQ(PageOf(request, "runs", 50, 100)->limit, 7);
  request.query["limit"] = "9";
  EXPECT_EQ(PageOf(request, "runs", 50, 100)->limit, 9);
  request.query["limit"] = "101";
  EXPECT_FALSE(PageOf(request, "runs", 50, 100).ok());
  request.query.erase("limit");
  request.query["cursor"] = NextCursor("runs", "12", true);
  EXPECT_EQ(*NumberAfter(*PageOf(request, "runs", 50, 100), 0), 12);
  EXPECT_FALSE(PageOf(request, "tracks", 50, 100).ok()) << "another list's";
  for (const char* odd : {"12", "zz", "72", "é", "72756e733"}) {
    request.query["cursor"] = odd;
    EXPECT_FALSE(PageOf(request, "runs", 50, 100).ok()) << odd;
  }
  request.query["cursor"] = NextCursor("runs", "x", true);
  EXPECT_FALSE(NumberAfter(*PageOf(request, "runs", 50, 100), 0).ok());
  EXPECT_TRUE(NextCursor("runs", "12", false).is_null());
}

class PagingApi : public Serving {
 protected:
  /// All items of a list, page by page; `name` of each.
  std::vector<std::string> Walk(const std::string& target, const char* name, int pages) const {
    std::vector<std::string> seen;
    std::string cursor;
    for (int page = 0; page < pages; ++page) {
      const json answer = Get(target + "&cursor=" + cursor);
      for (const json& item : answer["items"]) seen.push_back(item[name]);
      EXPECT_EQ(answer["next_cursor"].is_null(), page + 1 == pages) << target << " page " << page;
      if (answer["next_cursor"].is_null()) break;
      cursor = answer["next_cursor"];
    }
    return seen;
  }
};

TEST_F(PagingApi, ListsAreWalkedToTheirEnd) {
  auto rows = Rows();
  for (const char* name : {"Bob", "cem", "dora", "bobby"}) {
    rows.push_back("INSERT INTO i VALUES (" + store::Quoted(name) + "," + store::Quoted(IdOf(1)) + ",1600000000,'play',1,NULL)");
  }
  rows.push_back("CREATE TABLE sorted AS SELECT * FROM i ORDER BY listener, \"at\"; DELETE FROM i; INSERT INTO i SELECT * FROM sorted ORDER BY listener, \"at\"");
  WriteDataset("d2", rows);
  PutPopularityLive("m1");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(catalog_->PutRun({.run_id = "r" + std::to_string(i), .trigger = "person", .state = "refused", .started_ms = i}).ok());
  }
  Start();
  EXPECT_EQ(Walk("/v1/listeners?limit=2", "listener", 3), (std::vector<std::string>{"Bob", "ann", "bobby", "cem", "dora"}));
  EXPECT_EQ(Walk("/v1/listeners?q=BOB&limit=1", "listener", 2), (std::vector<std::string>{"Bob", "bobby"}));
  EXPECT_EQ(Get("/v1/listeners?q=BOB")["total"], 2);
  EXPECT_EQ(Get("/v1/listeners?n=2&offset=4")["items"][0]["listener"], "dora");
  auto tracks = Walk("/v1/tracks?limit=12", "track_id", 3);
  std::sort(tracks.begin(), tracks.end());
  EXPECT_EQ(tracks, ids_);
  // A run that comes in between is not seen, and none is seen twice.
  const json first = Get("/v1/runs?limit=2");
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r5", .trigger = "person", .state = "refused", .started_ms = 9}).ok());
  const json second = Get("/v1/runs?limit=2&cursor=" + first["next_cursor"].get<std::string>());
  EXPECT_EQ(first["items"][1]["run_id"], "r3");
  EXPECT_EQ(second["items"][0]["run_id"], "r2");
  Get("/v1/runs?cursor=" + Get("/v1/tracks?limit=1")["next_cursor"].get<std::string>(), 400);
}

TEST_F(PagingApi, EventsAreListedInTheOrderInWhichTheyCame) {
  PutPopularityLive("m1");
  Start();
  json events = json::array();
  for (int i = 0; i < 5; ++i) {
    events.push_back({{"event_id", "e" + std::to_string(i)}, {"listener", i % 2 == 0 ? "ann" : "bob"}, {"track_id", IdOf(i)}, {"kind", "play"}});
  }
  ASSERT_EQ(Post(events), 200);
  EXPECT_EQ(Walk("/v1/events?limit=2", "event_id", 3), (std::vector<std::string>{"e0", "e1", "e2", "e3", "e4"}));
  EXPECT_EQ(Walk("/v1/events?limit=2&listener=ann", "event_id", 2), (std::vector<std::string>{"e0", "e2", "e4"}));
}

TEST_F(PagingApi, WhatIsThereAlreadyIsNotSentAgain) {
  PutPopularityLive("m1");
  Start();
  const Answer first = Ask("GET", "/v1/datasets/d1/quality");
  ASSERT_EQ(first.status, 200);
  const size_t at = first.head.find("ETag: ");
  ASSERT_NE(at, std::string::npos) << first.head;
  const std::string tag = first.head.substr(at + 6, first.head.find('\r', at) - at - 6);
  for (const std::string& tags : {tag, "\"x\", " + tag, "W/" + tag, std::string("*")}) {
    const Answer again = Ask("GET", "/v1/datasets/d1/quality", "", "If-None-Match: " + tags + "\r\n");
    EXPECT_EQ(again.status, 304) << tags;
    EXPECT_EQ(again.body, "");
    EXPECT_NE(again.head.find("ETag: " + tag), std::string::npos);
  }
  EXPECT_EQ(Ask("GET", "/v1/datasets/d1/quality", "", "If-None-Match: \"other\"\r\n").body, first.body);
  EXPECT_EQ(Ask("HEAD", "/v1/datasets/d1/quality").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/datasets/d0/quality", "", "If-None-Match: *\r\n").status, 404);
  EXPECT_EQ(Ask("GET", "/v1/status").head.find("ETag"), std::string::npos) << "it changes all the time";
}

}  // namespace
}  // namespace segue::serve
