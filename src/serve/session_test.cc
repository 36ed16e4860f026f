#include <set>

#include "serve/testing.h"

namespace segue::serve {
namespace {

class Sessions : public Serving {
 protected:
  json Ask(const json& body, int status = 200) const {
    const Answer answer = Serving::Ask("POST", "/v1/sessions/recommendations", body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.Json();
  }
};

TEST_F(Sessions, RecommendsByWhatWasJustPlayedAndTellsWhatItDoesNotKnow) {
  PutIalsLive("m1");
  Start();
  const json track = Get("/v1/tracks/" + ids_[5]);
  const json list = Ask({{"tracks", {{{"artist", "Nobody"}, {"title", "Ever"}}, {{"artist", track["artist"]}, {"title", track["title"]}}}}, {"n", 4}});
  EXPECT_TRUE(list["fallback"].is_null());
  EXPECT_EQ(list["unknown"], json::array({{{"artist", "Nobody"}, {"title", "Ever"}, {"index", 0}}}));
  const std::set<std::string> alike = {ids_[11], ids_[17], ids_[23], ids_[29]};
  ASSERT_EQ(list["items"].size(), 4u);
  for (const json& item : list["items"]) EXPECT_TRUE(alike.contains(item["track_id"]));
  EXPECT_EQ(Ask({{"tracks", {{{"track_id", ids_[5]}}}}, {"n", 30}})["items"].size(), 29u);
  EXPECT_EQ(Ask({{"tracks", {{{"track_id", ids_[5]}}}}, {"n", 30}, {"mode", "next"}})["items"].size(), 30u);
  const json next = Ask({{"tracks", {{{"track_id", ids_[5]}}, {{"track_id", ids_[11]}, {"kind", "dislike"}}}}, {"n", 30}, {"mode", "next"}});
  EXPECT_EQ(next["items"].size(), 29u) << "what is disliked never shows";
  EXPECT_FALSE(Ask({{"tracks", json::array()}})["fallback"].is_null());
}

TEST_F(Sessions, TakesTheWishesOfEveryList) {
  PutIalsLive("m1");
  Start();
  const json body = {{"tracks", {{{"track_id", ids_[5]}}}}, {"n", 5}, {"offset", 2}, {"artist_not", {"Artist A", "Artist B"}}, {"explain", false}};
  const json list = Ask(body);
  EXPECT_EQ(list["items"].size(), 5u);
  EXPECT_EQ(list["next"], 7);
  for (const json& item : list["items"]) {
    EXPECT_FALSE(item.contains("reason"));
    EXPECT_TRUE(item["artist"] != "Artist A" && item["artist"] != "Artist B");
  }
}

TEST_F(Sessions, LeavesNothingBehind) {
  PutPopularityLive("m1");
  Start();
  EXPECT_TRUE(Ask({{"tracks", {{{"track_id", ids_[5]}}}}})["list_id"].is_null());
  Get("/v1/online");
  EXPECT_TRUE(catalog_->ImpressionsAfter(0, 10)->empty());
  EXPECT_EQ(*catalog_->LastEventSeq(), 0);
}

TEST_F(Sessions, BadBodiesNameWhatIsWrong) {
  PutPopularityLive("m1");
  Start();
  const std::vector<std::pair<json, std::string>> cases = {{json::object(), "tracks"},
                                                           {{{"tracks", "t"}}, "tracks"},
                                                           {{{"tracks", {"t"}}}, "tracks[0]"},
                                                           {{{"tracks", {json::object()}}}, "names no track"},
                                                           {{{"tracks", {{{"track_id", 5}}}}}, "tracks[0].track_id"},
                                                           {{{"tracks", {{{"track_id", ids_[0]}, {"kind", "rating"}}}}}, "kind"},
                                                           {{{"tracks", json::array()}, {"n", 0}}, "'n' is '0'"},
                                                           {{{"tracks", json::array()}, {"format", "mp3"}}, "mp3"},
                                                           {{{"tracks", json::array()}, {"listener", "bob"}}, "'listener'"}};
  for (const auto& [body, word] : cases) {
    const std::string detail = Ask(body, 400)["detail"];
    EXPECT_NE(detail.find(word), std::string::npos) << detail;
  }
}

}  // namespace
}  // namespace segue::serve
