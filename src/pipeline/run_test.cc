#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "pipeline/pipeline.h"
#include "pipeline/testing.h"
#include "simulate/simulate.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class Runs : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    const Settings defaults;
    settings_.algorithms = defaults.algorithms;
    settings_.min_mrr = defaults.min_mrr;
    settings_.min_hit_rate = defaults.min_hit_rate;
    settings_.ials.factors = 8;
    settings_.ials.epochs = 4;
  }

  void DropListeners(uint64_t seed) { Drop({.seed = seed, .listeners = 25, .tracks = 120, .artists = 30, .days = 40}); }

  bool InboxIsEmpty() {
    for (const auto& entry : fs::recursive_directory_iterator(folder_.inbox())) {
      if (entry.is_regular_file()) return false;
    }
    return true;
  }
};

TEST_F(Runs, WhoAsksForARunJustAfterCopyingFilesMeansThoseFiles) {
  const store::SystemClock clock;
  settings_.inbox_settle_ms = 8'000;  // far longer than it takes to look
  DropListeners(3);
  const Context context{*bucket_, *catalog_, clock, settings_, instruments_, folder_, cancelled_};
  const auto by_itself = RunOnce(context, {"inbox", ""});
  ASSERT_TRUE(by_itself.ok());
  EXPECT_EQ(by_itself->state, "nothing_new") << "they may still be written";
  const auto asked = RunOnce(context, {"person", ""});
  ASSERT_TRUE(asked.ok());
  EXPECT_EQ(asked->state, "approved") << asked->error;
}

TEST_F(Runs, FromFilesInTheInboxToALiveModel) {
  DropListeners(1);
  const auto run = Run("inbox");
  EXPECT_EQ(run.state, "approved") << run.error << run.verdict;
  EXPECT_EQ(Live(), run.model_id);
  EXPECT_TRUE(InboxIsEmpty());
  ASSERT_EQ(run.stages.size(), 7u);
  for (const auto& stage : run.stages) EXPECT_EQ(stage.state, stage.name == "hits" ? "skipped" : "done") << stage.name;
  EXPECT_TRUE(bucket_->Exists(store::RunKey(run.run_id, "log.ndjson")));
  EXPECT_TRUE(bucket_->Exists(store::RunKey(run.run_id, "report.json")));
  EXPECT_TRUE(bucket_->Exists(store::ModelKey(run.model_id, "manifest.json")));
}

TEST_F(Runs, WithNothingNewEndsBeforeTraining) {
  DropListeners(1);
  const auto first = Run("inbox");
  const auto second = Run("inbox");
  EXPECT_EQ(second.state, "nothing_new");
  EXPECT_EQ(second.stages.back().state, "skipped");
  EXPECT_EQ(Live(), first.model_id);
}

TEST_F(Runs, TheSameFilesAgainAreNothingNew) {
  DropListeners(1);
  Run("inbox");
  DropListeners(1);
  EXPECT_EQ(Run("inbox").state, "nothing_new");
  EXPECT_TRUE(InboxIsEmpty());
}

TEST_F(Runs, ABadFileIsQuarantinedAndTheLiveModelStays) {
  DropListeners(1);
  const auto first = Run("inbox");
  std::ofstream(folder_.inbox() / "rubbish.json") << "{\"this is\": not json";
  EXPECT_EQ(Run("inbox").state, "nothing_new");
  EXPECT_EQ(Live(), first.model_id);
  EXPECT_TRUE(InboxIsEmpty());
  const auto rows = catalog_->Quarantine(0, 10);
  ASSERT_TRUE(rows.ok());
  ASSERT_FALSE(rows->empty());
  EXPECT_EQ(rows->front().file, "rubbish.json");
  EXPECT_FALSE(rows->front().reason.empty());
}

TEST_F(Runs, ASecondModelIsJudgedAgainstTheFirst) {
  DropListeners(1);
  const auto first = Run("inbox");
  DropListeners(2);
  const auto second = Run("inbox");
  EXPECT_NE(second.dataset_id, first.dataset_id);
  const json verdict = json::parse(second.verdict);
  bool judged = false;
  for (const json& check : verdict["checks"]) judged |= check["name"] == "no_worse_than_live" && !check["value"].is_null();
  EXPECT_TRUE(judged) << second.verdict;
  EXPECT_EQ(Live(), verdict["approved"] == true ? second.model_id : first.model_id);
}

TEST_F(Runs, SettingsAreSearchedKeptWithTheRunAndRememberedForTheNext) {
  settings_.algorithms = "popularity,ials";
  settings_.search.trials = 2;
  DropListeners(1);
  const auto first = Run("inbox");
  ASSERT_EQ(first.error, "");
  const json kept = json::parse(*bucket_->Get(store::RunKey(first.run_id, "search.json")));
  EXPECT_EQ(kept["trials"].size(), 3u);
  ASSERT_TRUE(kept["best"].contains("ials"));
  const json models = json::parse(std::find_if(first.stages.begin(), first.stages.end(), [](const auto& stage) { return stage.name == "train"; })->detail);
  EXPECT_EQ(models["search"], kept);
  for (const json& model : models["models"]) {
    if (model["algorithm"] != "ials") continue;
    const std::string settings = json::parse((*catalog_->FindModel(model["model_id"].get<std::string>()))->manifest)["settings"];
    for (const auto& change : kept["best"]["ials"]) {
      EXPECT_NE(settings.find(change[0].get<std::string>() + "=" + change[1].get<std::string>()), std::string::npos) << settings;
    }
  }
  DropListeners(2);
  const auto second = Run("inbox");
  const json next = json::parse(*bucket_->Get(store::RunKey(second.run_id, "search.json")));
  EXPECT_EQ(next["trials"].size(), kept["best"]["ials"].empty() ? 3u : 4u) << "what was best before is tried again";
}

TEST_F(Runs, ARefusedModelIsKeptAndExplainedAndNotLive) {
  settings_.min_mrr = 1;
  DropListeners(1);
  const auto run = Run("inbox");
  EXPECT_EQ(run.state, "refused");
  EXPECT_EQ(Live(), "");
  const auto model = catalog_->FindModel(run.model_id);
  ASSERT_TRUE(model.ok() && model->has_value());
  EXPECT_FALSE((*model)->approved);
  EXPECT_NE((*model)->verdict.find("min_mrr"), std::string::npos);
}

TEST_F(Runs, AnInterruptedRunIsResumedToTheSameModel) {
  DropListeners(1);
  cancelled_ = true;
  const auto run = Run("inbox");
  EXPECT_EQ(run.state, "interrupted");
  EXPECT_EQ(Live(), "");
  cancelled_ = false;
  const auto resumed = ResumeInterrupted(Now());
  ASSERT_TRUE(resumed.ok()) << resumed.error().message;
  EXPECT_TRUE(*resumed);
  const auto finished = catalog_->FindRun(run.run_id);
  ASSERT_TRUE(finished.ok() && finished->has_value());
  EXPECT_EQ((*finished)->state, "approved") << (*finished)->error;
  EXPECT_EQ(Live(), (*finished)->model_id);
  EXPECT_FALSE(*ResumeInterrupted(Now())) << "nothing is left to resume";
}

TEST_F(Runs, RollbackAndPromotionAreCarriedOut) {
  DropListeners(1);
  const auto first = Run("inbox");
  const int64_t alone = *catalog_->AddCommand({.kind = "rollback", .arguments = "{}", .actor = "test", .state = "pending"});
  ASSERT_TRUE(FollowCommands(Now()).ok());
  EXPECT_EQ((*catalog_->FindCommand(alone))->state, "failed") << "there is nothing to go back to";
  const int64_t unknown = *catalog_->AddCommand(
      {.kind = "promote", .arguments = R"({"model_id":"m0"})", .actor = "test", .state = "pending"});
  ASSERT_TRUE(FollowCommands(Now()).ok());
  EXPECT_NE((*catalog_->FindCommand(unknown))->outcome.find("not_found"), std::string::npos);
  const json promote = {{"model_id", first.model_id}};
  const int64_t again = *catalog_->AddCommand({.kind = "promote", .arguments = promote.dump(), .actor = "test", .state = "pending"});
  ASSERT_TRUE(FollowCommands(Now()).ok());
  EXPECT_EQ((*catalog_->FindCommand(again))->state, "done") << (*catalog_->FindCommand(again))->outcome;
  EXPECT_EQ(Live(), first.model_id);
}

}  // namespace
}  // namespace segue::pipeline
