#include "serve/dialects/listenbrainz.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr int64_t kNow = 1'700'000'000;
constexpr const char* kMbid = "6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30";

json ListenOf(const std::string& artist, const std::string& title, int64_t at = kNow) {
  return {{"listened_at", at}, {"track_metadata", {{"artist_name", artist}, {"track_name", title}}}};
}
json Body(const json& listen, const std::string& type = "single") { return {{"listen_type", type}, {"payload", {listen}}}; }
std::string ErrorOfBody(const json& body) {
  const auto parsed = ParseSubmitListens(body.dump(), kNow);
  return parsed.ok() ? "" : parsed.error().message;
}

TEST(SubmitListens, ReadsAllThatAPlayerTells) {
  json listen = ListenOf("Rick Astley", "Never Gonna Give You Up", 1443521965);
  listen["track_metadata"]["release_name"] = "Whenever you need somebody";
  listen["track_metadata"]["additional_info"] = {{"recording_mbid", kMbid}, {"isrc", "USEE10001992"}, {"duration_ms", 222000}, {"duration", 1},
                                                 {"duration_played", 180}, {"tags", {"t"}}, {"artist_mbids", {kMbid}}};
  const auto parsed = ParseSubmitListens(Body(listen).dump(), kNow);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  const Submission& told = parsed->listens.at(0);
  EXPECT_EQ(told.track.artist, "Rick Astley");
  EXPECT_EQ(told.track.title, "Never Gonna Give You Up");
  EXPECT_EQ(told.track.album, "Whenever you need somebody");
  EXPECT_EQ(told.track.source_id, "mbid:" + std::string(kMbid));
  EXPECT_EQ(told.track.duration_ms, 222000);
  EXPECT_EQ(told.ms_played, 180000);
  EXPECT_EQ(told.listened_at, 1443521965);
}

TEST(SubmitListens, RefusesInListenBrainzsWords) {
  const auto without = [](json value, const std::string& key) { return value.erase(key), value; };
  const json good = ListenOf("A", "B");
  const auto with_info = [&](const json& info) {
    json listen = good;
    listen["track_metadata"]["additional_info"] = info;
    return Body(listen);
  };
  const auto named = [&](const char* key, const json& value) {
    json listen = good;
    listen["track_metadata"][key] = value;
    return Body(listen);
  };
  EXPECT_EQ(ErrorOfBody(Body(good)), "");
  EXPECT_EQ(ErrorOfBody({{"listen_type", "single"}, {"payload", json::array()}}), "JSON document does not contain any listens");
  EXPECT_EQ(ErrorOfBody({{"listen_type", "single"}}), "Invalid JSON document submitted.");
  EXPECT_EQ(ErrorOfBody(Body(good, "sometimes")), "JSON document requires a valid listen_type key.");
  EXPECT_EQ(ErrorOfBody({{"listen_type", "single"}, {"payload", {good, good}}}),
            "JSON document contains more than listen for a single/playing_now. It should contain only one.");
  EXPECT_EQ(ErrorOfBody({{"listen_type", "import"}, {"payload", {good, good}}}), "");
  EXPECT_EQ(ErrorOfBody({{"listen_type", "import"}, {"payload", json(std::vector<json>(1001, good))}}),
            "Too many listens. You may not submit more than 1000 listens at once.");
  EXPECT_EQ(ErrorOfBody(Body(without(good, "listened_at"))), "JSON document must contain the key listened_at at the top level.");
  EXPECT_EQ(ErrorOfBody(Body(good, "playing_now")), "JSON document must not contain listened_at while submitting playing_now.");
  EXPECT_EQ(ErrorOfBody(Body(without(good, "listened_at"), "playing_now")), "");
  EXPECT_EQ(ErrorOfBody(Body(ListenOf("A", "B", kNow + 7200))), "Value for key listened_at is too high.");
  EXPECT_NE(ErrorOfBody(Body(ListenOf("A", "B", 1033430399))).find("too low"), std::string::npos);
  EXPECT_EQ(ErrorOfBody(Body(ListenOf("A", "B", 1033430400))), "");
  EXPECT_EQ(ErrorOfBody(Body(ListenOf("", "B"))), "JSON document does not contain required track_metadata.artist_name.");
  EXPECT_EQ(ErrorOfBody(named("artist_name", {"A", "B"})), "artist_name must be a single string.");
  EXPECT_EQ(ErrorOfBody(named("release_name", 3)), "release_name must be a single string.");
  EXPECT_EQ(ErrorOfBody(with_info({{"tags", std::vector<std::string>(51, "t")}})),
            "JSON document may not contain more than 50 items in track_metadata.additional_info.tags.");
  EXPECT_EQ(ErrorOfBody(with_info({{"tags", {std::string(65, 't')}}})),
            "JSON document may not contain track_metadata.additional_info.tags longer than 64 characters.");
  EXPECT_EQ(ErrorOfBody(with_info({{"recording_mbid", "x"}})), "recording_mbid MBID format invalid.");
  EXPECT_EQ(ErrorOfBody(with_info({{"artist_mbids", {"x"}}})), "artist_mbids MBID format invalid.");
  EXPECT_EQ(ErrorOfBody(with_info({{"recording_mbid", ""}})), "") << "players that know none send an empty one";
  EXPECT_EQ(ErrorOfBody(with_info({{"x", std::string(10'300, 'x')}})),
            "JSON document is too large. In aggregate, listens may not be larger than 10240 characters.");
  for (const char* rubbish : {"", "{", "[]", "3", "null", "\"payload\"", "{\"payload\":{}}", "{\"payload\":[3],\"listen_type\":\"single\"}"}) {
    EXPECT_FALSE(ParseSubmitListens(rubbish, kNow).ok()) << rubbish;
  }
}

/// On loopback, where a player's token is the listener's name.
class ListenBrainzTest : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    const std::string alias = store::Quoted(std::string("mbid:") + kMbid);
    auto rows = Rows();
    rows.push_back("INSERT INTO a VALUES (" + alias + "," + store::Quoted(IdOf(6)) + ")");
    WriteDataset("d2", rows);
    PutIalsLive("m1");
    Start();
  }
  Answer Tell(const std::string& target, const json& body, const std::string& token = "bob") const {
    return Ask("POST", target, body.dump(), "Authorization: Token " + token + "\r\n");
  }
};

TEST_F(ListenBrainzTest, AListenChangesTheNextRecommendations) {
  const auto before = ListOf("bob");
  EXPECT_TRUE(Has(before, IdOf(0)));
  const Answer answer = Tell("/1/submit-listens", Body(ListenOf(Artist(0), Title(0))));
  EXPECT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(answer.Json(), (json{{"status", "ok"}}));
  const auto after = ListOf("bob");
  EXPECT_FALSE(Has(after, IdOf(0))) << "it is heard";
  EXPECT_NE(before, after);
  EXPECT_TRUE(Get("/v1/listeners/bob/recommendations")["fallback"].is_null());
}

TEST_F(ListenBrainzTest, AListenComesBackByItsListAndCanBeDeleted) {
  const Answer told = Tell("/1/submit-listens?return_msid=true", Body(ListenOf("Nobody Yet", "New")));
  const std::string msid = told.Json()["recording_msid"];
  json payload = Get("/1/user/bob/listens")["payload"];
  EXPECT_EQ(payload["count"], 1);
  EXPECT_EQ(payload["user_id"], "bob");
  EXPECT_EQ(payload["latest_listen_ts"], kNow);
  EXPECT_EQ(payload["listens"][0]["listened_at"], kNow);
  EXPECT_EQ(payload["listens"][0]["recording_msid"], msid);
  EXPECT_EQ(payload["listens"][0]["track_metadata"]["artist_name"], "Nobody Yet");
  EXPECT_EQ(payload["listens"][0]["track_metadata"]["track_name"], "New");
  EXPECT_EQ(Get("/1/user/bob/listen-count")["payload"]["count"], 1);
  EXPECT_EQ(Get("/1/user/bob/listens?max_ts=" + std::to_string(kNow))["payload"]["count"], 0) << "before it, not at it";
  EXPECT_EQ(Get("/1/user/bob/listens?min_ts=" + std::to_string(kNow - 1))["payload"]["count"], 1);
  EXPECT_EQ(Get("/1/user/bob/listens?count=x", 400)["error"], "Invalid count argument: x");
  EXPECT_EQ(Tell("/1/delete-listen", {{"listened_at", kNow}, {"recording_msid", "x"}}).Json()["error"], "Recording MSID format invalid.");
  EXPECT_EQ(Tell("/1/delete-listen", {{"listened_at", kNow}, {"recording_msid", msid}}).status, 200);
  EXPECT_EQ(Get("/1/user/bob/listen-count")["payload"]["count"], 0);
}

TEST_F(ListenBrainzTest, WithMinTsAloneThoseThatFollowItCome) {
  json listens = json::array();
  for (int i = 0; i < 6; ++i) listens.push_back(ListenOf("Nobody Yet", "New " + std::to_string(i), kNow + i));
  EXPECT_EQ(Tell("/1/submit-listens", {{"listen_type", "import"}, {"payload", listens}}).status, 200);
  std::vector<int64_t> times;
  const json answer = Get("/1/user/bob/listens?count=2&min_ts=" + std::to_string(kNow));
  for (const json& listen : answer["payload"]["listens"]) times.push_back(listen["listened_at"]);
  EXPECT_EQ(times, (std::vector<int64_t>{kNow + 2, kNow + 1}));
}

TEST_F(ListenBrainzTest, WhatPlaysNowIsShownUntilItIsOver) {
  json listen = ListenOf("Nobody Yet", "New");
  listen.erase("listened_at");
  EXPECT_EQ(Tell("/1/submit-listens", Body(listen, "playing_now")).status, 200);
  const json playing = Get("/1/user/bob/playing-now")["payload"];
  EXPECT_EQ(playing["count"], 1);
  EXPECT_EQ(playing["listens"][0]["track_metadata"]["track_name"], "New");
  EXPECT_EQ(Tell("/1/playing-now/delete", json::object()).status, 200);
  EXPECT_EQ(Get("/1/user/bob/playing-now")["payload"]["count"], 0);
  EXPECT_EQ(Get("/1/user/bob/listen-count")["payload"]["count"], 0);
}

TEST_F(ListenBrainzTest, FeedbackIsGivenAndTakenByEitherId) {
  const auto score = [&](int value, const json& by) {
    json body = by;
    body["score"] = value;
    return Tell("/1/feedback/recording-feedback", body).status;
  };
  EXPECT_EQ(score(1, {{"recording_mbid", kMbid}}), 200);
  EXPECT_EQ(score(-1, {{"recording_msid", MsidOf(IdOf(3))}}), 200);
  EXPECT_FALSE(Has(ListOf("bob", "&mode=next"), IdOf(3))) << "hated: not shown any more";
  json feedback = Get("/1/feedback/user/bob/get-feedback?metadata=true");
  EXPECT_EQ(feedback["total_count"], 2);
  EXPECT_EQ(Get("/1/feedback/user/bob/get-feedback?score=1")["feedback"][0]["recording_mbid"], kMbid);
  EXPECT_EQ(Get("/1/feedback/user/bob/get-feedback?score=1")["feedback"][0]["recording_msid"], MsidOf(IdOf(6))) << "the MBID's track";
  EXPECT_EQ(score(0, {{"recording_msid", MsidOf(IdOf(3))}}), 200);
  EXPECT_EQ(Get("/1/feedback/user/bob/get-feedback")["total_count"], 1);
  EXPECT_TRUE(Has(ListOf("bob", "&mode=next"), IdOf(3)));
  const json several = Get("/1/feedback/user/bob/get-feedback-for-recordings?recording_mbids=" + std::string(kMbid) + "&recording_msids=" + MsidOf(IdOf(3)));
  EXPECT_EQ(several["feedback"][0]["score"], 0);
  EXPECT_EQ(several["feedback"][1]["score"], 1);
  EXPECT_EQ(score(2, {{"recording_mbid", kMbid}}), 400);
  EXPECT_EQ(score(1, {{"recording_mbid", "x"}}), 400);
  EXPECT_EQ(score(1, json::object()), 400);
  EXPECT_EQ(score(1, {{"recording_mbid", "00000000-0000-4000-8000-000000000000"}}), 200) << "not known yet: kept for when it is";
}

TEST_F(ListenBrainzTest, RecommendationsNameRecordingsOnceTheListenerIsKnown) {
  EXPECT_EQ(Ask("GET", "/1/cf/recommendation/user/nobody/recording").status, 204);
  const json payload = Get("/1/cf/recommendation/user/ann/recording?count=100")["payload"];
  EXPECT_EQ(payload["model_id"], "m1");
  ASSERT_EQ(payload["mbids"].size(), 1u) << "one of the catalogue's tracks has an MBID";
  EXPECT_EQ(payload["mbids"][0]["recording_mbid"], kMbid);
  EXPECT_EQ(payload["total_mbid_count"], 1);
  EXPECT_EQ(payload["recordings"].size(), 25u) << "those without one are named beside";
  EXPECT_EQ(Tell("/1/recommendation/feedback/submit", {{"recording_mbid", kMbid}, {"rating", "hate"}}, "ann").status, 200);
  EXPECT_TRUE(Get("/1/cf/recommendation/user/ann/recording?count=100")["payload"]["mbids"].empty());
  EXPECT_EQ(Tell("/1/recommendation/feedback/submit", {{"recording_mbid", kMbid}, {"rating", "meh"}}, "ann").status, 400);
}

TEST_F(ListenBrainzTest, TheLatestImportIsRemembered) {
  EXPECT_EQ(Get("/1/latest-import?user_name=bob")["latest_import"], 0);
  EXPECT_EQ(Tell("/1/latest-import", {{"ts", 77}}).status, 200);
  EXPECT_EQ(Get("/1/latest-import?user_name=bob"), (json{{"musicbrainz_id", "bob"}, {"latest_import", 77}}));
  EXPECT_EQ(Tell("/1/latest-import", {{"ts", "x"}}).status, 400);
}

TEST_F(ListenBrainzTest, OnLoopbackATokenThatIsNoneNamesTheListener) {
  const json valid = Get("/1/validate-token?token=bob");
  EXPECT_EQ(valid, (json{{"code", 200}, {"message", "Token valid."}, {"valid", true}, {"user_name", "bob"}}));
  EXPECT_EQ(Get("/1/validate-token?token=" + std::string(kMbid))["valid"], false) << "a token of listenbrainz.org names nobody here";
  EXPECT_EQ(Get("/1/validate-token", 400)["code"], 400);
  EXPECT_EQ(Ask("POST", "/1/submit-listens", "{}").Json()["error"], "You need to provide an Authorization header.");
}

TEST_F(Serving, OffLoopbackAPlayerNeedsATokenOfRoleListen) {
  settings_.token = "of-the-settings";
  Start();
  const auto create = [&](const json& what) {
    return Ask("POST", "/v1/tokens", what.dump(), "Authorization: Bearer of-the-settings\r\n").Json().value("token", "");
  };
  const std::string ann = create({{"name", "phone"}, {"role", "listen"}, {"listener", "ann"}});
  const std::string read = create({{"name", "r"}, {"role", "read"}});
  const std::string nobodys = create({{"name", "navidrome"}, {"role", "listen"}});
  const auto user_of = [&](const std::string& token) {
    const json answer = Ask("GET", "/1/validate-token", "", "Authorization: token " + token + "\r\n").Json();
    return answer["valid"] == true ? answer["user_name"].get<std::string>() : "";
  };
  EXPECT_EQ(user_of(ann), "ann");
  EXPECT_EQ(user_of(nobodys), "navidrome");
  EXPECT_EQ(user_of("of-the-settings"), "me");
  EXPECT_EQ(user_of(read), "");
  EXPECT_EQ(user_of("bob"), "");
  const auto submit = [&](const std::string& token) {
    return Ask("POST", "/1/submit-listens", Body(ListenOf("A", "B")).dump(), "Authorization: Token " + token + "\r\n");
  };
  EXPECT_EQ(submit("bob").status, 401);
  EXPECT_EQ(submit("bob").Json(), (json{{"code", 401}, {"error", "Invalid authorization token."}}));
  EXPECT_EQ(submit(read).status, 401);
  EXPECT_EQ(submit(ann).status, 200);
  EXPECT_EQ(catalog_->EventsAfter(0, 10)->at(0).listener, "ann");
  const auto look = [&](const std::string& user, const std::string& token) {
    return Ask("GET", "/1/user/" + user + "/listens", "", "Authorization: Token " + token + "\r\n").status;
  };
  EXPECT_EQ(look("ann", ann), 200);
  EXPECT_EQ(look("bob", ann), 403);
  EXPECT_EQ(look("bob", read), 200);
  EXPECT_EQ(Ask("GET", "/1/user/ann/listens").status, 401);
}

TEST_F(Serving, AnImportMayBeLargerThanOtherBodies) {
  settings_.max_body_bytes = 10'000;
  Start();
  json listens = json::array();
  for (int i = 0; i < 1000; ++i) listens.push_back(ListenOf("Artist", "Title " + std::to_string(i), kNow + i));
  const std::string body = json{{"listen_type", "import"}, {"payload", listens}}.dump();
  ASSERT_GT(body.size(), 50'000u);
  EXPECT_EQ(Ask("POST", "/1/submit-listens", body, "Authorization: Token bob\r\n").status, 200);
  EXPECT_EQ(*catalog_->LastEventSeq(), 1000);
  EXPECT_EQ(Ask("POST", "/v1/events", body).status, 413);
}

}  // namespace
}  // namespace segue::serve
