#include "serve/radio.h"

#include <set>

#include "serve/testing.h"

namespace segue::serve {
namespace {

class Radios : public Serving {
 protected:
  json Mixed(const json& body, int status = 200) const {
    const Answer answer = Ask("POST", "/v1/radio", body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.Json();
  }
};

TEST_F(Radios, BeginsNearTheSeedAndEndsWhenAllWasPlayedOnceEach) {
  PutIalsLive("m1");
  Start();
  const json answer = Get("/v1/tracks/" + ids_[5] + "/radio?n=30");
  const auto walk = IdsIn(answer);
  EXPECT_EQ(walk.size(), 29u) << "all but the seed";
  EXPECT_EQ(std::set<std::string>(walk.begin(), walk.end()).size(), 29u);
  EXPECT_TRUE(answer["next"].is_null());
  EXPECT_TRUE(answer["list_id"].is_null()) << "nobody was shown it";
  EXPECT_TRUE(answer["items"][0]["reason"].get<std::string>().starts_with("like "));
  // Of the hundred nearest (here all) the nearest are the likeliest: 11, 17, 23 and 29 are alike.
  const std::set<std::string> alike = {ids_[11], ids_[17], ids_[23], ids_[29]};
  int early = 0;
  for (int seed = 0; seed < 40; ++seed) {
    const auto one = IdsIn(Get("/v1/tracks/" + ids_[5] + "/radio?n=1&seed=" + std::to_string(seed)));
    early += alike.contains(one.at(0));
  }
  EXPECT_GE(early, 5) << "4 of 29 by chance, a quarter by their weights";
}

TEST_F(Radios, NoArtistComesTwiceInARowWhileAnotherIsLeft) {
  for (const bool knows_likeness : {true, false}) {
    knows_likeness ? PutIalsLive("m1") : PutPopularityLive("m2");
    if (server_ == nullptr) Start();
    WaitForModel(knows_likeness ? "m1" : "m2");
    for (int seed = 0; seed < 10; ++seed) {
      const json items = Get("/v1/tracks/" + ids_[5] + "/radio?n=24&seed=" + std::to_string(seed))["items"];
      ASSERT_EQ(items.size(), 24u);
      for (size_t i = 1; i < items.size(); ++i) EXPECT_NE(items[i]["artist"], items[i - 1]["artist"]) << seed << " " << i;
    }
  }
}

TEST_F(Radios, TheSameSeedIsTheSameWalkAndPagesGoOnWithIt) {
  PutIalsLive("m1");
  Start();
  const std::string address = "/v1/tracks/" + ids_[5] + "/radio?seed=7&n=";
  const auto whole = IdsIn(Get(address + "28"));
  EXPECT_EQ(IdsIn(Get(address + "28")), whole);
  std::vector<std::string> pages;
  for (int offset = 0; offset < 28; offset += 7) {
    const json page = Get(address + "7&offset=" + std::to_string(offset));
    EXPECT_EQ(page["next"], offset + 7);
    for (const auto& id : IdsIn(page)) pages.push_back(id);
  }
  EXPECT_EQ(pages, whole);
  EXPECT_NE(IdsIn(Get("/v1/tracks/" + ids_[5] + "/radio?seed=8&n=28")), whole);
}

TEST_F(Radios, RespectsDislikesAndTheFilterAndLeavesAnImpression) {
  PutIalsLive("m1");
  Start();
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", ids_[11]}, {"kind", "dislike"}}, {{"listener", "bob"}, {"track_id", ids_[12]}, {"kind", "play"}}}), 200);
  const json answer = Mixed({{"tracks", {ids_[5], ids_[6]}}, {"artists", {"artist a"}}, {"listener", "bob"}, {"n", 30}, {"artist_not", "Artist B"}});
  const auto walk = IdsIn(answer);
  EXPECT_FALSE(Has(walk, ids_[11]) || Has(walk, ids_[5]) || Has(walk, ids_[6]));
  EXPECT_TRUE(Has(walk, ids_[12])) << "what was heard may come again";
  for (const json& item : answer["items"]) EXPECT_NE(item["artist"], "Artist B");
  EXPECT_EQ(answer["seeds"].size(), 3u);
  EXPECT_FALSE(Has(IdsIn(Mixed({{"tracks", {ids_[5]}}, {"listener", "bob"}, {"n", 30}, {"mode", "discovery"}})), ids_[12]));
  Get("/v1/online");
  const auto shown = *catalog_->FindImpression(answer["list_id"].get<std::string>());
  ASSERT_TRUE(shown);
  EXPECT_EQ(shown->listener, "bob");
  EXPECT_EQ(shown->mode, "radio");
  EXPECT_EQ(shown->tracks, walk);
}

TEST_F(Radios, BadSeedsAreNamed) {
  PutIalsLive("m1");
  Start();
  Get("/v1/tracks/t-nobody/radio", 404);
  Get("/v1/tracks/" + ids_[0] + "/radio?seed=x", 400);
  const std::vector<std::pair<json, std::string>> cases = {{json::object(), "tracks (ids), artists or tags"},
                                                           {{{"tracks", {"t-nobody"}}}, "t-nobody"},
                                                           {{{"artists", {"Nobody"}}}, "'Nobody'"},
                                                           {{{"tags", {"polka"}}}, "'polka'"},
                                                           {{{"tracks", "t"}}, "tracks"},
                                                           {{{"tracks", {ids_[0]}}, {"seed", -1}}, "seed"},
                                                           {{{"tracks", {ids_[0]}}, {"diversity", 0.5}}, "diversity"},
                                                           {{{"tracks", {ids_[0]}}, {"offset", 1001}}, "offset"}};
  for (const auto& [body, word] : cases) {
    const std::string detail = Mixed(body, 400)["detail"];
    EXPECT_NE(detail.find(word), std::string::npos) << detail;
  }
}

}  // namespace
}  // namespace segue::serve
