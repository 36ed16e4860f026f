#include <unistd.h>

#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "store/aliases.h"
#include "store/layout.h"
#include "store/lineage.h"
#include "store/online.h"

namespace segue::store {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Delivered : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-delivered-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    catalog_ = *OpenSqliteCatalog(folder_ / "catalog.sqlite");
    bucket_ = *OpenFolderStore(folder_ / "bucket");
    for (const char* id : {"m1", "m2", "m3"}) ASSERT_TRUE(catalog_->PutModel({.model_id = id, .algorithm = "ials", .dataset_id = "d1"}).ok());
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }

  fs::path folder_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<ObjectStore> bucket_;
};

TEST_F(Delivered, NamesThatMoveByThemselvesFollowTheHistory) {
  EXPECT_EQ(ResolveModel(*catalog_, "live").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "m1"}).ok());
  EXPECT_EQ(*ResolveModel(*catalog_, "live"), "m1");
  EXPECT_FALSE(ResolveModel(*catalog_, "previous").ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "m1", .to_model = "m2"}).ok());
  EXPECT_EQ(*ResolveModel(*catalog_, "previous"), "m1");
  EXPECT_FALSE(ResolveModel(*catalog_, "challenger").ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "canary", .from_model = "m2", .to_model = "m3"}).ok());
  EXPECT_EQ(*ResolveModel(*catalog_, "challenger"), "m3");
  EXPECT_EQ(*ResolveModel(*catalog_, "live"), "m2");
  EXPECT_FALSE(ResolveModel(*catalog_, "live-hits").ok());
  EXPECT_EQ(AllAliases(*catalog_)->size(), 3U);
}

TEST_F(Delivered, GivenNamesStandForTheirModelUntilMoved) {
  ASSERT_TRUE(GiveAlias(*catalog_, "stable", "m1", 5, "cli").ok());
  EXPECT_EQ(*ResolveModel(*catalog_, "stable"), "m1");
  ASSERT_TRUE(GiveAlias(*catalog_, "spare", "stable", 5, "cli").ok());
  ASSERT_TRUE(GiveAlias(*catalog_, "stable", "m2", 6, "cli").ok());
  EXPECT_EQ(*ResolveModel(*catalog_, "spare"), "m1") << "it stands for the model, not for the name";
  EXPECT_EQ(*ResolveModel(*catalog_, "m3"), "m3");
  EXPECT_EQ(*ResolveModel(*catalog_, "unknown"), "unknown");
  for (const char* name : {"live", "challenger", "", "With Blank", "m1"}) {
    EXPECT_EQ(GiveAlias(*catalog_, name, "m1", 5, "cli").error().code, ErrorCode::kInvalid) << name;
  }
  EXPECT_EQ(GiveAlias(*catalog_, "x", "unknown", 5, "cli").error().code, ErrorCode::kNotFound);
}

TEST_F(Delivered, LineageGoesDownToTheRawFiles) {
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .algorithm = "ials", .dataset_id = "d1", .run_id = "r1",
                                  .manifest = R"({"seed":42,"artifact":{"sha256":"feed"}})"}).ok());
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "abc", .name = "anna/history.json", .listener = "anna", .format = "spotify_account",
                                   .status = "accepted", .rows = 17, .added_at = 5}).ok());
  const json manifest = {{"rows_in", 20}, {"events_through_seq", 9},
                         {"inputs", {{{"sha256", "abc"}, {"listener", "anna"}, {"name", "anna/history.json"}, {"table", "listens"}, {"left_out", false}},
                                     {{"sha256", "def"}, {"listener", ""}, {"name", "events/2026/03/01/1-9.parquet"}, {"table", "listens"}}}}};
  ASSERT_TRUE(bucket_->Put(DatasetKey("d1", "manifest.json"), manifest.dump()).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "m1"}).ok());
  const auto lineage = LineageOf(*bucket_, *catalog_, "live");
  ASSERT_TRUE(lineage.ok()) << lineage.error().message;
  EXPECT_EQ((*lineage)["model_id"], "m1");
  EXPECT_EQ((*lineage)["seed"], 42);
  EXPECT_EQ((*lineage)["artifact_sha256"], "feed");
  const json& dataset = (*lineage)["dataset"];
  EXPECT_EQ(dataset["rows_in"], 20);
  ASSERT_EQ(dataset["objects"].size(), 1U);
  EXPECT_EQ(dataset["objects"][0]["rows"], 17);
  EXPECT_EQ(dataset["objects"][0]["raw"], "raw/abc");
  EXPECT_EQ(dataset["events"]["through_seq"], 9);
  EXPECT_EQ(dataset["events"]["objects"][0]["sha256"], "def");
  EXPECT_EQ(LineageOf(*bucket_, *catalog_, "nobody").error().code, ErrorCode::kNotFound);
  ASSERT_TRUE(bucket_->Remove(DatasetKey("d1", "manifest.json")).ok());
  EXPECT_TRUE((*LineageOf(*bucket_, *catalog_, "m1"))["dataset"]["rows_in"].is_null()) << "what is not known is not made up";
}

TEST_F(Delivered, TheLedgerIsOfWhatWasShownSinceThen) {
  std::vector<Impression> lists;
  std::vector<FeedbackEvent> events;
  for (int i = 0; i < 40; ++i) {
    const int64_t at = 1000 + 10 * i;
    lists.push_back({.list_id = "l" + std::to_string(i), .listener = "ann", .model_id = "m1", .arm = "live", .at_ms = at * 1000, .tracks = {"t" + std::to_string(i)}});
    events.push_back({.listener = "ann", .track_id = "t" + std::to_string(i), .kind = "like", .at = at + 1, .received_at = at + 1});
  }
  ASSERT_TRUE(catalog_->AppendImpressions(lists).ok());
  ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  ASSERT_TRUE(catalog_->PruneImpressions(5, INT64_MAX).ok());
  for (const auto& [since, expected] : {std::pair<int64_t, int64_t>{0, 35}, {1050, 35}, {1051, 34}, {1100, 30}, {1390, 1}, {1391, 0}}) {
    const auto ledger = ReadLedger(*catalog_, since, 5);
    ASSERT_TRUE(ledger.ok());
    const auto figures = ledger->Figures(100'000);
    const int64_t lists_found = figures.empty() ? 0 : figures[0].lists, liked = figures.empty() ? 0 : figures[0].liked;
    EXPECT_EQ(lists_found, expected) << "since " << since;
    EXPECT_EQ(liked, expected) << "since " << since;
  }
}

}  // namespace
}  // namespace segue::store
