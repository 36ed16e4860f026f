#include <set>

#include "core/arm.h"
#include "serve/lists.h"
#include "serve/testing.h"
#include "store/blocked_artists.h"

namespace segue::serve {
namespace {

class Delivery : public Serving {
 protected:
  json Recommended(const std::string& listener) const { return Get("/v1/listeners/" + listener + "/recommendations?n=5"); }
  Context context() { return {*bucket_, *catalog_, clock_, settings_, instruments_, folder_}; }
  /// Waits until the server knows of the trial (or of none).
  void WaitForTrial(const std::string& challenger) const {
    ASSERT_TRUE(Until([&] {
      const json status = Get("/v1/status");
      return challenger.empty() ? status["challenger"].is_null() : status["challenger"].is_object() && status["challenger"]["model_id"] == challenger;
    })) << challenger;
  }
};

TEST_F(Delivery, EveryListIsToldOfWithItsListenerModelTracksAndLineage) {
  PutPopularityLive("m1");
  Start();
  const json list = Recommended("ann");
  const json again = Recommended("ann");
  const json told = Get("/v1/lists/" + list["list_id"].get<std::string>());
  EXPECT_EQ(told["listener"], "ann");
  EXPECT_EQ(told["model_id"], "m1");
  EXPECT_EQ(told["arm"], "live");
  EXPECT_EQ(told["mode"], "discovery");
  ASSERT_EQ(told["items"].size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_EQ(told["items"][i]["track_id"], list["items"][i]["track_id"]);
    EXPECT_EQ(told["items"][i]["title"], list["items"][i]["title"]);
  }
  EXPECT_EQ(told["lineage"]["dataset"]["dataset_id"], "d1");
  EXPECT_EQ(Get("/v1/lists/" + again["list_id"].get<std::string>())["listener"], "ann") << "a list that was kept is shown again";
  Get("/v1/lists/0123456789abcdef", 404);
  EXPECT_EQ(catalog_->ImpressionsAfter(0, 100)->size(), 2U);
}

TEST_F(Delivery, AnEmptyAnswerWithoutAModelIsNoImpression) {
  Start();
  Recommended("ann");
  Get("/v1/online");
  EXPECT_TRUE(catalog_->ImpressionsAfter(0, 100)->empty());
}

TEST_F(Delivery, ACanaryIsShownToItsListenersAloneAndToTheSameOnes) {
  PutPopularityLive("m1");
  Put("m2", Popularity({ids_.begin(), ids_.begin() + 20}));
  StartTrial("canary", "m2", 0.4);
  Start();
  WaitForTrial("m2");
  int in_canary = 0;
  for (int i = 0; i < 60; ++i) {
    const std::string listener = "listener-" + std::to_string(i);
    const bool canary = CanaryPlace("m2", listener) < 0.4;
    in_canary += canary;
    for (int turn = 0; turn < 2; ++turn) EXPECT_EQ(Recommended(listener)["model_id"], canary ? "m2" : "m1") << listener;
  }
  EXPECT_TRUE(in_canary > 10 && in_canary < 40) << in_canary;
  Get("/v1/online");
  int canary_lists = 0;
  for (const auto& shown : *catalog_->ImpressionsAfter(0, 1000)) canary_lists += shown.arm == "canary" && shown.model_id == "m2";
  EXPECT_EQ(canary_lists, 2 * in_canary);
  ASSERT_TRUE(catalog_->Deploy({.action = "withdraw", .from_model = "m2", .to_model = "m1"}).ok());
  WaitForTrial("");
  for (int i = 0; i < 20; ++i) EXPECT_EQ(Recommended("listener-" + std::to_string(i))["model_id"], "m1");
}

TEST_F(Delivery, FeedbackCountsForBothModelsAtOnceAndTheDatasetIsThereOnce) {
  PutPopularityLive("m1");
  Put("m2", Popularity(ids_));
  StartTrial("canary", "m2", 0.5);
  const Context where = context();
  Live live(where);
  const auto models = live.Models();
  ASSERT_NE(models->challenger, nullptr);
  EXPECT_EQ(models->challenger->ground(), models->live->ground());
  const std::vector<store::FeedbackEvent> events = {{.listener = "ann", .track_id = ids_[7], .kind = "dislike", .at = 1'700'000'000}};
  ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  ASSERT_TRUE(live.CatchUp().ok());
  EXPECT_TRUE(models->challenger->Listener("ann").disliked.contains(ids_[7]));
  EXPECT_TRUE(models->live->Listener("ann").disliked.contains(ids_[7]));
}

TEST_F(Delivery, AShadowIsAskedAndNotShown) {
  PutPopularityLive("m1");
  Put("m2", Popularity({ids_.begin(), ids_.begin() + 20}));
  StartTrial("shadow", "m2", 1);
  const Context where = context();
  Live live(where);
  Lists lists(where, live);
  const GivenList given = *lists.Give("bob", Wish{.n = 3});
  EXPECT_EQ(given.list->tracks, (std::vector<std::string>{ids_[29], ids_[28], ids_[27]}));
  lists.Flush();
  const auto shown = *catalog_->FindImpression(given.list_id);
  const auto shadow = *catalog_->FindImpression(given.list_id + "-shadow");
  ASSERT_TRUE(shown && shadow);
  EXPECT_EQ(shown->arm, "live");
  EXPECT_EQ(shadow->arm, "shadow");
  EXPECT_EQ(shadow->model_id, "m2");
  EXPECT_EQ(shadow->listener, "bob");
  EXPECT_EQ(shadow->tracks, (std::vector<std::string>{ids_[19], ids_[18], ids_[17]}));
  EXPECT_GT(shadow->made_us, 0);
  ASSERT_TRUE(lists.Give("bob", Wish{.n = 3}).ok());
  lists.Flush();
  const auto all = *catalog_->ImpressionsAfter(0, 10);
  ASSERT_EQ(all.size(), 4U);
  int kept = 0;
  for (const auto& list : all) kept += list.made_us == 0;
  EXPECT_EQ(kept, 1) << "the second time the live list was kept; the shadow's is made each time, so that it can be timed";
}

TEST_F(Delivery, AShadowIsGivenTheWholeWish) {
  PutPopularityLive("m1");
  Put("m2", Popularity({ids_.begin(), ids_.begin() + 20}));
  StartTrial("shadow", "m2", 1.0);
  const Context where = context();
  Live live(where);
  Lists lists(where, live);
  ASSERT_TRUE(store::BlockArtist(catalog_->documents(), "bob", {"artist b", "Artist B", 1}).ok());
  const Wish wish{.n = 4, .offset = 2, .filter = {.artists_not = {"artist a"}}};
  const GivenList given = *lists.Give("bob", wish);
  lists.Flush();
  const auto shown = *catalog_->FindImpression(given.list_id), shadow = *catalog_->FindImpression(given.list_id + "-shadow");
  ASSERT_TRUE(shown && shadow);
  std::set<std::string> out;
  for (int k = 0; k < 30; ++k) {
    if (k % 10 < 2) out.insert(IdOf(k));  // by Artist A or Artist B
  }
  const auto expected = [&](size_t known) {  // the most popular are the last
    std::vector<std::string> ids;
    for (size_t i = known; i-- > 0;) {
      if (!out.contains(ids_[i])) ids.push_back(ids_[i]);
    }
    return std::vector<std::string>(ids.begin() + 2, ids.begin() + 6);
  };
  EXPECT_EQ(shown->tracks, expected(30));
  EXPECT_EQ(shadow->tracks, expected(20));
}

TEST_F(Delivery, AListenersRadioIsOfHisArm) {
  PutPopularityLive("m1");
  Put("m2", Popularity(ids_));
  StartTrial("canary", "m2", 0.5);
  Start();
  WaitForTrial("m2");
  std::set<std::string> arms;
  for (int i = 0; i < 20; ++i) {
    const std::string listener = "listener-" + std::to_string(i);
    const json radio = Get("/v1/tracks/" + ids_[0] + "/radio?n=2&listener=" + listener);
    const bool canary = CanaryPlace("m2", listener) < 0.5;
    EXPECT_EQ(radio["model_id"], canary ? "m2" : "m1");
    Get("/v1/online");
    const auto shown = *catalog_->FindImpression(radio["list_id"].get<std::string>());
    ASSERT_TRUE(shown);
    EXPECT_EQ(shown->arm, canary ? "canary" : "live");
    arms.insert(shown->arm);
  }
  EXPECT_EQ(arms.size(), 2U);
  EXPECT_EQ(Get("/v1/tracks/" + ids_[0] + "/radio")["model_id"], "m1") << "nobody's";
}

TEST_F(Delivery, AChallengerThatCannotBeLoadedIsAnAlarmAndNobodyNotices) {
  PutPopularityLive("m1");
  ASSERT_TRUE(catalog_->PutModel({.model_id = "broken", .algorithm = "popularity"}).ok());
  ASSERT_TRUE(bucket_->Put(store::ModelKey("broken", "model.segue"), "rubbish").ok());
  StartTrial("canary", "broken", 0.999);
  Start();
  for (int i = 0; i < 10; ++i) EXPECT_EQ(Recommended("listener-" + std::to_string(i))["model_id"], "m1");
  const auto alarms = *catalog_->Alarms(10);
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].severity, "critical");
  EXPECT_NE(alarms[0].message.find("broken"), std::string::npos);
}

TEST_F(Delivery, OnlineFiguresComeFromImpressionsAndFeedback) {
  settings_.impressions.window_s = 1;
  PutPopularityLive("m1");
  Start();
  const json liked = Recommended("ann"), ignored = Recommended("bob");
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", liked["items"][0]["track_id"]}, {"kind", "like"}, {"list_id", liked["list_id"]}}}), 200);
  ASSERT_TRUE(Until([&] { return Get("/v1/online")["arms"][0]["judged"] == 2; }));
  const json arm = Get("/v1/online")["arms"][0];
  EXPECT_EQ(arm["model_id"], "m1");
  EXPECT_EQ(arm["lists"], 2);
  EXPECT_EQ(arm["listeners"], 2);
  EXPECT_EQ(arm["hit_rate"], 0.5);
  EXPECT_EQ(arm["like_rate"], 0.5);
  EXPECT_EQ(arm["dislike_rate"], 0.0);
  EXPECT_GT(arm["coverage"], 0.1);
  Get("/v1/online?days=0", 400);
}

TEST_F(Delivery, ModelsAreCalledByTheirNamesEverywhere) {
  PutPopularityLive("m1");
  PutPopularityLive("m2");
  Start();
  EXPECT_EQ(Get("/v1/models/live")["model_id"], "m2");
  EXPECT_EQ(Get("/v1/models/previous")["model_id"], "m1");
  Get("/v1/models/challenger", 404);
  EXPECT_EQ(Ask("PUT", "/v1/models/aliases/stable", R"({"model_id":"previous"})").status, 200);
  EXPECT_EQ(Get("/v1/models/stable")["model_id"], "m1");
  EXPECT_EQ(Get("/v1/models/stable/lineage")["dataset"]["dataset_id"], "d1");
  EXPECT_EQ(Get("/v1/models/m1")["aliases"], json::array({"previous", "stable"}));
  EXPECT_EQ(Get("/v1/models/aliases")["items"].size(), 3U);
  EXPECT_EQ(Ask("PUT", "/v1/models/aliases/live", R"({"model_id":"m1"})").status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/models/aliases/other", R"({"model_id":"nobody"})").status, 404);
  EXPECT_EQ(Ask("PUT", "/v1/models/aliases/other", R"({"model":"m1"})").status, 400);
  EXPECT_EQ(Ask("DELETE", "/v1/models/aliases/stable").status, 200);
  EXPECT_EQ(Ask("DELETE", "/v1/models/aliases/stable").status, 404);
  Get("/v1/models/stable", 404);
  EXPECT_EQ(Ask("PUT", "/v1/models/live", "{}").status, 405);
}

TEST_F(Delivery, TheTrialThatIsGoingOnIsTold) {
  PutPopularityLive("m1");
  Put("m2", Popularity(ids_));
  Start();
  EXPECT_TRUE(Get("/v1/delivery")["trial"].is_null());
  StartTrial("canary", "m2", 0.25);
  const json trial = Get("/v1/delivery")["trial"];
  EXPECT_EQ(trial["mode"], "canary");
  EXPECT_EQ(trial["challenger"], "m2");
  EXPECT_EQ(trial["live"], "m1");
  EXPECT_EQ(trial["share"], 0.25);
  EXPECT_TRUE(trial["look"].is_null());
}

TEST_F(Delivery, ManyImpressionsAreAllWrittenInTheirOrder) {
  const Context where = context();
  ImpressionLog log(where);
  for (int i = 0; i < 5'000; ++i) {
    ASSERT_TRUE(log.Add({.list_id = "l" + std::to_string(i), .listener = "ann", .model_id = "m1", .arm = "live", .mode = "next", .tracks = {"t1"}}));
  }
  log.Flush();
  EXPECT_EQ(log.written(), 5'000U);
  EXPECT_EQ(log.dropped(), 0U);
  EXPECT_EQ(*catalog_->LastImpressionSeq(), 5'000);
  EXPECT_EQ((*catalog_->ImpressionsAfter(4'999, 1)).front().list_id, "l4999") << "in the order of showing";
}

}  // namespace
}  // namespace segue::serve
