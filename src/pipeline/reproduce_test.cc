#include "pipeline/reproduce.h"

#include "pipeline/manifest.h"
#include "pipeline/testing.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;

class Reproduced : public SmallPipeline {
 protected:
  Result<Reproduction> Again(const std::string& id) { return Reproduce(Now(), id, instruments_); }
  std::vector<std::string> ModelIds() {
    std::vector<std::string> ids;
    const auto models = catalog_->Models(0, 100);
    for (const auto& model : *models) ids.push_back(model.model_id);
    return ids;
  }
  void Rewrite(const std::string& id, const std::function<void(json&)>& change) {
    json manifest = *ReadManifest(Now(), id);
    change(manifest);
    ASSERT_TRUE(bucket_->Put(store::ModelKey(id, "manifest.json"), manifest.dump()).ok());
  }
};

TEST_F(Reproduced, EachKindOfModelIsIdenticalWhateverIsSetNow) {
  settings_.algorithms = "popularity,ials,bpr,content_text,item_knn";
  settings_.ials.factors = 8;
  settings_.bpr.epochs = 3;
  settings_.hits.algorithms = "extra_trees(trees=20), logistic";
  settings_.hits.min_songs = 100;
  settings_.hits.holdout_share = 0.3;
  settings_.holdout_share = 0.3;
  DropListeners(1);
  DropSongs();
  const auto run = Run("inbox");
  ASSERT_EQ(ModelIds().size(), 7U) << run.error << (run.stages.size() > 2 ? run.stages[2].detail : "");
  // All other settings now, and another number of threads.
  settings_ = Settings();
  settings_.threads = 1;
  settings_.seed = 7;
  for (const std::string& id : ModelIds()) {
    const auto again = Again(id);
    ASSERT_TRUE(again.ok()) << id << ": " << again.error().message;
    EXPECT_TRUE(again->identical()) << again->algorithm << " differs at " << *again->differs_at;
    EXPECT_EQ(again->stored_sha256, again->rebuilt_sha256);
    EXPECT_EQ(again->stored_sha256, again->manifest_sha256);
    EXPECT_EQ(again->other_kernels, "");
  }
}

TEST_F(Reproduced, AnArtifactThatWasTamperedWithSaysWhere) {
  DropListeners(1);
  const std::string id = Run("inbox").model_id;
  const std::string key = store::ModelKey(id, "model.segue");
  std::string bytes = *bucket_->Get(key);
  bytes[bytes.size() - 20] ^= 1;
  ASSERT_TRUE(bucket_->Put(key, bytes).ok());
  const auto again = Again(id);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_FALSE(again->identical());
  EXPECT_EQ(again->differs_at, bytes.size() - 20);
  EXPECT_NE(again->stored_sha256, again->manifest_sha256);
  EXPECT_EQ(again->rebuilt_sha256, again->manifest_sha256);
  ASSERT_TRUE(bucket_->Put(key, bytes.substr(0, 100)).ok());
  EXPECT_EQ(Again(id)->differs_at, 100U) << "cut off";
}

TEST_F(Reproduced, WhatIsLackingIsNamed) {
  DropListeners(1);
  const auto run = Run("inbox");
  const auto message = [&](const std::string& id) {
    const auto again = Again(id);
    return again.ok() ? std::string("no error") : again.error().message;
  };
  EXPECT_NE(message("m0000").find("there is no model 'm0000'"), std::string::npos) << message("m0000");
  const std::string kept = *bucket_->Get(store::ModelKey(run.model_id, "manifest.json"));
  for (const char* field : {"algorithm", "dataset_id", "seed", "settings", "split_settings", "training_version"}) {
    Rewrite(run.model_id, [&](json& manifest) { manifest.erase(field); });
    EXPECT_NE(message(run.model_id).find("lacks '" + std::string(field) + "'"), std::string::npos) << message(run.model_id);
    ASSERT_TRUE(bucket_->Put(store::ModelKey(run.model_id, "manifest.json"), kept).ok());
  }
  Rewrite(run.model_id, [](json& manifest) { manifest["training_version"] = "0"; });
  EXPECT_NE(message(run.model_id).find("trained by training version 0"), std::string::npos) << message(run.model_id);
  ASSERT_TRUE(bucket_->Put(store::ModelKey(run.model_id, "manifest.json"), kept).ok());
  ASSERT_TRUE(bucket_->Remove(store::DatasetKey(run.dataset_id, "manifest.json")).ok());
  EXPECT_NE(message(run.model_id).find("dataset " + run.dataset_id), std::string::npos) << message(run.model_id);
}

}  // namespace
}  // namespace segue::pipeline
