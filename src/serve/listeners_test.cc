#include "serve/testing.h"

#include <sstream>

namespace segue::serve {
namespace {

/// The lines of an export, by type.
std::map<std::string, std::vector<json>> Lines(const Answer& answer) {
  std::map<std::string, std::vector<json>> lines;
  std::istringstream text(answer.body);
  for (std::string line; std::getline(text, line);) {
    const json parsed = json::parse(line, nullptr, false);
    EXPECT_TRUE(parsed.is_object()) << line;
    lines[parsed.value("type", "")].push_back(parsed);
  }
  return lines;
}

class ListenersApi : public Serving {
 protected:
  json Play(const std::string& listener, int k, int64_t at = 1'700'000'000) const {
    return {{"listener", listener}, {"track_id", IdOf(k)}, {"kind", "play"}, {"at", at}};
  }
  std::string TokenFor(const std::string& name, store::Role role, const std::string& listener) {
    const std::string secret = store::NewSecret();
    EXPECT_TRUE(catalog_->access().AddToken(*store::MakeToken(name, role, listener, false, secret, 1)).ok());
    return secret;
  }
  int Delete(const std::string& listener, const std::string& secret) const {
    return Ask("DELETE", "/v1/listeners/" + listener, "", secret.empty() ? "" : "Authorization: Bearer " + secret + "\r\n").status;
  }
};

TEST_F(ListenersApi, AProfileTellsWhatHeDidAndHowItSounds) {
  auto rows = Rows();
  // Five of thirty tracks are loud; ann has played those.
  rows.push_back("UPDATE t SET energy = CASE WHEN track_id IN (SELECT track_id FROM i) THEN 0.9 ELSE 0.1 END, tags = CASE WHEN energy IS NULL THEN 'rock' END");
  WriteDataset("d2", rows);
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Post({Play("ann", 0), {{"listener", "ann"}, {"track_id", IdOf(7)}, {"kind", "like"}, {"at", 1'700'000'100}},
                  {{"listener", "ann"}, {"track_id", IdOf(8)}, {"kind", "dislike"}, {"at", 1'700'000'200}},
                  {{"listener", "ann"}, {"artist", "Nobody"}, {"title", "Knows"}, {"kind", "skip"}, {"at", 1'700'000'300}}}), 200);
  const json profile = Get("/v1/listeners/ann");
  EXPECT_EQ(profile["listener"], "ann");
  EXPECT_EQ(profile["counts"], (json{{"plays", 6}, {"skips", 1}, {"likes", 1}, {"dislikes", 1}, {"tracks", 8}, {"artists", 8}}));
  EXPECT_EQ(profile["first_event"], "2020-09-13T12:26:40Z");
  EXPECT_EQ(profile["last_event"], "2023-11-14T22:18:20Z");
  EXPECT_EQ(profile["top_artists"][0], (json{{"artist", Artist(0)}, {"plays", 2}}));
  EXPECT_EQ(profile["top_tags"], (json{{{"tag", "rock"}, {"plays", 6}}}));
  // 5 of 30 at 0.9, 25 at 0.1: mean 0.2333, standard deviation 0.3032.
  EXPECT_NEAR(profile["taste"]["energy"]["mean"].get<double>(), 0.9, 1e-6);
  EXPECT_NEAR(profile["taste"]["energy"]["catalogue"].get<double>(), 7.0 / 30, 1e-6);
  EXPECT_NEAR(profile["taste"]["energy"]["deviations"].get<double>(), (0.9 - 7.0 / 30) / 0.303239, 1e-4);
  EXPECT_FALSE(profile["taste"].contains("tempo")) << "what is unknown is absent";
  EXPECT_FALSE(profile.contains("moved")) << "six plays do not show where a taste goes";
  Get("/v1/listeners/nobody", 404);
}

TEST_F(ListenersApi, AProfileTellsWhereATasteMoves) {
  auto rows = Rows();
  rows.push_back("UPDATE t SET energy = CASE WHEN artist = " + store::Quoted(Artist(9)) + " THEN 1 ELSE 0 END");
  WriteDataset("d2", rows);
  PutPopularityLive("m1");
  Start();
  json events = json::array();
  for (int k = 0; k < 30; ++k) events.push_back(Play("bob", k < 20 ? 1 : 9, 1'700'000'000 + k));
  ASSERT_EQ(Post(events), 200);
  const json moved = Get("/v1/listeners/bob")["moved"];
  EXPECT_EQ(moved["plays"], 10);
  EXPECT_EQ(moved["older_plays"], 20);
  EXPECT_EQ(moved["since"], store::Iso8601(1'700'000'020));
  EXPECT_NEAR(moved["features"]["energy"].get<double>(), 1 / 0.305129, 1e-3) << "from 0 to 1, where 3 of 30 tracks are at 1";
  EXPECT_EQ(moved["new_artists_share"], 1.0);
  EXPECT_EQ(moved["rising_artists"][0]["artist"], Artist(9));
}

TEST_F(ListenersApi, AnExportHasAllThatIsHeldOfHimAndOfNobodyElse) {
  PutPopularityLive("m1");
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "abc", .name = "ann/x.json", .listener = "ann", .status = "accepted", .rows = 5, .added_at = 5}).ok());
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "def", .name = "bob/x.json", .listener = "bob", .status = "accepted", .rows = 5, .added_at = 5}).ok());
  Start();
  const std::string list_id = Get("/v1/listeners/ann/recommendations?n=3")["list_id"];
  Get("/v1/listeners/bob/recommendations?n=3");
  ASSERT_EQ(Post({{{"event_id", "e1"}, {"listener", "ann"}, {"track_id", IdOf(7)}, {"kind", "dislike"}, {"list_id", list_id}}, Play("bob", 3)}), 200);
  const Answer answer = Ask("GET", "/v1/listeners/ann/export");
  EXPECT_EQ(answer.status, 200);
  EXPECT_NE(answer.head.find("application/x-ndjson"), std::string::npos);
  auto lines = Lines(answer);
  EXPECT_EQ(lines["interaction"].size(), 5U);
  EXPECT_EQ(lines["interaction"][0]["title"], Title(0));
  ASSERT_EQ(lines["event"].size(), 1U);
  EXPECT_EQ(lines["event"][0]["event_id"], "e1");
  EXPECT_EQ(lines["event"][0]["list_id"], list_id);
  ASSERT_EQ(lines["opinion"].size(), 1U);
  EXPECT_EQ(lines["opinion"][0]["opinion"], "disliked");
  ASSERT_EQ(lines["list"].size(), 1U);
  EXPECT_EQ(lines["list"][0]["list_id"], list_id);
  EXPECT_EQ(lines["list"][0]["tracks"].size(), 3U);
  ASSERT_EQ(lines["file"].size(), 1U);
  EXPECT_EQ(lines["file"][0]["name"], "ann/x.json");
  EXPECT_EQ(Ask("GET", "/v1/listeners/nobody/export").body, "");
}

// Sanitizers make it fifty times as long, and find in some what they would in many.
#ifdef SEGUE_SANITIZE
constexpr size_t kManyEvents = 2'000;
#else
constexpr size_t kManyEvents = 100'000;
#endif

TEST_F(ListenersApi, ALongHistoryIsExportedToItsEnd) {
  settings_.request_timeout_s = 60;
  PutPopularityLive("m1");
  std::vector<store::FeedbackEvent> events(kManyEvents);
  for (size_t i = 0; i < events.size(); ++i) {
    events[i] = {.event_id = "e" + std::to_string(i), .listener = "eve", .track_id = IdOf(static_cast<int>(i % 30)), .kind = "play",
                 .at = 1'600'000'000 + static_cast<int64_t>(i), .received_at = 1'700'000'000};
  }
  ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  Start();
  const auto lines = Lines(Ask("GET", "/v1/listeners/eve/export"));
  ASSERT_EQ(lines.at("event").size(), kManyEvents);
  EXPECT_EQ(lines.at("event").front()["event_id"], "e0");
  EXPECT_EQ(lines.at("event").back()["event_id"], "e" + std::to_string(kManyEvents - 1));
}

TEST_F(ListenersApi, WhoIsForgottenIsAStrangerAtOnceAndANewListenerAfterwards) {
  PutIalsLive("m1");
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "abc", .name = "ann/x.json", .listener = "ann", .status = "accepted", .added_at = 5}).ok());
  Start();
  const auto strangers = ListOf("a-stranger");
  ASSERT_EQ(Post({Play("ann", 10), Play("ann", 11)}), 200);
  EXPECT_FALSE(Has(ListOf("ann"), IdOf(10))) << "she has heard it";

  const Answer answer = Ask("DELETE", "/v1/listeners/ann");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const json told = answer.Json();
  EXPECT_EQ(told["known"], true);
  EXPECT_EQ(told["removed"]["events"], 2);
  EXPECT_EQ(told["removed"]["lists"], 1);
  EXPECT_FALSE(told["remains"].get<std::string>().empty());

  const json list = Get("/v1/listeners/ann/recommendations?n=30");
  EXPECT_FALSE(list["fallback"].is_null());
  EXPECT_EQ(ListOf("ann"), strangers);
  Get("/v1/listeners/ann", 404);
  Get("/v1/listeners/ann/hits", 404);
  EXPECT_TRUE(Get("/v1/listeners")["items"].empty());
  EXPECT_EQ(Get("/v1/listeners")["total"], 0);
  const auto lines = Lines(Ask("GET", "/v1/listeners/ann/export"));
  for (const auto& [type, some] : lines) EXPECT_EQ(type, "list") << "only what she was shown since";

  ASSERT_EQ(Post(json::array({Play("ann", 3)})), 200);
  EXPECT_TRUE(Get("/v1/listeners/ann/recommendations?n=30")["fallback"].is_null());
  EXPECT_EQ(Get("/v1/listeners/ann")["counts"]["plays"], 1);
  EXPECT_FALSE(Has(ListOf("ann"), IdOf(3)));
  EXPECT_TRUE(Has(ListOf("ann"), IdOf(10))) << "what she did before is forgotten";

  // So it is after a restart, on the same dataset.
  server_.reset();
  Start();
  EXPECT_EQ(Get("/v1/listeners/ann")["counts"]["plays"], 1);
  EXPECT_TRUE(Has(ListOf("ann"), IdOf(10)));
}

TEST_F(ListenersApi, ForgettingByAnotherProcessIsFollowed) {
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Get("/v1/listeners/ann")["counts"]["plays"], 5);
  ASSERT_TRUE(catalog_->listeners().Forget("ann", clock_.NowSeconds()).ok());
  ASSERT_EQ(catalog_->AppendEvents(std::vector<store::FeedbackEvent>{{.event_id = "n", .listener = "ann", .track_id = IdOf(9), .kind = "play", .at = 1'700'000'000}})->accepted, 1);
  // Between the two she is a stranger: 404.
  EXPECT_TRUE(Until([&] {
    const Answer answer = Ask("GET", "/v1/listeners/ann");
    return answer.status == 200 && answer.Json()["counts"]["plays"] == 1;
  }));
}

TEST_F(ListenersApi, TheNextDatasetOfAListenerWhoCameBackCounts) {
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Ask("DELETE", "/v1/listeners/ann").status, 200);
  // A dataset that knows of it: what it has of her is of later.
  WriteDataset("d2", Rows());
  std::ofstream(folder_.bucket() / "datasets" / "d2" / "manifest.json") << json{{"forgotten_through", 1}};
  EXPECT_TRUE(Until([&] { return Get("/v1/listeners")["total"] == 1; }));
  EXPECT_EQ(Get("/v1/listeners/ann")["counts"]["plays"], 5);
}

TEST_F(ListenersApi, OnlyAdminsAndHeMayForgetHim) {
  PutPopularityLive("m1");
  settings_.token = "the-admin's";  // loopback needs one too
  Start();
  const std::string read = TokenFor("reader", store::Role::kRead, ""), speaker = TokenFor("server", store::Role::kListen, ""),
                    bobs = TokenFor("bob's", store::Role::kListen, "bob"), anns = TokenFor("ann's", store::Role::kListen, "ann");
  EXPECT_EQ(Delete("ann", ""), 401);
  EXPECT_EQ(Delete("ann", read), 403);
  EXPECT_EQ(Delete("ann", speaker), 403) << "who may speak for all may not forget anybody";
  EXPECT_EQ(Delete("ann", bobs), 403);
  EXPECT_TRUE(catalog_->listeners().ForgottenAfter(0)->empty());
  const Answer answer = Ask("DELETE", "/v1/listeners/ann", "", "Authorization: Bearer " + anns + "\r\n");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json()["tokens"], json{"ann's"}) << "they go on speaking for him";
  EXPECT_EQ(Delete("bob", "the-admin's"), 200);
  const auto audit = *catalog_->access().Audit(0, 10);
  ASSERT_EQ(audit.size(), 5U) << "refusals too, but for who has no token";
  EXPECT_EQ(audit[0].actor, "serve.token");
  EXPECT_EQ(audit[1].actor, "ann's");
  EXPECT_EQ(audit[1].action, "DELETE /v1/listeners/ann");
  EXPECT_EQ(audit[1].outcome, "ok");
}

}  // namespace
}  // namespace segue::serve
