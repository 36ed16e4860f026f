#include "pipeline/drift.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "pipeline/testing.h"
#include "pipeline/triggers.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

class DriftOfRuns : public SmallPipeline {
 protected:
  /// A table of 300 songs; `spoil` changes the features of each.
  void DropTable(const std::string& name, uint64_t seed, const std::function<void(std::map<std::string, double>&)>& spoil = {}) {
    std::ofstream songs(folder_.inbox() / (name + ".csv"));
    songs << "track,artist,uri,danceability,energy,loudness,speechiness,acousticness,instrumentalness,liveness,valence,tempo\n";
    Random random(seed);
    for (int i = 0; i < 300; ++i) {
      std::map<std::string, double> features;
      for (const char* feature : kFeatures) features[feature] = random.Uniform();
      features["speechiness"] = std::pow(features["speechiness"], 4);
      features["loudness"] = -5 - 10 * random.Uniform();
      features["tempo"] = 60 + 120 * random.Uniform();
      if (spoil) spoil(features);
      songs << name << " " << i << ",Artist " << i % 60 << ",spotify:track:" << std::string(18, 'x') << seed << 100 + i;
      for (const char* feature : kFeatures) songs << ',' << features[feature];
      songs << '\n';
    }
  }
  json DriftOf(const store::RunRecord& run) {
    const auto text = bucket_->Get(store::RunKey(run.run_id, "drift.json"));
    return text.ok() ? json::parse(*text) : json();
  }
  std::string Message(const std::string& alarm) {
    const auto found = catalog_->alarm_book().ListAlarms({.name = alarm});
    return found.ok() && !found->empty() ? found->front().message : "";
  }

  static constexpr std::array<const char*, 9> kFeatures = {"danceability", "energy", "loudness", "speechiness", "acousticness",
                                                            "instrumentalness", "liveness", "valence", "tempo"};
};

TEST_F(DriftOfRuns, GoodDataRaiseNoAlarmAndARunTellsWhatItCompared) {
  DropListeners(1);
  DropTable("first", 1);
  const auto first = Run("inbox");
  ASSERT_EQ(first.state, "approved") << first.error;
  EXPECT_TRUE(DriftOf(first).is_null()) << "there was nothing to compare with";
  DropTable("second", 2);
  settings_.algorithms = "popularity,trending";
  const auto second = Run("person");
  const json drift = DriftOf(second);
  EXPECT_EQ(drift["baseline_dataset_id"], first.dataset_id);
  EXPECT_EQ(drift["undefined"], "");
  EXPECT_GE(drift["columns"].size(), 20U);
  EXPECT_EQ(Message("undefined_data"), "");
  const json clean = json::parse(second.stages[1].detail);
  EXPECT_EQ(clean["drift"]["drifted"], drift["drifted"]);
}

TEST_F(DriftOfRuns, FeaturesThatAreScaledByAThousandAreNamedAndStartNoRun) {
  settings_.suspicious = "keep";  // else the run stops before there is a dataset
  DropListeners(1);
  DropTable("first", 1);
  ASSERT_EQ(Run("inbox").state, "approved");
  DropTable("second", 2, [](auto& features) {
    for (const char* feature : {"danceability", "energy", "tempo"}) features[feature] *= 1000;
  });
  const auto run = Run("person");
  EXPECT_EQ(run.stages[1].state, "done") << run.error;
  // Cleaning takes impossible values away, so that what is left is missing.
  const std::string undefined = DriftOf(run)["undefined"];
  for (const char* name : {"tracks.danceability", "tracks.energy", "tracks.tempo"}) {
    EXPECT_NE((undefined + DriftOf(run)["drifted"].get<std::string>()).find(name), std::string::npos) << name << ": " << undefined;
  }
  EXPECT_NE(undefined.find("rules.impossible_danceability"), std::string::npos) << undefined;
  EXPECT_NE(Message("undefined_data").find("rules.impossible_danceability"), std::string::npos);
  auto triggers = Triggers::Make(Now());
  ASSERT_TRUE(triggers.ok());
  EXPECT_FALSE(triggers->Due(clock_.NowMs() + 10'000)->has_value()) << "the run has judged these data itself";
  EXPECT_EQ(Message("drift"), "");
}

TEST_F(DriftOfRuns, ColumnsInEachOthersPlaceAreNamed) {
  DropListeners(1);
  DropTable("first", 1);
  ASSERT_EQ(Run("inbox").state, "approved");
  DropTable("second", 2, [](auto& features) {
    std::swap(features["speechiness"], features["acousticness"]);
    features["valence"] = 1 - 0.1 * features["valence"];
  });
  const std::string drifted = DriftOf(Run("person"))["drifted"];
  for (const char* name : {"tracks.acousticness (", "tracks.speechiness (", "tracks.valence ("}) EXPECT_NE(drifted.find(name), std::string::npos) << name << ": " << drifted;
  EXPECT_EQ(drifted.find("tracks.energy"), std::string::npos) << drifted;
  EXPECT_NE(Message("data_drift").find("tracks.valence"), std::string::npos);
}

TEST_F(DriftOfRuns, AnotherModelsListsAreComparedWithThoseThatAreShown) {
  DropListeners(1);
  ASSERT_EQ(Run("inbox").state, "approved");
  settings_.algorithms = "item_knn";
  const auto run = Run("person");
  const json predictions = DriftOf(run)["predictions"];
  ASSERT_TRUE(predictions.is_object()) << run.error;
  EXPECT_EQ(predictions["challenger"], run.model_id);
  EXPECT_EQ(predictions["listeners"], OpenCourt(Now(), run.dataset_id)->split.listeners.size());
  EXPECT_GE(predictions["overlap"], 0);
  EXPECT_LT(predictions["overlap"], 1) << "another algorithm shows others";
  EXPECT_GT(predictions["tracks"]["value"], 0);
  EXPECT_FALSE(predictions["scores"].contains("wasserstein")) << "scores of two algorithms are not on one scale";
  EXPECT_EQ(json::parse(run.stages[5].detail)["drift"], predictions);
}

TEST_F(DriftOfRuns, AModelAgainstItselfShowsTheSame) {
  DropListeners(1);
  ASSERT_EQ(Run("inbox").state, "approved");
  const Court court = *OpenCourt(Now(), *BaselineDataset(Now()));
  const auto model = *LoadModel(Now(), Live());
  const json drift = PredictionDrift(Now(), court, *model, "b", *model, "a");
  EXPECT_EQ(drift["overlap"], 1);
  EXPECT_EQ(drift["tracks"]["value"], 0);
  EXPECT_EQ(drift["scores"]["wasserstein"]["value"], 0);
}

TEST_F(DriftOfRuns, ARunThatFailsAgainAndAgainRaisesOneAlarm) {
  DropListeners(1);
  ASSERT_EQ(Run("inbox").state, "approved");
  settings_.algorithms = "nonsense";
  for (int i = 0; i < 3; ++i) EXPECT_EQ(Run("config").state, "failed");
  EXPECT_EQ(catalog_->alarm_book().ListAlarms({.name = "run_failed"})->size(), 1U);
  settings_.algorithms = "more_nonsense";
  EXPECT_EQ(Run("config").state, "failed");
  EXPECT_EQ(catalog_->alarm_book().ListAlarms({.name = "run_failed"})->size(), 2U) << "this is another fault";
}

}  // namespace
}  // namespace segue::pipeline
