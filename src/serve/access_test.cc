#include "serve/access.h"

#include "serve/listen_address.h"
#include "serve/rate_limit.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

std::string Bearing(const std::string& secret) { return "Authorization: Bearer " + secret + "\r\n"; }

/// A server that asks for tokens, as off loopback, and tokens of each role.
class Tokens : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    settings_.token = "of-the-settings";
    PutPopularityLive("m1");
    Start();
    read_ = Create({{"name", "dashboard"}, {"role", "read"}});
    listen_ = Create({{"name", "navidrome"}, {"role", "listen"}});
    ann_ = Create({{"name", "ann's phone"}, {"role", "listen"}, {"listener", "ann"}});
    admin_ = Create({{"name", "boss"}, {"role", "admin"}});
  }
  std::string Create(const json& what) const {
    const Answer answer = Ask("POST", "/v1/tokens", what.dump(), Bearing("of-the-settings"));
    EXPECT_EQ(answer.status, 201) << answer.body;
    return answer.Json().value("token", "");
  }
  int StatusFor(const std::string& secret, const std::string& method, const std::string& target, const std::string& body = "") const {
    return Ask(method, target, body, secret.empty() ? "" : Bearing(secret)).status;
  }

  std::string read_, listen_, ann_, admin_;
};

TEST_F(Tokens, EachRoleDoesWhatItIsForAndNoMore) {
  const std::string like = json{{"events", {{{"listener", "ann"}, {"track_id", ids_[0]}, {"kind", "like"}}}}}.dump();
  struct Case {
    const char* method;
    std::string target, body;
    int none, read, listen, ann, admin;
  };
  const std::vector<Case> cases = {
      {"GET", "/healthz", "", 200, 200, 200, 200, 200},
      {"GET", "/", "", 200, 200, 200, 200, 200},
      {"GET", "/v1/status", "", 401, 200, 403, 403, 200},
      {"GET", "/metrics", "", 401, 200, 403, 403, 200},
      {"GET", "/v1/listeners/ann/recommendations", "", 401, 200, 200, 200, 200},
      {"GET", "/v1/listeners/bob/recommendations", "", 401, 200, 200, 403, 200},
      {"POST", "/v1/events", like, 401, 403, 200, 200, 200},
      {"POST", "/v1/runs", "", 401, 403, 403, 403, 202},
      {"PUT", "/v1/inbox/a.json", "[]", 401, 403, 403, 403, 202},
      {"GET", "/v1/tokens", "", 401, 403, 403, 403, 200},
      {"GET", "/v1/audit", "", 401, 403, 403, 403, 200},
      {"POST", "/v1/tokens", R"({"name":"x","role":"nobody"})", 401, 403, 403, 403, 400},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(StatusFor("", c.method, c.target, c.body), c.none) << c.target;
    EXPECT_EQ(StatusFor("segue_wrong", c.method, c.target, c.body), c.none) << c.target;
    EXPECT_EQ(StatusFor(read_, c.method, c.target, c.body), c.read) << c.target << " as read";
    EXPECT_EQ(StatusFor(listen_, c.method, c.target, c.body), c.listen) << c.target << " as listen";
    EXPECT_EQ(StatusFor(ann_, c.method, c.target, c.body), c.ann) << c.target << " as ann";
    EXPECT_EQ(StatusFor(admin_, c.method, c.target, c.body), c.admin) << c.target << " as admin";
    EXPECT_EQ(StatusFor("of-the-settings", c.method, c.target, c.body), c.admin) << c.target << " as serve.token";
  }
}

TEST_F(Tokens, ARefusalNamesTheRoleThatIsNeededAndTheSchemeOfTokens) {
  const Answer stranger = Ask("GET", "/v1/status");
  EXPECT_NE(stranger.head.find("WWW-Authenticate: Bearer"), std::string::npos) << stranger.head;
  const Answer reader = Ask("POST", "/v1/runs", "", Bearing(read_));
  EXPECT_NE(reader.Json()["detail"].get<std::string>().find("role admin"), std::string::npos) << reader.body;
}

TEST_F(Tokens, ATokenOfOneListenerTellsOnlyHisEvents) {
  const auto event = [&](const json& listener) {
    return json{{"events", {{{"listener", listener}, {"track_id", ids_[0]}, {"kind", "play"}, {"event_id", "e"}}}}}.dump();
  };
  EXPECT_EQ(StatusFor(ann_, "POST", "/v1/events", event("bob")), 403);
  EXPECT_EQ(*catalog_->LastEventSeq(), 0);
  EXPECT_EQ(StatusFor(ann_, "POST", "/v1/events", event(nullptr)), 200);
  EXPECT_EQ(catalog_->EventsAfter(0, 1)->at(0).listener, "ann");
}

TEST_F(Tokens, ARevokedTokenIsGoodForNothingFromTheNextRequestOn) {
  EXPECT_EQ(StatusFor(read_, "GET", "/v1/status"), 200);
  EXPECT_EQ(StatusFor(admin_, "DELETE", "/v1/tokens/dashboard"), 200);
  EXPECT_EQ(StatusFor(read_, "GET", "/v1/status"), 401);
  EXPECT_EQ(StatusFor(admin_, "DELETE", "/v1/tokens/dashboard"), 404);
}

TEST_F(Tokens, AListOfThemTellsUseAndNoSecret) {
  StatusFor(read_, "GET", "/v1/status");
  const Answer list = Ask("GET", "/v1/tokens", "", Bearing(admin_));
  for (const std::string& secret : {read_, listen_, ann_, admin_}) EXPECT_EQ(list.body.find(secret), std::string::npos);
  const json listed = list.Json();
  for (const json& token : listed["items"]) {
    EXPECT_FALSE(token.contains("hash"));
    EXPECT_EQ(token["last_used"].is_null(), token["name"] != "dashboard" && token["name"] != "boss") << token;
  }
}

TEST_F(Tokens, WhatAdminsDoIsOnTheAudit) {
  StatusFor(admin_, "POST", "/v1/runs", R"({"reason":"new data"})");
  StatusFor(read_, "POST", "/v1/models/m1/promote");
  StatusFor("", "POST", "/v1/runs");
  StatusFor(admin_, "GET", "/v1/tokens");
  StatusFor(admin_, "DELETE", "/v1/tokens/navidrome");
  const json audit = Ask("GET", "/v1/audit?n=3", "", Bearing(admin_)).Json();
  ASSERT_EQ(audit["items"].size(), 3u) << "looking is not put down, nor are strangers";
  EXPECT_EQ(audit["items"][0]["action"], "DELETE /v1/tokens/navidrome");
  EXPECT_EQ(audit["items"][0]["subject"], "navidrome (listen)");
  EXPECT_EQ(audit["items"][0]["actor"], "boss");
  EXPECT_EQ(audit["items"][1]["actor"], "dashboard");
  EXPECT_TRUE(audit["items"][1]["outcome"].get<std::string>().starts_with("403")) << audit;
  EXPECT_EQ(audit["items"][2]["action"], "POST /v1/runs");
  EXPECT_EQ(audit["items"][2]["outcome"], "ok");
  EXPECT_FALSE(audit["next"].is_null());
}

TEST_F(Serving, LoopbackNeedsNoTokenUnlessAPageOfAnotherSiteAsks) {
  Start();
  EXPECT_EQ(Ask("POST", "/v1/runs").status, 202);
  EXPECT_EQ(Ask("POST", "/v1/runs", "", "Origin: http://localhost:7348\r\n").status, 202);
  EXPECT_EQ(Ask("POST", "/v1/runs", "", "Origin: https://evil.example\r\n").status, 401);
  EXPECT_EQ(Ask("POST", "/v1/runs", "", "Origin: http://127.0.0.1.evil.example\r\n").status, 401);
  EXPECT_EQ(Ask("POST", "/v1/runs", "", "Origin: null\r\n").status, 401);
}

TEST_F(Serving, OnlyNamedOriginsMayReadAnswers) {
  settings_.cors_origins = "https://a.example, https://b.example";
  Start();
  const auto header = [&](const std::string& method, const std::string& origin) {
    const std::string head = Ask(method, "/v1/status", "", "Origin: " + origin + "\r\n").head;
    const size_t at = head.find("Access-Control-Allow-Origin: ");
    return at == std::string::npos ? "" : head.substr(at + 29, head.find("\r\n", at) - at - 29);
  };
  EXPECT_EQ(header("GET", "https://b.example"), "https://b.example");
  EXPECT_EQ(header("GET", "https://c.example"), "");
  EXPECT_EQ(header("OPTIONS", "https://a.example"), "https://a.example");
  EXPECT_EQ(Ask("OPTIONS", "/v1/status", "", "Origin: https://a.example\r\n").status, 204);
  EXPECT_EQ(Ask("OPTIONS", "/v1/status", "", "Origin: https://c.example\r\n").status, 405);
}

TEST_F(Serving, WithoutNamedOriginsThereIsNoCors) {
  Start();
  EXPECT_EQ(Ask("GET", "/v1/status", "", "Origin: https://a.example\r\n").head.find("Access-Control"), std::string::npos);
}

TEST_F(Serving, WhoAsksTooMuchIsToldWhenToComeAgain) {
  settings_.rate_per_minute_on_loopback = 2;
  Start();
  const Answer first = Ask("GET", "/v1/status");
  EXPECT_EQ(first.status, 200);
  EXPECT_NE(first.head.find("X-RateLimit-Limit: 2"), std::string::npos) << first.head;
  EXPECT_NE(first.head.find("X-RateLimit-Remaining: 1"), std::string::npos) << first.head;
  EXPECT_EQ(Ask("GET", "/v1/status").status, 200);
  const Answer third = Ask("GET", "/v1/status");
  EXPECT_EQ(third.status, 429);
  EXPECT_NE(third.head.find("Retry-After: "), std::string::npos) << third.head;
  EXPECT_EQ(Ask("GET", "/healthz").status, 200) << "whether it is well may always be asked";
  const Answer player = Ask("POST", "/1/submit-listens", "{}", "Authorization: Token ann\r\n");
  EXPECT_EQ(player.status, 429);
  EXPECT_EQ(player.Json()["code"], 429) << "in ListenBrainz's form: " << player.body;
}

TEST(RateLimiter, FillsEvenlyAndHoldsOneMinute) {
  RateLimiter limiter;
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(limiter.Take("a", 60, 0).granted) << i;
  const Allowance refused = limiter.Take("a", 60, 0);
  EXPECT_FALSE(refused.granted);
  EXPECT_EQ(refused.reset_in_s, 1) << "one is there again";
  EXPECT_TRUE(limiter.Take("b", 60, 0).granted) << "everybody has his own";
  EXPECT_FALSE(limiter.Take("a", 60, 999).granted);
  EXPECT_TRUE(limiter.Take("a", 60, 1000).granted);
  EXPECT_FALSE(limiter.Take("a", 60, 1000).granted);
  for (int i = 0; i < 60; ++i) EXPECT_TRUE(limiter.Take("a", 60, 1'000'000).granted) << i;
  EXPECT_FALSE(limiter.Take("a", 60, 1'000'000).granted) << "an hour's rest is not an hour's requests";
  EXPECT_TRUE(limiter.Take("a", 0, 0).granted) << "0 is no limit";
}

TEST(ShownTarget, HidesWhatIsSecret) {
  EXPECT_EQ(ShownTarget("/1/validate-token?token=abc"), "/1/validate-token?token=...");
  EXPECT_EQ(ShownTarget("/2.0/?method=x&sk=abc&n=1"), "/2.0/?method=x&sk=...&n=1");
  EXPECT_EQ(ShownTarget("/?hs=true&a=0a&u=ann"), "/?hs=true&a=...&u=ann");
  EXPECT_EQ(ShownTarget("/v1/tracks?q=token"), "/v1/tracks?q=token");
  EXPECT_EQ(ShownTarget("/x?token&&"), "/x?token=...&&");
}

TEST(SecretOf, TakesBearerAndTokenInAnyCase) {
  EXPECT_EQ(SecretOf("Bearer abc"), "abc");
  EXPECT_EQ(SecretOf("token  abc "), "abc");
  EXPECT_EQ(SecretOf("TOKEN abc"), "abc");
  EXPECT_EQ(SecretOf("Basic abc"), "");
  EXPECT_EQ(SecretOf("abc"), "");
}

TEST(ListenerName, IsNotTakenFromWhatLooksLikeASecret) {
  EXPECT_TRUE(IsListenerName("anna"));
  EXPECT_TRUE(IsListenerName("Åsa Öst"));
  for (const char* bad : {"", "segue_0123", "6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30", "0123456789abcdef0123456789abcdef", "a/b", "a\nb"}) {
    EXPECT_FALSE(IsListenerName(bad)) << bad;
  }
}

TEST(Loopback, IsThisMachineInEitherFamily) {
  for (const char* mine : {"127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1"}) EXPECT_TRUE(IsLoopback(mine)) << mine;
  for (const char* other : {"192.168.0.1", "::ffff:192.168.0.1", "fe80::1", "0.0.0.0", "", "x"}) EXPECT_FALSE(IsLoopback(other)) << other;
}

TEST_F(Serving, AnAddressOffLoopbackIsListenedOnWhereThereIsAToken) {
  settings_.listen = "0.0.0.0:0";
  const Context context{*bucket_, *catalog_, clock_, settings_, instruments_, folder_};
  EXPECT_EQ(serve::Start(context).error().code, ErrorCode::kPermission);
  ASSERT_TRUE(catalog_->access().AddToken(*store::MakeToken("a", store::Role::kAdmin, "", false, "s", 1)).ok());
  Start();
  EXPECT_EQ(Ask("GET", "/v1/status").status, 200) << "who asks from this machine still needs none";
  settings_.tls_listen = "127.0.0.1:0";
  EXPECT_EQ(serve::Start(context).error().code, ErrorCode::kInvalid) << "TLS without a certificate";
}

}  // namespace
}  // namespace segue::serve
