#include "serve/dialects/lastfm.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr int64_t kNow = 1'700'000'000;

LastFmForm Form(const std::vector<std::pair<std::string, std::string>>& fields) { return {fields.begin(), fields.end()}; }

TEST(LastFmScrobbles, AreReadWithBracketsAndWithout) {
  const auto several = ParseScrobbles(Form({{"artist[0]", "A"}, {"track[0]", "T"}, {"timestamp[0]", "1699999000"}, {"album[0]", "L"}, {"duration[0]", "200"},
                                            {"mbid[0]", "6F1C8A52-3b1e-4c8e-9f0a-2d5b7c9e1f30"}, {"artist[1]", ""}, {"track[1]", "T"}, {"timestamp[1]", "1699999000"},
                                            {"artist[2]", "A"}, {"track[2]", ""}, {"timestamp[2]", "1699999000"}, {"artist[3]", "A"}, {"track[3]", "T"},
                                            {"timestamp[3]", "7"}, {"artist[4]", "A"}, {"track[4]", "T"}, {"timestamp[4]", "1999999999"}}), kNow);
  ASSERT_TRUE(several.ok()) << several.error().message;
  ASSERT_EQ(several->size(), 5u);
  const Submission& first = several->at(0).submission;
  EXPECT_EQ(first.track.artist, "A");
  EXPECT_EQ(first.track.album, "L");
  EXPECT_EQ(first.track.duration_ms, 200'000);
  EXPECT_EQ(first.track.source_id, "mbid:6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30");
  EXPECT_EQ(first.listened_at, 1'699'999'000);
  std::vector<int> ignored;
  for (const Scrobble& scrobble : *several) ignored.push_back(scrobble.ignored);
  EXPECT_EQ(ignored, (std::vector<int>{0, 1, 2, 3, 4}));
  EXPECT_EQ(ParseScrobbles(Form({{"artist", "A"}, {"track", "T"}, {"timestamp", "1699999000"}}), kNow)->size(), 1u);
  EXPECT_FALSE(ParseScrobbles(Form({{"artist", "A"}, {"track", "T"}}), kNow).ok());
  EXPECT_FALSE(ParseScrobbles(Form({{"artist[0]", "A"}}), kNow).ok());
  LastFmForm many;
  for (int i = 0; i < 51; ++i) {
    for (const char* field : {"artist", "track", "timestamp"}) many[field + ("[" + std::to_string(i) + "]")] = "1";
  }
  EXPECT_FALSE(ParseScrobbles(many, kNow).ok()) << "51";
}

TEST(LastFmSignature, IsTheMd5OfSortedParametersAndTheSecret) {
  const LastFmForm form = Form({{"track[1]", "b"}, {"track[10]", "a"}, {"method", "m"}, {"format", "json"}, {"callback", "c"}, {"api_sig", "x"}});
  EXPECT_EQ(LastFmSignature(form, "secret"), store::Md5Hex("methodmtrack[10]atrack[1]bsecret")) << "ASCII: '0' comes before ']'";
}

TEST(LastFmAnswers, AreTheSameTreeInXmlAndJson) {
  const Element tree{.name = "a", .attributes = {{"n", "<1>"}}, .children = {{.name = "b", .text = "x & y"}, {.name = "b", .attributes = {{"c", "0"}}, .text = "z"}}};
  EXPECT_NE(LastFmAnswer(tree, false).body.find("<lfm status=\"ok\"><a n=\"&lt;1&gt;\"><b>x &amp; y</b><b c=\"0\">z</b></a></lfm>"), std::string::npos);
  EXPECT_EQ(json::parse(LastFmAnswer(tree, true).body), (json{{"a", {{"b", {"x & y", {{"c", "0"}, {"#text", "z"}}}}, {"@attr", {{"n", "<1>"}}}}}}));
  const Element empty{.name = "a", .list = true, .of = "b"};
  EXPECT_EQ(json::parse(LastFmAnswer(empty, true).body), (json{{"a", {{"b", json::array()}}}}));
  EXPECT_NE(LastFmError(6, "why", false).body.find("<lfm status=\"failed\"><error code=\"6\">why</error></lfm>"), std::string::npos);
  EXPECT_EQ(json::parse(LastFmError(29, "why", true).body), (json{{"error", 29}, {"message", "why"}}));
  EXPECT_EQ(LastFmError(29, "why", true).status, 429);
}

class LastFmTest : public Serving {
 protected:
  void Begin() {
    PutIalsLive("m1");
    Start();
  }
  json Call(const std::string& fields) const { return Ask("POST", "/2.0/", "format=json&api_key=k&" + fields).Json(); }
  std::string At(int64_t ago) const { return std::to_string(clock_.NowSeconds() - ago); }
};

TEST_F(LastFmTest, ScrobblesAndLovesReachTheRecommendations) {
  Begin();
  const json session = Call("method=auth.getMobileSession&username=bob&password=any")["session"];
  EXPECT_EQ(session["name"], "bob") << "on loopback a name is enough";
  const std::string sk = "&sk=" + session["key"].get<std::string>();
  const json told = Call("method=track.scrobble&artist[0]=Artist+A&track[0]=Song+Number+0&timestamp[0]=" + At(900) + sk)["scrobbles"];
  EXPECT_EQ(told["@attr"], (json{{"accepted", 1}, {"ignored", 0}}));
  EXPECT_EQ(told["scrobble"]["track"], (json{{"corrected", "0"}, {"#text", "Song Number 0"}}));
  EXPECT_FALSE(Has(ListOf("bob"), IdOf(0)));
  Call("method=track.love&artist=Artist+C&track=Song+Number+2" + sk);
  EXPECT_EQ(Get("/1/feedback/user/bob/get-feedback")["total_count"], 1);
  Call("method=track.unlove&artist=Artist+C&track=Song+Number+2" + sk);
  EXPECT_EQ(Get("/1/feedback/user/bob/get-feedback")["total_count"], 0);
  Call("method=track.updateNowPlaying&artist=Artist+D&track=Song+Number+3" + sk);
  const json recent = Call("method=user.getRecentTracks&user=bob")["recenttracks"];
  ASSERT_EQ(recent["track"].size(), 2u) << recent;
  EXPECT_EQ(recent["track"][0]["@attr"]["nowplaying"], "true");
  EXPECT_EQ(recent["track"][1]["name"], "Song Number 0");
  EXPECT_EQ(recent["track"][1]["artist"]["#text"], "Artist A");
  EXPECT_EQ(recent["track"][1]["date"]["uts"], std::to_string(catalog_->EventsAfter(0, 1)->at(0).at));
  EXPECT_EQ(recent["@attr"]["total"], "1");
}

TEST_F(LastFmTest, WhatIsLikeATrackOrAnArtistIsTold) {
  Begin();
  const json tracks = Call("method=track.getSimilar&artist=Artist+A&track=Song+Number+0&limit=5")["similartracks"];
  ASSERT_EQ(tracks["track"].size(), 5u);
  EXPECT_EQ(tracks["track"][0]["match"], "1.000000");
  for (const json& track : tracks["track"]) EXPECT_NE(track["name"], "Song Number 0");
  const json artists = Call("method=artist.getSimilar&artist=artist+a&limit=3")["similarartists"];
  EXPECT_EQ(artists["@attr"]["artist"], "Artist A");
  ASSERT_EQ(artists["artist"].size(), 3u);
  for (const json& artist : artists["artist"]) EXPECT_NE(artist["name"], "Artist A");
  EXPECT_EQ(Call("method=track.getSimilar&artist=Nobody&track=Nothing")["error"], 6);
}

TEST_F(LastFmTest, ErrorsHaveLastFmsCodes) {
  settings_.lastfm_secret = "shared";
  Begin();
  EXPECT_EQ(Call("method=track.dance")["error"], 3);
  EXPECT_EQ(Ask("POST", "/2.0/", "format=json&method=auth.getToken").Json()["error"], 10);
  EXPECT_EQ(Call("method=auth.getToken&api_sig=wrong")["error"], 13);
  const auto sign = [](const std::string& fields) {
    const auto form = *ParseForm("format=json&api_key=k&" + fields, "");
    return fields + "&api_sig=" + LastFmSignature(form, "shared");
  };
  EXPECT_TRUE(Call(sign("method=auth.getToken")).contains("token"));
  EXPECT_EQ(Call(sign("method=track.love&artist=A&track=T"))["error"], 9) << "no session";
  EXPECT_EQ(Call(sign("method=track.love&artist=A&sk=bob"))["error"], 6);
  EXPECT_EQ(Call(sign("method=auth.getSession&token=00"))["error"], 4);
  EXPECT_EQ(Ask("POST", "/2.0/", "%zz").status, 400);
  EXPECT_NE(Ask("GET", "/2.0/?method=track.dance").body.find("<error code=\"3\">"), std::string::npos) << "XML where JSON is not asked for";
}

TEST_F(LastFmTest, AProgramIsLetInOnThePageAndHasASessionOfItsOwn) {
  settings_.token = "of-the-settings";
  Begin();
  const auto create = [&](const json& what) {
    return Ask("POST", "/v1/tokens", what.dump(), "Authorization: Bearer of-the-settings\r\n").Json().value("token", "");
  };
  const std::string anns = create({{"name", "phone"}, {"role", "listen"}, {"listener", "ann"}});
  EXPECT_EQ(Call("method=auth.getMobileSession&username=ann&password=wrong")["error"], 4);
  EXPECT_EQ(Call("method=auth.getMobileSession&username=bob&password=" + anns)["error"], 4) << "it is ann's";
  EXPECT_EQ(Call("method=auth.getMobileSession&username=ann&password=" + anns)["session"]["name"], "ann");
  const std::string token = Call("method=auth.getToken")["token"];
  EXPECT_EQ(Call("method=auth.getSession&token=" + token)["error"], 14) << "nobody has approved it";
  const Answer page = Ask("GET", "/api/auth/?api_key=k&token=" + token);
  EXPECT_EQ(page.status, 200);
  EXPECT_NE(page.body.find("value=\"" + token + "\""), std::string::npos);
  EXPECT_EQ(Ask("GET", "/api/auth/?api_key=k&token=%22%3E%3Cscript%3E").status, 400);
  EXPECT_EQ(Ask("POST", "/api/auth/", "token=" + token + "&secret=wrong").status, 403);
  EXPECT_EQ(Ask("POST", "/api/auth/", "token=" + token + "&secret=" + anns).status, 200);
  const json session = Call("method=auth.getSession&token=" + token)["session"];
  EXPECT_EQ(session["name"], "ann");
  EXPECT_EQ(Call("method=auth.getSession&token=" + token)["error"], 4) << "once";
  EXPECT_EQ(Ask("DELETE", "/v1/tokens/phone", "", "Authorization: Bearer of-the-settings\r\n").status, 200);
  const std::string told = Call("method=track.scrobble&artist=A&track=T&timestamp=" + At(500) + "&sk=" + session["key"].get<std::string>()).dump();
  EXPECT_NE(told.find("\"accepted\":1"), std::string::npos) << "its session does not hang on the token that let it in: " << told;
  EXPECT_EQ(Call("method=user.getRecentTracks&user=ann")["error"], 17);
  EXPECT_EQ(Call("method=user.getRecentTracks&user=ann&sk=" + session["key"].get<std::string>())["recenttracks"]["@attr"]["total"], "6");
}

}  // namespace
}  // namespace segue::serve
