#include "serve/dialects/gorse.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr int64_t kNow = 1'700'000'000;

template <typename Parsed>
std::string Wrong(const Parsed& parsed) {
  return parsed.ok() ? "" : parsed.error().message;
}

TEST(GorseBody, ReadsWhatItsDocumentationShows) {
  const auto told = ParseGorseFeedback(R"([{"FeedbackType":"star","UserId":"bob","ItemId":"ollama:ollama","Value":1.0,"Timestamp":"2022-02-24"},
                                           {"FeedbackType":"read","UserId":"bob","ItemId":"7","Timestamp":"0001-01-01T00:00:00Z"}])", kNow);
  ASSERT_TRUE(told.ok()) << told.error().message;
  EXPECT_EQ((*told)[0].at, 1'645'660'800);
  EXPECT_EQ((*told)[0].item, "ollama:ollama");
  EXPECT_EQ((*told)[1].at, kNow) << "Go's zero is no time";
  const auto items = ParseGorseItems(R"({"ItemId":"0","IsHidden":true,"Categories":["a"],"Timestamp":"1996-03-15T00:00:00Z","Labels":["a"],"Comment":"c"})", false);
  ASSERT_TRUE(items.ok());
  EXPECT_EQ(ToJson((*items)[0]), json::parse(R"({"ItemId":"0","IsHidden":true,"Categories":["a"],"Timestamp":"1996-03-15T00:00:00Z","Labels":["a"],"Comment":"c"})"));
  EXPECT_EQ(ToJson((*ParseGorseItems(R"({"ItemId":"256"})", false))[0])["Timestamp"], "0001-01-01T00:00:00Z");
}

TEST(GorseBody, SaysWhatIsWrong) {
  EXPECT_NE(Wrong(ParseGorseUsers("{", false)).find("not JSON"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseUsers("[]", false)).find("expected an object"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseUsers("{}", true)).find("expected a list"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseUsers("{}", false)).find("UserId: is missing"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseUsers(R"([{"UserId":"a"},{"UserId":5}])", true)).find("[1]: UserId"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseUsers(R"({"UserId":"m","Labels":["price",100]})", false)).find("Labels"), std::string::npos) << "as in Gorse";
  EXPECT_NE(Wrong(ParseGorseItems(R"({"ItemId":"m","Categories":"rock"})", false)).find("Categories"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseItems(R"({"ItemId":"m","IsHidden":1})", false)).find("IsHidden"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseItems(R"({"ItemId":"m","Timestamp":"soon"})", false)).find("Timestamp"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseItems(R"({"ItemId":"a\u0000b"})", false)).find("NUL"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseFeedback(R"([{"FeedbackType":"shrug","UserId":"a","ItemId":"b"}])", kNow)).find("known: read, "), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseFeedback(R"([{"FeedbackType":"read","UserId":"a","ItemId":"b","Timestamp":"2099-01-01"}])", kNow)).find("Timestamp"), std::string::npos);
  EXPECT_NE(Wrong(ParseGorseFeedback(R"([{"FeedbackType":"rating","UserId":"a","ItemId":"b","Value":-1}])", kNow)).find("Value"), std::string::npos);
}

TEST(GorseBody, AnItemNamesItsTrackByLabelsAndId) {
  const TrackNaming named = NamingOf({.id = "7", .labels = R"({"artist":"A","title":"B","album":"C"})"});
  EXPECT_EQ(named.artist, "A");
  EXPECT_EQ(named.title, "B");
  EXPECT_EQ(named.album, "C");
  EXPECT_EQ(named.source_id, "gorse:7");
  EXPECT_EQ(NamingOf({.id = "mbid:6F1C8A52-3b1e-4c8e-9f0a-2d5b7c9e1f30"}).source_id, "mbid:6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30");
  EXPECT_EQ(NamingOf({.id = "mbid:odd"}).source_id, "gorse:mbid:odd");
}

class GorseApi : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    PutPopularityLive("m1");
    Start();
  }
  json Call(const std::string& method, const std::string& target, const json& body = nullptr, int status = 200) const {
    const Answer answer = Ask(method, target, body.is_null() ? "" : body.dump());
    EXPECT_EQ(answer.status, status) << method << " " << target << ": " << answer.body;
    if (status != 200) {
      EXPECT_NE(answer.head.find("text/plain"), std::string::npos);
    }
    return answer.Json();
  }
  static json One(const std::string& type, const std::string& user, const std::string& item, const std::string& at = "2023-01-01") {
    return {{"FeedbackType", type}, {"UserId", user}, {"ItemId", item}, {"Timestamp", at}};
  }
  /// An item that is the k-th track of the catalogue.
  static json ItemOf(const std::string& id, int k) { return {{"ItemId", id}, {"Labels", {{"artist", Artist(k)}, {"title", Title(k)}}}}; }
  json CountsOf(const std::string& user) const { return Get("/v1/listeners/" + user)["counts"]; }
  static json Rows(int64_t n) { return {{"RowAffected", n}}; }
};

TEST_F(GorseApi, UsersAreKeptAsToldAndForgottenAsListeners) {
  EXPECT_EQ(Call("POST", "/api/user", {{"UserId", "0"}}), Rows(1));
  EXPECT_EQ(Call("GET", "/api/user/0"), (json{{"UserId", "0"}, {"Labels", nullptr}, {"Comment", ""}}));
  EXPECT_EQ(Call("POST", "/api/users", {{{"UserId", "1"}}, {{"UserId", "2"}}}), Rows(2));
  const json all = Call("GET", "/api/users?n=100&cursor=");
  EXPECT_EQ(all["Cursor"], "");
  EXPECT_EQ(all["Users"].size(), 3U);
  const json page = Call("GET", "/api/users?n=2");
  EXPECT_EQ(page["Users"].size(), 2U);
  EXPECT_EQ(Call("GET", "/api/users?n=2&cursor=" + page["Cursor"].get<std::string>())["Users"][0]["UserId"], "2");
  EXPECT_EQ(Call("PATCH", "/api/user/1", {{"Labels", {"a", "b"}}, {"Comment", "modified"}}), Rows(1));
  EXPECT_EQ(Call("GET", "/api/user/1"), (json{{"UserId", "1"}, {"Labels", {"a", "b"}}, {"Comment", "modified"}}));
  EXPECT_EQ(Call("DELETE", "/api/user/0"), Rows(1));
  Call("GET", "/api/user/0", nullptr, 404);
  EXPECT_EQ(catalog_->listeners().ForgottenAfter(0)->size(), 1U);
  EXPECT_EQ((*catalog_->access().Audit(0, 1))[0].action, "DELETE /api/user/0");
  EXPECT_EQ(Call("GET", "/api/user/ann")["UserId"], "ann") << "a listener of the dataset is a user";
  Call("POST", "/api/user", {{"UserId", "malicious"}, {"Labels", {"price", 100}}}, 400);
  Call("GET", "/api/users?n=x", nullptr, 400);
}

TEST_F(GorseApi, ItemsAreKeptAsTold) {
  EXPECT_EQ(Call("POST", "/api/item", {{"ItemId", "0"}, {"IsHidden", true}, {"Timestamp", "1996-03-15T00:00:00Z"}, {"Labels", {"a"}}, {"Comment", "comment_0"}}), Rows(1));
  EXPECT_EQ(Call("POST", "/api/items", {{{"ItemId", "2"}, {"Categories", {"*"}}}, {{"ItemId", "4"}}}), Rows(2));
  EXPECT_EQ(Call("GET", "/api/item/0"), (json{{"ItemId", "0"}, {"IsHidden", true}, {"Categories", json::array()}, {"Timestamp", "1996-03-15T00:00:00Z"},
                                              {"Labels", {"a"}}, {"Comment", "comment_0"}}));
  EXPECT_EQ(Call("GET", "/api/items")["Items"].size(), 3U);
  EXPECT_EQ(Call("GET", "/api/items?q=comment_0")["Items"].size(), 1U);
  EXPECT_EQ(Call("PATCH", "/api/item/2", {{"IsHidden", true}, {"Comment", "modified"}}), Rows(1));
  EXPECT_EQ(Call("PUT", "/api/item/2/category/@"), Rows(1));
  EXPECT_EQ(Call("GET", "/api/item/2")["Categories"], (json{"*", "@"}));
  EXPECT_EQ(Call("DELETE", "/api/item/2/category/@"), Rows(1));
  EXPECT_EQ(Call("GET", "/api/item/2")["Categories"], json{"*"});
  EXPECT_EQ(Call("GET", "/api/item/2")["Comment"], "modified");
  EXPECT_EQ(Call("DELETE", "/api/item/0"), Rows(1));
  Call("GET", "/api/item/0", nullptr, 404);
  Call("PUT", "/api/item/none/category/x", nullptr, 404);
  EXPECT_EQ(Call("GET", "/api/items")["Items"].size(), 2U);
  EXPECT_EQ(Call("GET", "/api/item/" + IdOf(3))["Labels"]["title"], Title(3)) << "a track that came otherwise";
  Call("POST", "/api/item", "no object", 400);
}

TEST_F(GorseApi, FeedbackIsInsertedOnceAndOverwrittenByPut) {
  const json told = {One("read", "0", "0"), One("star", "0", "2"), One("dislike", "1", "2"), One("rating", "1", "4")};
  EXPECT_EQ(Call("POST", "/api/feedback", told), Rows(4));
  EXPECT_EQ(*catalog_->LastEventSeq(), 4);
  EXPECT_EQ(Call("POST", "/api/feedback", told), Rows(4));
  EXPECT_EQ(*catalog_->LastEventSeq(), 4) << "only what is new is inserted";
  EXPECT_EQ(CountsOf("0"), (json{{"plays", 1}, {"skips", 0}, {"likes", 1}, {"dislikes", 0}, {"tracks", 2}, {"artists", 0}}));
  EXPECT_EQ(CountsOf("1")["dislikes"], 1);

  EXPECT_EQ(Call("GET", "/api/users")["Users"].size(), 2U) << "whom feedback names is known";
  EXPECT_EQ(Call("GET", "/api/items")["Items"].size(), 3U);
  EXPECT_EQ(Call("GET", "/api/feedback?n=100&cursor=")["Feedback"].size(), 4U);
  EXPECT_EQ(Call("GET", "/api/feedback/read")["Feedback"].size(), 1U);
  const json first = Call("GET", "/api/feedback?n=3");
  EXPECT_EQ(first["Feedback"].size(), 3U);
  EXPECT_EQ(Call("GET", "/api/feedback?n=3&cursor=" + first["Cursor"].get<std::string>())["Feedback"].size(), 1U);
  const json mine = Call("GET", "/api/user/0/feedback/read");
  ASSERT_EQ(mine.size(), 1U);
  EXPECT_EQ(mine[0]["ItemId"], "0");
  EXPECT_EQ(mine[0]["Timestamp"], "2023-01-01T00:00:00Z");
  EXPECT_EQ(Call("GET", "/api/item/2/feedback").size(), 2U);
  EXPECT_EQ(Call("GET", "/api/item/2/feedback/star").size(), 1U);

  EXPECT_EQ(Call("PUT", "/api/feedback", json::array({One("read", "0", "0", "2023-05-05T10:00:00Z")})), Rows(1));
  EXPECT_EQ(Call("GET", "/api/feedback/read/0/0")["Timestamp"], "2023-05-05T10:00:00Z");
  EXPECT_EQ(CountsOf("0")["plays"], 1) << "it is another play in the place of the first";
  EXPECT_EQ(Call("GET", "/api/feedback")["Feedback"].size(), 4U);
  Call("POST", "/api/feedback", json::array({One("shrug", "0", "0")}), 400);
  Call("POST", "/api/feedback", json::array({json{{"FeedbackType", "read"}}}), 400);
}

TEST_F(GorseApi, FeedbackThatIsDeletedCountsNoMoreAndMayBeToldAgain) {
  const json told = {One("read", "2", "3"), One("like", "2", "3"), One("skip", "2", "3"), One("read", "4", "8"), One("rating", "4", "8")};
  Call("POST", "/api/feedback", told);
  EXPECT_EQ(Call("GET", "/api/feedback/2/3").size(), 3U);
  EXPECT_EQ(Call("GET", "/api/feedback/like/2/3")["FeedbackType"], "like");
  EXPECT_EQ(Call("DELETE", "/api/feedback/2/3"), Rows(3));
  EXPECT_EQ(Call("GET", "/api/feedback/2/3"), json::array());
  Call("GET", "/api/feedback/like/2/3", nullptr, 404);
  EXPECT_EQ(CountsOf("2")["plays"], 0);
  EXPECT_EQ(CountsOf("2")["skips"], 0);
  EXPECT_EQ(CountsOf("2")["likes"], 0);
  EXPECT_EQ(Call("DELETE", "/api/feedback/2/3"), Rows(0));
  EXPECT_EQ(Call("DELETE", "/api/feedback/read/4/8"), Rows(1));
  Call("DELETE", "/api/feedback/4/8", nullptr, 400);

  EXPECT_EQ(Call("POST", "/api/feedback", json::array({One("read", "2", "3"), One("like", "2", "3")})), Rows(2));
  EXPECT_EQ(CountsOf("2")["plays"], 1);
  EXPECT_EQ(CountsOf("2")["likes"], 1);
}

TEST_F(GorseApi, RecommendationsNameItemsAsTheClientDoes) {
  // ids_.back() is the most popular track, and so on down.
  std::vector<json> items;
  for (int k = 0; k < 30; ++k) {
    json item = ItemOf("item-" + std::to_string(k), k);
    if (k % 2 == 0) item["Categories"] = {"even"};
    items.push_back(item);
  }
  Call("POST", "/api/items", items);
  const auto item_of = [&](const std::string& id) {
    for (int k = 0; k < 30; ++k) {
      if (IdOf(k) == id) return "item-" + std::to_string(k);
    }
    return std::string();
  };
  const json three = Call("GET", "/api/recommend/bob?n=3");
  EXPECT_EQ(three, (json{item_of(ids_[29]), item_of(ids_[28]), item_of(ids_[27])}));
  EXPECT_EQ(Call("GET", "/api/recommend/bob?n=2&offset=1"), (json{three[1], three[2]}));
  EXPECT_EQ(Call("GET", "/api/recommend/bob?n=3&offset=10000"), json::array());
  const Answer scored = Ask("GET", "/api/recommend/bob?n=1", "", "X-API-Version: 2\r\n");
  EXPECT_EQ(scored.Json()[0]["Id"], three[0]);
  EXPECT_TRUE(scored.Json()[0]["Score"].is_number());

  Call("POST", "/api/feedback", json::array({One("read", "bob", three[0])}));
  EXPECT_EQ(Call("GET", "/api/recommend/bob?n=2"), (json{three[1], three[2]})) << "he has heard the first";
  Call("PATCH", "/api/item/" + three[1].get<std::string>(), {{"IsHidden", true}});
  EXPECT_EQ(Call("GET", "/api/recommend/bob?n=1"), json::array({three[2]}));
  Call("DELETE", "/api/item/" + three[2].get<std::string>());
  const json left = Call("GET", "/api/recommend/bob?n=1");
  EXPECT_EQ(left, json::array({item_of(ids_[26])}));
  for (const json& id : Call("GET", "/api/recommend/bob?n=30&category=even")) EXPECT_EQ((id.get<std::string>().back() - '0') % 2, 0) << id;
  Call("GET", "/api/recommend/bob?n=0", nullptr, 400);
  Call("GET", "/api/recommend/bob?write-back-type=read", nullptr, 400);
}

TEST_F(GorseApi, TracksOfTheCatalogueAreItemsByTheirIds) {
  Call("POST", "/api/feedback", json::array({One("like", "bob", IdOf(7))}));
  EXPECT_EQ(CountsOf("bob")["likes"], 1);
  EXPECT_EQ(Call("GET", "/api/items")["Items"], json::array()) << "it is no new item";
  EXPECT_EQ(Call("GET", "/api/user/bob/feedback")[0]["ItemId"], IdOf(7));
  EXPECT_EQ(Call("GET", "/api/recommend/bob?n=1"), json::array({ids_[29]}));
}

TEST_F(GorseApi, HealthIsOpenAndTheRestNeedsAKey) {
  server_.reset();
  settings_.token = "the-key";
  Start();
  EXPECT_EQ(Call("GET", "/api/health/ready")["Ready"], true);
  for (const auto& [method, target] : {std::pair{"GET", "/api/users"}, {"POST", "/api/feedback"}, {"GET", "/api/recommend/bob"}, {"DELETE", "/api/user/bob"}}) {
    Call(method, target, nullptr, 401);
  }
  EXPECT_EQ(Ask("GET", "/api/users", "", "X-API-Key: the-key\r\n").status, 200);
  const std::string secret = store::NewSecret();
  ASSERT_TRUE(catalog_->access().AddToken(*store::MakeToken("bob's", store::Role::kListen, "bob", false, secret, 1)).ok());
  const std::string header = "X-API-Key: " + secret + "\r\n";
  EXPECT_EQ(Ask("POST", "/api/feedback", json::array({One("read", "bob", "1")}).dump(), header).status, 200);
  EXPECT_EQ(Ask("POST", "/api/feedback", json::array({One("read", "ann", "1")}).dump(), header).status, 403);
  EXPECT_EQ(Ask("POST", "/api/item", json{{"ItemId", "1"}}.dump(), header).status, 403);
  EXPECT_EQ(Ask("GET", "/api/recommend/ann", "", header).status, 403);
  EXPECT_EQ(Ask("GET", "/api/recommend/bob", "", header).status, 200);
}

}  // namespace
}  // namespace segue::serve
