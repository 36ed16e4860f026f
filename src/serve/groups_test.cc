#include "serve/groups.h"

#include <algorithm>

#include "core/random.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

TEST(Together, IsMeanLeastOrMostOfWhatEachWantsOnOneScale) {
  Random random(3);
  for (int turn = 0; turn < 20; ++turn) {
    const size_t tracks = 20, listeners = 1 + random.Below(4);
    std::vector<std::vector<float>> scores(listeners, std::vector<float>(tracks));
    std::vector<uint8_t> exclude(tracks);
    for (auto& own : scores) {
      for (float& score : own) score = random.Below(10) == 0 ? models::kNever : static_cast<float>(random.Below(9)) - 4;
    }
    for (uint8_t& out : exclude) out = random.Below(4) == 0;
    auto wanted = scores;
    BringToOneScale(wanted, exclude);
    for (const Strategy strategy : {Strategy::kAverage, Strategy::kLeastMisery, Strategy::kMostPleasure}) {
      const auto together = Together(wanted, strategy);
      for (size_t t = 0; t < tracks; ++t) {
        const auto shown = [&](size_t i) {
          return exclude[i] == 0 && std::all_of(scores.begin(), scores.end(), [&](const auto& own) { return own[i] != models::kNever; });
        };
        if (!shown(t)) {
          EXPECT_EQ(together[t], models::kNever);
          continue;
        }
        double sum = 0, least = 2, most = -1;
        for (const auto& own : scores) {
          double low = 1e9, high = -1e9;
          for (size_t i = 0; i < tracks; ++i) {
            if (!shown(i)) continue;
            low = std::min(low, static_cast<double>(own[i]));
            high = std::max(high, static_cast<double>(own[i]));
          }
          const double u = high > low ? (static_cast<double>(own[t]) - low) / (high - low) : 0;
          sum += u;
          least = std::min(least, u);
          most = std::max(most, u);
        }
        const double expected = strategy == Strategy::kAverage ? sum / static_cast<double>(listeners) : strategy == Strategy::kLeastMisery ? least : most;
        EXPECT_NEAR(together[t], expected, 1e-6) << Name(strategy) << " " << t;
      }
    }
  }
}

class GroupLists : public Serving {
 protected:
  json Together(const json& body, int status = 200) const {
    const Answer answer = Ask("POST", "/v1/groups/recommendations", body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.Json();
  }
  void Like(const std::string& listener, const std::string& id, const char* kind = "like") const {
    ASSERT_EQ(Post({{{"listener", listener}, {"track_id", id}, {"kind", kind}}}), 200);
  }
};

TEST_F(GroupLists, BothTastesAreInTheMeanAndNobodyIsHurtByWhatIsDislikedOrBlocked) {
  PutIalsLive("m1");
  Start();
  Like("bob", ids_[0]);   // tracks 0, 6, 12, ... are alike
  Like("cid", ids_[1]);   // 1, 7, 13, ...
  const auto both = IdsIn(Together({{"listeners", {"bob", "cid"}}, {"n", 8}}));
  ASSERT_EQ(both.size(), 8u);
  const std::set<std::string> got(both.begin(), both.end());
  for (const int i : {6, 12, 18, 24, 7, 13, 19, 25}) EXPECT_TRUE(got.contains(ids_[static_cast<size_t>(i)])) << i;
  Like("cid", ids_[6], "dislike");
  for (const char* strategy : {"average", "least_misery", "most_pleasure"}) {
    for (const char* mode : {"discovery", "next"}) {
      const auto list = IdsIn(Together({{"listeners", {"bob", "cid"}}, {"strategy", strategy}, {"mode", mode}, {"n", 30}}));
      EXPECT_FALSE(Has(list, ids_[6])) << strategy << mode;
      EXPECT_EQ(Has(list, ids_[0]), std::string(mode) == "next") << "discovery is new to all of them";
    }
  }
  const std::string artist = Get("/v1/tracks/" + ids_[12])["artist"];
  std::string address = "/v1/listeners/bob/blocked-artists/" + artist;
  address.replace(address.rfind(' '), 1, "%20");
  ASSERT_EQ(Ask("PUT", address).status, 200);
  const json list = Together({{"listeners", {"cid", "bob"}}, {"n", 30}});
  EXPECT_FALSE(list["items"].empty());
  for (const json& item : list["items"]) EXPECT_NE(item["artist"], artist);
}

TEST_F(GroupLists, SaysOfWhomNothingIsKnown) {
  PutIalsLive("m1");
  Start();
  Like("bob", ids_[0]);
  EXPECT_EQ(Together({{"listeners", {"bob", "dora"}}})["fallback"], "nothing is known of dora yet: there, what is popular counts");
  EXPECT_EQ(Together({{"listeners", {"eve", "dora"}}})["fallback"], "nothing is known of eve, dora yet: this is what is popular");
  EXPECT_TRUE(Together({{"listeners", {"bob", "ann"}}})["fallback"].is_null());
  const std::string reason = Together({{"listeners", {"bob", "dora"}}, {"n", 1}})["items"][0]["reason"];
  EXPECT_TRUE(reason.starts_with("because bob played ")) << reason;
}

TEST_F(GroupLists, EachHasAnImpressionOfTheListAndALikeIsCredited) {
  PutPopularityLive("m1");
  Start();
  const json list = Together({{"listeners", {"bob", "cid", "bob"}}, {"n", 3}});
  EXPECT_EQ(list["listeners"], json({"bob", "cid"})) << "each once";
  ASSERT_EQ(Post({{{"listener", "cid"}, {"track_id", list["items"][0]["track_id"]}, {"kind", "like"}, {"list_id", list["list_id"]}}}), 200);
  Get("/v1/online");
  const auto shown = *catalog_->ImpressionsAfter(0, 10);
  ASSERT_EQ(shown.size(), 2u);
  for (const auto& one : shown) EXPECT_EQ(one.list_id, list["list_id"].get<std::string>());
  EXPECT_EQ(shown[0].listener, "bob");
  EXPECT_EQ(shown[1].listener, "cid");
}

TEST_F(GroupLists, BadBodiesNameWhatIsWrong) {
  PutPopularityLive("m1");
  Start();
  const std::vector<std::pair<json, std::string>> cases = {{{{"n", 3}}, "listeners"},
                                                           {{{"listeners", json::array()}}, "listeners"},
                                                           {{{"listeners", "bob"}}, "listeners"},
                                                           {{{"listeners", {1}}}, "listeners"},
                                                           {{{"listeners", {"bob"}}, {"strategy", "majority"}}, "least_misery"},
                                                           {{{"listeners", {"bob"}}, {"enrgy_min", 1}}, "enrgy_min"}};
  for (const auto& [body, word] : cases) {
    const json problem = Together(body, 400);
    EXPECT_NE(problem["detail"].get<std::string>().find(word), std::string::npos) << problem;
  }
}

}  // namespace
}  // namespace segue::serve
