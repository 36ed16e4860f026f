#include <set>

#include "serve/testing.h"
#include "store/blocked_artists.h"

// What a listener blocked is in none of his lists, from the next request on.
namespace segue::serve {
namespace {

class Blocked : public Serving {
 protected:
  static std::set<std::string> ArtistsIn(const json& list) {
    std::set<std::string> artists;
    for (const json& item : list["items"]) artists.insert(item["artist"]);
    return artists;
  }
  std::set<std::string> Recommended(const std::string& listener, const std::string& more = "") const {
    return ArtistsIn(Get("/v1/listeners/" + listener + "/recommendations?n=30" + more));
  }
};

TEST_F(Blocked, AnArtistIsGoneFromEveryListAndComesBackWhenUnblocked) {
  PutIalsLive("m1");
  Start();
  const json done = Ask("PUT", "/v1/listeners/bob/blocked-artists/ARTIST%20a").Json();
  EXPECT_EQ(done["artist"], "ARTIST a");
  EXPECT_EQ(done["in_catalogue"], true);
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", ids_[5]}, {"kind", "like"}}}), 200);
  for (const char* more : {"", "&mode=next", "&artist=artist+a", "&diversity=0.5", "&offset=3"}) {
    EXPECT_FALSE(Recommended("bob", more).contains("Artist A")) << more;
  }
  EXPECT_TRUE(Recommended("cid").contains("Artist A")) << "others still get him";
  const std::string track = ids_[3];
  EXPECT_FALSE(ArtistsIn(Get("/v1/tracks/" + track + "/similar?n=30&listener=bob")).contains("Artist A"));
  EXPECT_FALSE(ArtistsIn(Get("/v1/tracks/" + track + "/radio?n=30&listener=bob")).contains("Artist A"));
  EXPECT_FALSE(ArtistsIn(Get("/v1/artists/artist%20b/similar?listener=bob")).contains("Artist A"));
  EXPECT_TRUE(ArtistsIn(Get("/v1/tracks/" + track + "/radio?n=30")).contains("Artist A"));

  const json items = Get("/v1/listeners/bob/blocked-artists")["items"];
  ASSERT_EQ(items.size(), 1u);
  EXPECT_EQ(items[0]["artist"], "ARTIST a");
  const std::string since = items[0]["since"];
  EXPECT_EQ(Ask("PUT", "/v1/listeners/bob/blocked-artists/artist%20A").Json()["since"], since) << "he is blocked already";
  EXPECT_TRUE(Get("/v1/listeners/cid/blocked-artists")["items"].empty());
  EXPECT_EQ(Ask("DELETE", "/v1/listeners/bob/blocked-artists/Artist%20A").status, 200);
  EXPECT_EQ(Ask("DELETE", "/v1/listeners/bob/blocked-artists/Artist%20A").status, 404);
  EXPECT_TRUE(Recommended("bob", "&mode=next").contains("Artist A"));
}

TEST_F(Blocked, PlayersThatAskInTheirDialectGetNothingOfHimEither) {
  PutPopularityLive("m1");
  Start();
  const auto artists = [&] {
    std::set<std::string> names;
    const json payload = Get("/1/cf/recommendation/user/ann/recording?count=100")["payload"];
    for (const json& recording : payload["recordings"]) names.insert(recording["artist_name"]);
    return names;
  };
  EXPECT_TRUE(artists().contains("Artist D"));
  ASSERT_EQ(Ask("PUT", "/v1/listeners/ann/blocked-artists/Artist%20D").status, 200);
  EXPECT_FALSE(artists().contains("Artist D"));
  EXPECT_TRUE(artists().contains("Artist E"));
}

TEST_F(Blocked, ABlockIsDurableAndCountsWhicheverProcessItCameThrough) {
  PutPopularityLive("m1");
  Start();
  EXPECT_TRUE(Recommended("bob").contains("Artist C"));
  auto other = *store::OpenSqliteCatalog(folder_.catalog());
  ASSERT_TRUE(store::BlockArtist(other->documents(), "bob", {"artist c", "Artist C", 5}).ok());
  EXPECT_FALSE(Recommended("bob").contains("Artist C"));
  server_.reset();
  Start();
  EXPECT_FALSE(Recommended("bob").contains("Artist C"));
  for (const char* name : {"AC%2FDC", "%E2%99%AB", "Sigur%20R%C3%B3s"}) {
    EXPECT_EQ(Ask("PUT", "/v1/listeners/bob/blocked-artists/" + std::string(name)).Json()["in_catalogue"], false) << name;
  }
  EXPECT_EQ(Get("/v1/listeners/bob/blocked-artists")["items"].size(), 4u);
}

TEST_F(Blocked, ItIsPartOfHisExportAndGoesWithHim) {
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Ask("PUT", "/v1/listeners/bob/blocked-artists/Artist%20B").status, 200);
  ASSERT_EQ(Ask("PUT", "/v1/listeners/bob:/blocked-artists/Artist%20B").status, 200);
  const std::string text = Ask("GET", "/v1/listeners/bob/export").body;
  EXPECT_NE(text.find(R"("artist":"Artist B")"), std::string::npos) << text;
  EXPECT_NE(text.find(R"("type":"blocked_artist")"), std::string::npos) << text;
  ASSERT_EQ(Ask("DELETE", "/v1/listeners/bob").status, 200);
  EXPECT_EQ(Ask("GET", "/v1/listeners/bob/export").body.find("blocked_artist"), std::string::npos);
  EXPECT_TRUE(Get("/v1/listeners/bob/blocked-artists")["items"].empty());
  EXPECT_EQ(Get("/v1/listeners/bob:/blocked-artists")["items"].size(), 1u) << "another's stays";
}

TEST_F(Blocked, OnlyWhoMayListenForHimMayBlock) {
  PutPopularityLive("m1");
  const auto token = [&](const char* name, store::Role role, const char* listener) {
    const auto made = *store::MakeToken(name, role, listener, false, std::string("secret-") + name, 1);
    EXPECT_TRUE(catalog_->access().AddToken(made).ok());
    return "Authorization: Bearer secret-" + std::string(name) + "\r\n";
  };
  const std::string read = token("read", store::Role::kRead, ""), bobs = token("bobs", store::Role::kListen, "bob"),
                    cids = token("cids", store::Role::kListen, "cid");
  settings_.token = "secret-admin";
  Start();
  const auto status = [&](const std::string& headers, const char* method, const std::string& target, const std::string& body = "") {
    return Ask(method, target, body, headers).status;
  };
  const std::string block = "/v1/listeners/bob/blocked-artists/x";
  EXPECT_EQ(status("", "PUT", block), 401);
  EXPECT_EQ(status(read, "PUT", block), 403);
  EXPECT_EQ(status(cids, "PUT", block), 403);
  EXPECT_EQ(status(cids, "DELETE", block), 403);
  EXPECT_EQ(status(bobs, "PUT", block), 200);
  EXPECT_EQ(status(read, "GET", "/v1/listeners/bob/blocked-artists"), 200);
  EXPECT_EQ(status(cids, "GET", "/v1/listeners/bob/blocked-artists"), 403);
  const std::string together = R"({"listeners":["bob","cid"]})";
  EXPECT_EQ(status(read, "POST", "/v1/groups/recommendations", together), 200);
  EXPECT_EQ(status(bobs, "POST", "/v1/groups/recommendations", together), 403) << "cid's taste is not his";
  EXPECT_EQ(status(bobs, "POST", "/v1/sessions/recommendations", R"({"tracks":[]})"), 200);
  EXPECT_EQ(status("", "POST", "/v1/sessions/recommendations", R"({"tracks":[]})"), 401);
  EXPECT_EQ(status(bobs, "GET", "/v1/tracks/" + ids_[0] + "/radio?listener=bob"), 200);
  EXPECT_EQ(status(bobs, "GET", "/v1/tracks/" + ids_[0] + "/radio?listener=cid"), 403);
}

}  // namespace
}  // namespace segue::serve
