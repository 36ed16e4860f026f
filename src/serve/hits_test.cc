#include "serve/hits.h"

#include "math/kernels/kernels.h"
#include "models/calibrated_classifier.h"
#include "models/logistic_classifier.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

/// Thirty tracks, of which numbers 0 to 9 dance little and 10 to 19 much; the
/// rest sounds like nothing that is known. 0 and 10 are labelled, as hits.
class ServingHits : public Serving {
 protected:
  void WriteSounds(const std::string& dataset_id) {
    auto fill = Rows();
    std::string set = "duration_ms=200000";
    for (const std::string_view feature : kAudioFeatures) set += ",\"" + std::string(feature) + "\"=0.5";
    for (int k = 0; k < 20; ++k) {
      const std::string where = " WHERE track_id=" + store::Quoted(IdOf(k));
      fill.push_back("UPDATE t SET " + set + where);
      fill.push_back(std::string("UPDATE t SET danceability=") + (k < 10 ? "0.1" : "0.9") + where);
    }
    fill.push_back("UPDATE t SET hit=1 WHERE track_id IN (" + store::Quoted(IdOf(0)) + "," + store::Quoted(IdOf(10)) + ")");
    fill.push_back("UPDATE t SET tempo=NULL WHERE track_id=" + store::Quoted(IdOf(12)));
    WriteDataset(dataset_id, fill);
  }

  /// P(hit) = 1 / (1 + exp(-weight · (danceability - 0.5))).
  void PutHitsLive(const std::string& model_id, float weight, const std::vector<std::string>& labels = {"0", "1"}) {
    models::LogisticClassifier::Parts parts;
    parts.features.assign(kAudioFeatures.begin(), kAudioFeatures.end());
    parts.features.emplace_back("duration_ms");
    parts.labels = labels;
    parts.design.columns = {{.kind = models::ColumnKind::kLinear, .first = 0, .offset = 0.5f, .scale = 1}};
    parts.design.knots_begin.assign(parts.features.size() + 1, 0);
    const size_t classes = math::PaddedTo(labels.size());
    parts.weights.assign(parts.design.stride() * classes, 0);
    parts.weights[1] = weight;
    parts.bias.assign(classes, 0);
    models::FeatureRanges ranges(parts.features.size(), {0, 0, 0.5f, 1, 1});
    ranges.back() = {60'000, 60'000, 200'000, 600'000, 600'000};
    const auto model = models::CalibratedClassifier::Make({models::LogisticClassifier::Make(std::move(parts)), models::Calibration::kNone, {}, std::move(ranges)});
    const fs::path file = bucket_->ScratchFolder() / model_id;
    ASSERT_TRUE(model->Save(file).ok());
    ASSERT_TRUE(bucket_->PutFile(store::ModelKey(model_id, "model.segue"), file).ok());
    Promote(model_id);
  }
  void Promote(const std::string& model_id) {
    ASSERT_TRUE(catalog_->PutModel({.model_id = model_id, .algorithm = "logistic", .dataset_id = "d1", .kind = ModelKind::kHits}).ok());
    const auto live = *catalog_->Live(ModelKind::kHits);
    ASSERT_TRUE(catalog_->Deploy({.at = 1, .action = "promote", .from_model = live ? live->to_model : "", .to_model = model_id, .kind = ModelKind::kHits}).ok());
  }
  void WaitForHits(const std::string& model_id) const {
    ASSERT_TRUE(Until([&] { return Get("/v1/status")["hits"]["model_id"] == model_id; })) << model_id;
  }
  json Song(double danceability) const {
    json song = {{"duration_ms", 180'000}};
    for (const std::string_view feature : kAudioFeatures) song[std::string(feature)] = 0.5;
    song["danceability"] = danceability;
    return song;
  }
  std::string Problem(const json& body, int status = 400) const {
    const Answer answer = Ask("POST", "/v1/hits/predict", body.dump());
    EXPECT_EQ(answer.status, status) << answer.body;
    return answer.Json().value("detail", "");
  }
};

TEST_F(ServingHits, WithoutAModelOfHitsLabelsCountAndPredictionsAreAConflict) {
  WriteSounds("d2");
  PutPopularityLive("m1");
  Start();
  EXPECT_TRUE(Get("/v1/status")["hits"].is_null());
  EXPECT_NE(Get("/v1/tracks/" + IdOf(3) + "/hit", 409)["detail"].get<std::string>().find("hits.min_songs"), std::string::npos);
  Problem({{"features", Song(0.5)}}, 409);
  const json all = Get("/v1/hits");
  EXPECT_TRUE(all["model_id"].is_null());
  EXPECT_EQ(all["hits"]["labelled"], 2);
  EXPECT_EQ(all["unknown"]["tracks"], 28);
}

TEST_F(ServingHits, ATracksProbabilityComesWithItsLabelAndWhatIsMissing) {
  WriteSounds("d2");
  PutPopularityLive("m1");
  PutHitsLive("h1", 10);
  Start();
  const json low = Get("/v1/tracks/" + IdOf(3) + "/hit"), labelled = Get("/v1/tracks/" + IdOf(10) + "/hit");
  EXPECT_NEAR(low["probability"], 1 / (1 + std::exp(4.0)), 1e-5);
  EXPECT_EQ(low["model_id"], "h1");
  EXPECT_EQ(low["track"], IdOf(3));
  EXPECT_FALSE(low.contains("known_label"));
  EXPECT_FALSE(low.contains("missing_features"));
  EXPECT_EQ(labelled["known_label"], true);
  EXPECT_EQ(Get("/v1/tracks/" + IdOf(12) + "/hit")["missing_features"], json::array({"tempo"}));
  Get("/v1/tracks/t0/hit", 404);
  const std::string why = Get("/v1/tracks/" + IdOf(25) + "/hit", 409)["detail"];
  EXPECT_NE(why.find("danceability, energy"), std::string::npos) << why;
  // The track's older id is good too, as everywhere.
  Get("/v1/tracks/" + std::string(kOldId) + "/hit", 409);
}

TEST_F(ServingHits, FeaturesThatAreSentArePredictedWithWarnings) {
  PutHitsLive("h1", 10);
  Start();
  const json one = Ask("POST", "/v1/hits/predict", json{{"features", Song(0.9)}}.dump()).Json();
  ASSERT_EQ(one["predictions"].size(), 1u) << one;
  EXPECT_NEAR(one["predictions"][0]["probability"], 1 / (1 + std::exp(-4.0)), 1e-5);
  EXPECT_EQ(one["predictions"][0]["hit"], true);
  EXPECT_TRUE(one["warnings"].empty()) << one;
  json seconds = Song(0.1);
  seconds["duration_ms"] = 180;
  const json many = Ask("POST", "/v1/hits/predict", json{{"songs", {Song(0.9), seconds}}}.dump()).Json();
  ASSERT_EQ(many["predictions"].size(), 2u) << many;
  EXPECT_EQ(many["predictions"][1]["hit"], false);
  ASSERT_FALSE(many["warnings"].empty());
  EXPECT_NE(many["warnings"][0].get<std::string>().find("duration_ms"), std::string::npos);
  json missing = Song(0.9);
  missing["tempo"] = nullptr;
  EXPECT_EQ(Ask("POST", "/v1/hits/predict", json{{"features", missing}}.dump()).status, 200) << "null is a missing value";
}

TEST_F(ServingHits, WhatCannotBePredictedFromIsNamed) {
  PutHitsLive("h1", 10);
  Start();
  json lacking = Song(0.9);
  lacking.erase("tempo");
  EXPECT_NE(Problem({{"features", lacking}}).find("tempo"), std::string::npos);
  json odd = Song(0.9);
  odd["danceabillity"] = 1;
  EXPECT_NE(Problem({{"features", odd}}).find("danceabillity"), std::string::npos);
  EXPECT_NE(Problem({{"songs", {Song(0.9), lacking}}}).find("songs[1]"), std::string::npos);
  json text = Song(0.9);
  text["energy"] = "high";
  EXPECT_NE(Problem({{"features", text}}).find("energy"), std::string::npos);
  for (const json& body : {json{{"song", 1}}, json{{"songs", json::array()}}, json{{"songs", 5}}, json{{"features", {1, 2}}},
                           json{{"songs", {Song(0.1)}}, {"features", Song(0.1)}}, json{{"songs", {5}}}}) {
    Problem(body);
  }
  EXPECT_EQ(Ask("POST", "/v1/hits/predict", "{").status, 400);
}

TEST_F(ServingHits, AListenersHitsCountLabelsFirstAndFeedbackAtOnce) {
  WriteSounds("d2");
  PutPopularityLive("m1");
  PutHitsLive("h1", 10);
  Start();
  json ann = Get("/v1/listeners/ann/hits");
  EXPECT_EQ(ann["model_id"], "h1");
  EXPECT_EQ(ann["hits"]["labelled"], 1) << "track 0 is labelled a hit, whatever the model says: " << ann;
  EXPECT_EQ(ann["others"]["predicted"], 4);
  EXPECT_EQ(ann["others"]["plays"], 4);
  EXPECT_EQ(ann["items"].size(), 5u);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(Post({{{"listener", "ann"}, {"track_id", IdOf(15)}, {"kind", "play"}}}), 200);
  EXPECT_EQ(Post({{{"listener", "ann"}, {"track_id", IdOf(16)}, {"kind", "like"}}}), 200);
  ann = Get("/v1/listeners/ann/hits?n=1");
  EXPECT_EQ(ann["hits"]["predicted"], 1) << ann;
  EXPECT_EQ(ann["hits"]["plays"], 3);
  ASSERT_EQ(ann["items"].size(), 1u);
  EXPECT_EQ(ann["items"][0]["track_id"], IdOf(15)) << "most played first";
  EXPECT_EQ(ann["items"][0]["plays"], 2);
  Get("/v1/listeners/nobody/hits", 404);
  const json all = Get("/v1/hits");
  EXPECT_EQ(all["hits"]["tracks"], 11);
  EXPECT_EQ(all["others"]["tracks"], 9);
  EXPECT_EQ(all["unknown"]["tracks"], 10);
}

TEST_F(ServingHits, ANewModelOfHitsAndANewDatasetAreSwappedInByThemselves) {
  PutPopularityLive("m1");
  PutHitsLive("h1", 10);
  Start();
  Get("/v1/tracks/" + IdOf(3) + "/hit", 409);
  WriteSounds("d2");
  ASSERT_TRUE(Until([&] { return Ask("GET", "/v1/tracks/" + IdOf(3) + "/hit").status == 200; }));
  PutHitsLive("h2", -10);
  WaitForHits("h2");
  EXPECT_GT(Get("/v1/tracks/" + IdOf(3) + "/hit")["probability"], 0.9);
  EXPECT_EQ(Get("/v1/status")["live"]["model_id"], "m1");
  EXPECT_EQ(Get("/v1/models/h2")["kind"], "hits");
  EXPECT_EQ(Get("/v1/models/h2")["aliases"], json::array({"live"}));
  EXPECT_EQ(Get("/v1/models/h1")["aliases"], json::array({"previous"}));
  EXPECT_EQ(Get("/v1/models/m1")["aliases"], json::array({"live"}));
  EXPECT_EQ(Get("/v1/deployments")["items"][0]["kind"], "hits");
}

TEST_F(ServingHits, ABrokenModelOfHitsLeavesTheOneBeforeAndTheRecommendations) {
  WriteSounds("d2");
  PutPopularityLive("m1");
  PutHitsLive("h1", 10);
  Start();
  std::ofstream(folder_.bucket() / "rubbish") << "rubbish";
  ASSERT_TRUE(bucket_->PutFile(store::ModelKey("h2", "model.segue"), folder_.bucket() / "rubbish").ok());
  Promote("h2");
  PutPopularityLive("m2");
  WaitForModel("m2");
  EXPECT_FALSE(ListOf("ann").empty());
  PutHitsLive("h3", -10);
  WaitForHits("h3");
}

}  // namespace
}  // namespace segue::serve
