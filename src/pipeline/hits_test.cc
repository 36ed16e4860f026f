#include "pipeline/hits.h"

#include <fstream>
#include <functional>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "pipeline/testing.h"
#include "simulate/simulate.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class HitRuns : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    const Settings defaults;
    settings_.min_mrr = defaults.min_mrr;
    settings_.min_hit_rate = defaults.min_hit_rate;
    settings_.hits.algorithms = "extra_trees(trees=30), logistic";
    settings_.hits.min_songs = 200;
    settings_.bootstrap_samples = 100;
  }

  /// Songs of which the danceable are hits, but for some noise; `sign` -1: the others.
  void DropSongs(const std::string& name, size_t songs, double sign = 1) {
    std::ofstream out(folder_.inbox() / (name + ".csv"));
    out << "track,artist,uri,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
           "duration_ms,time_signature,chorus_hit,sections,target\n";
    Random random(7);
    for (size_t i = 0; i < songs; ++i) {
      const double dance = random.Uniform();
      const bool hit = sign * (dance - 0.5) + 0.15 * random.Normal() > 0;
      out << "Song " << name << ' ' << i << ",Artist " << i % (songs / 4) << ",spotify:track:" << name << std::string(22 - name.size() - std::to_string(i).size(), '0')
          << i << ',' << dance << ',' << random.Uniform() << ",5,-7,1,0.05," << random.Uniform() << ",0,0.1," << random.Uniform()
          << ",120,200000,4,30,9," << (hit ? 1 : 0) << '\n';
    }
  }
  void DropListeners() { Drop({.listeners = 25, .tracks = 120, .artists = 30, .days = 40}); }

  store::RunRecord Run(const std::string& trigger = "inbox") { return SmallPipeline::Run(trigger); }
  static store::StageRecord Stage(const store::RunRecord& run, const std::string& name = "hits") {
    for (const auto& stage : run.stages) {
      if (stage.name == name) return stage;
    }
    return {};
  }
  std::string Live(ModelKind kind = ModelKind::kHits) {
    const auto live = catalog_->Live(kind);
    return live.ok() && *live ? (*live)->to_model : "";
  }
  size_t Models(ModelKind kind) {
    size_t n = 0;
    const auto models = catalog_->Models(0, 100);
    for (const auto& model : *models) n += model.kind == kind ? 1 : 0;
    return n;
  }
  json Command(const std::string& kind, const json& arguments) {
    const int64_t id = *catalog_->AddCommand({.kind = kind, .arguments = arguments.dump(), .actor = "test", .state = "pending"});
    EXPECT_TRUE(FollowCommands(Now()).ok());
    const auto done = *catalog_->FindCommand(id);
    json outcome = json::parse(done->outcome);
    outcome["state"] = done->state;
    return outcome;
  }
};

TEST_F(HitRuns, TheRecommendersLearnFromWhatTheLiveModelOfHitsSays) {
  settings_.algorithms = "popularity,hit_chance";
  DropListeners();
  DropSongs("a", 400);
  const auto run = Run();
  ASSERT_EQ(run.error, "");
  const auto models = *catalog_->Models(0, 10);
  const auto one = std::find_if(models.begin(), models.end(), [](const auto& model) { return model.algorithm == "hit_chance"; });
  ASSERT_NE(one, models.end());
  EXPECT_EQ(json::parse(one->manifest)["hit_model"], Live());
  const auto other = std::find_if(models.begin(), models.end(), [](const auto& model) { return model.algorithm == "popularity"; });
  EXPECT_EQ(json::parse(other->manifest)["hit_model"], "") << "it does not look at hits";
}

TEST_F(HitRuns, ClassifiersAreSearchedForAucOnTheTrainingPartAlone) {
  settings_.hits.algorithms = "extra_trees(trees=10;max_depth=2)";
  settings_.search.trials = 4;
  DropSongs("a", 600);
  const auto run = Run();
  ASSERT_EQ(run.state, "approved") << run.error << Stage(run).detail;
  const json search = json::parse(*bucket_->Get(store::RunKey(run.run_id, "hits_search.json")))["extra_trees(trees=10;max_depth=2)"];
  EXPECT_EQ(json::parse(Stage(run).detail)["search"]["extra_trees(trees=10;max_depth=2)"], search);
  ASSERT_EQ(search["trials"].size(), 5U) << "the configured settings and four drawn ones";
  EXPECT_TRUE(search["trials"][0]["settings"].empty());
  const json& best = search["trials"][search["best"].get<size_t>()];
  for (const json& trial : search["trials"]) EXPECT_LE(trial["auc"], best["auc"]);
  const std::string settings = json::parse((*catalog_->FindModel(Live()))->manifest)["settings"];
  for (const auto& [name, value] : best["settings"].get<std::vector<std::pair<std::string, std::string>>>()) {
    EXPECT_NE(settings.find(name + "=" + value), std::string::npos) << name << '=' << value << " in\n" << settings;
  }

  // What was best takes part again when there are other songs.
  DropSongs("b", 700);
  const auto second = Run();
  const json again = json::parse(*bucket_->Get(store::RunKey(second.run_id, "hits_search.json")))["extra_trees(trees=10;max_depth=2)"];
  const bool configured = best["settings"].empty();
  ASSERT_EQ(again["trials"].size(), configured ? 5U : 6U);
  if (!configured) {
    EXPECT_EQ(again["trials"][1]["settings"], best["settings"]);
  }
}

TEST_F(HitRuns, ADryRunsSearchIsNotRemembered) {
  settings_.hits.algorithms = "extra_trees(trees=10)";
  settings_.search.trials = 3;
  DropListeners();
  DropSongs("a", 400);
  ASSERT_EQ(Run().state, "approved");
  const std::string remembered = *catalog_->Meta("hits_search_best");
  ASSERT_NE(remembered, "");
  settings_.search.trials = 9;
  const auto dry = Run(kDryRun);
  EXPECT_EQ(json::parse(*bucket_->Get(store::RunKey(dry.run_id, "hits_search.json")))["extra_trees(trees=10)"]["trials"].size(),
            json::parse(remembered)["extra_trees(trees=10)"].empty() ? 10U : 11U);
  EXPECT_EQ(*catalog_->Meta("hits_search_best"), remembered);
}

TEST_F(HitRuns, LabelledTracksAloneMakeALiveModelOfHitsWithoutAnyListening) {
  DropSongs("a", 600);
  const auto run = Run();
  EXPECT_EQ(run.state, "approved") << run.error << Stage(run).detail;
  EXPECT_EQ(Stage(run).state, "done");
  EXPECT_EQ(Stage(run, "train").state, "skipped");
  ASSERT_NE(Live(), "");
  EXPECT_EQ(Live(ModelKind::kRecommender), "");
  const auto model = *catalog_->FindModel(Live());
  ASSERT_TRUE(model.has_value());
  EXPECT_EQ(model->kind, ModelKind::kHits);
  EXPECT_TRUE(model->approved);
  EXPECT_TRUE(bucket_->Exists(store::ModelKey(Live(), "manifest.json")));
  EXPECT_GT(json::parse(model->report)["figures"]["auc"]["value"], 0.8);
  EXPECT_EQ(Models(ModelKind::kHits), 2u) << "both candidates are registered";
}

TEST_F(HitRuns, BothKindsGoLiveInOneRunAndTheSameTracksAreNotJudgedAgain) {
  DropSongs("a", 600);
  DropListeners();
  const auto first = Run();
  EXPECT_EQ(first.state, "approved") << first.error;
  const std::string hits = Live();
  EXPECT_NE(hits, "");
  EXPECT_EQ(Live(ModelKind::kRecommender), first.model_id);
  const auto again = Run("person");
  EXPECT_EQ(again.state, "approved");
  EXPECT_EQ(Stage(again).state, "skipped");
  EXPECT_NE(Stage(again).detail.find("the same"), std::string::npos) << Stage(again).detail;
  EXPECT_EQ(Live(), hits);
}

TEST_F(HitRuns, MoreLabelledTracksAreLearnedFromAlsoWhereTheListeningIsTheSame) {
  DropSongs("a", 600);
  DropListeners();
  const auto songs = [](const json& of) { return of["train"].get<size_t>() + of["test"].get<size_t>(); };
  const json first = json::parse(Stage(Run()).detail);
  const std::string recommender = Live(ModelKind::kRecommender), before = Live();
  DropSongs("b", 800);
  const auto run = Run();
  const json detail = json::parse(Stage(run).detail);
  EXPECT_EQ(Stage(run).state, "done") << Stage(run).detail;
  EXPECT_EQ(Stage(run, "train").state, "skipped") << "the listening is the same";
  EXPECT_EQ(run.state, detail["verdict"]["approved"] == true ? "approved" : "refused");
  EXPECT_EQ(Live(ModelKind::kRecommender), recommender);
  EXPECT_EQ(detail["live"]["model_id"], before) << "the live model was judged on the same songs";
  EXPECT_EQ(songs(detail), songs(first) + 800);
}

TEST_F(HitRuns, AModelThatIsSignificantlyWorseOnTheNewTracksIsRefusedAndTheLiveOneStays) {
  DropSongs("a", 600);
  Run();
  const std::string before = Live();
  settings_.hits.min_auc = 0.99;
  DropSongs("b", 400);
  const auto run = Run();
  EXPECT_EQ(run.state, "refused");
  EXPECT_EQ(Live(), before);
  const json detail = json::parse(Stage(run).detail);
  EXPECT_NE(detail["verdict"]["reason"].get<std::string>().find("hits.min_auc"), std::string::npos);
  EXPECT_FALSE((*catalog_->FindModel(detail["model_id"].get<std::string>()))->approved);
  EXPECT_EQ(Run().state, "nothing_new");
}

TEST_F(HitRuns, AModelOfMoreHeldOutArtistsIsComparedOnThoseThatTheLiveOneDoesNotKnowEither) {
  settings_.hits.algorithms = "logistic";
  DropSongs("a", 400);
  ASSERT_EQ(Run().error, "");
  const std::string first = Live();
  const HitCourt before = *OpenHitCourt(Now(), (*catalog_->Runs(0, 1)).front().dataset_id);
  settings_.hits.holdout_share = 0.6;
  settings_.hits.calibrate = "isotonic";
  const auto run = Run("person");
  const json detail = json::parse(Stage(run).detail);
  ASSERT_TRUE(detail.contains("live")) << detail;
  EXPECT_EQ(detail["live"]["songs"], before.test.size());
  EXPECT_GT(detail["models"][0]["songs"], before.test.size());
  EXPECT_NE(detail["model_id"], first);
  EXPECT_EQ(json::parse((*catalog_->FindModel(detail["model_id"].get<std::string>()))->manifest)["calibrate"], "isotonic");
}

TEST_F(HitRuns, AFailureOfTheHitsIsToldAndDoesNotStopTheRecommender) {
  settings_.hits.algorithms = "astrology";
  DropSongs("a", 600);
  DropListeners();
  const auto run = Run();
  EXPECT_EQ(run.state, "approved") << run.error;
  EXPECT_EQ(Stage(run).state, "failed");
  EXPECT_NE(Stage(run).detail.find("known: random_forest"), std::string::npos);
  EXPECT_EQ((*catalog_->Alarms(10)).front().name, "hits_failed");
  EXPECT_NE(Live(ModelKind::kRecommender), "");
  settings_.hits.algorithms = "logistic";
  EXPECT_EQ(Stage(Run("person")).state, "done") << "tried again: it was not judged";
}

TEST_F(HitRuns, AFailureOfTheRecommenderDoesNotStopTheHits) {
  settings_.algorithms = "astrology";
  DropSongs("a", 600);
  DropListeners();
  const auto run = Run();
  EXPECT_EQ(run.state, "failed");
  EXPECT_NE(Live(), "");
}

TEST_F(HitRuns, TooFewLabelsAreSaidAndNoFault) {
  DropSongs("a", 100);
  const auto run = Run();
  EXPECT_EQ(run.state, "nothing_new");
  EXPECT_EQ(Stage(run).state, "skipped");
  EXPECT_NE(Stage(run).detail.find("hits.min_songs"), std::string::npos) << Stage(run).detail;
  EXPECT_TRUE(catalog_->Alarms(10)->empty());
}

/// Does something, such as asking to stop, once a message was logged.
class ActsAt final : public Instruments {
 public:
  ActsAt(std::string message, std::atomic<bool>& stop, std::function<void()> act)
      : message_(std::move(message)), stop_(stop), act_(std::move(act)) {}
  void Log(LogLevel, std::string_view, std::string_view message, const json&) override {
    if (message.find(message_) != std::string_view::npos) act_();
  }
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
  bool Cancelled() const override { return stop_.load(); }

 private:
  std::string message_;
  std::atomic<bool>& stop_;
  std::function<void()> act_;
};

TEST_F(HitRuns, AnInterruptedRunGoesOnAndFitsNothingTwice) {
  DropSongs("a", 600);
  std::string state;
  ActsAt stop("trained", cancelled_, [&] {
    state = catalog_->Runs(0, 1)->front().state;
    cancelled_ = true;
  });
  const Context context{*bucket_, *catalog_, clock_, settings_, stop, folder_, cancelled_};
  const auto run = RunOnce(context, {"inbox", ""});
  ASSERT_TRUE(run.ok());
  EXPECT_EQ(state, "running") << "a killed process would not be resumed";
  EXPECT_EQ(run->state, "interrupted");
  EXPECT_EQ(Live(), "");
  EXPECT_EQ(Models(ModelKind::kHits), 1u) << "the second was not begun";
  cancelled_ = false;
  ASSERT_TRUE(*ResumeInterrupted(Now()));
  const auto finished = *catalog_->FindRun(run->run_id);
  EXPECT_EQ(finished->state, "approved") << finished->error << Stage(*finished).detail;
  const json detail = json::parse(Stage(*finished).detail);
  EXPECT_EQ(detail["models"][0]["existed"], true);
  EXPECT_EQ(detail["models"][1]["existed"], false);
  EXPECT_NE(Live(), "");
}

TEST_F(HitRuns, RollbackAndPromotionOfHitsLeaveTheRecommenderAlone) {
  DropSongs("a", 600);
  DropListeners();
  Run();
  const std::string recommender = Live(ModelKind::kRecommender), first = Live();
  EXPECT_EQ(Command("rollback", {{"kind", "hits"}})["code"], "conflict") << "there is nothing to go back to";
  DropSongs("b", 800);
  Run();
  const std::string second = Live();
  ASSERT_NE(first, second);
  const json back = Command("rollback", {{"kind", "hits"}, {"reason", "try"}});
  EXPECT_EQ(back["live"], first) << back;
  EXPECT_EQ(Live(), first);
  EXPECT_EQ(Command("promote", {{"model_id", second}, {"kind", "recommender"}})["code"], "conflict");
  const json forth = Command("promote", {{"model_id", second}});
  EXPECT_EQ(forth["live"], second) << forth;
  EXPECT_EQ(forth["kind"], "hits");
  EXPECT_EQ(Live(ModelKind::kRecommender), recommender);
  EXPECT_EQ(Command("rollback", {{"kind", "weather"}})["code"], "invalid");
}

TEST(HitHoldOut, GoesByTheArtistsNormalNameAndTakesItsShare) {
  EXPECT_EQ(HeldOut("The Band", "t1", 0.5), HeldOut("band", "t2", 0.5));
  EXPECT_EQ(HeldOut("Band feat. Guest", "t1", 0.5), HeldOut("Band", "t2", 0.5));
  size_t artists = 0, unknown = 0;
  for (int i = 0; i < 5000; ++i) {
    artists += HeldOut("artist " + std::to_string(i), "t", 0.2) ? 1 : 0;
    unknown += HeldOut("", "t" + std::to_string(i), 0.2) ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(artists) / 5000, 0.2, 0.03);
  EXPECT_NEAR(static_cast<double>(unknown) / 5000, 0.2, 0.03);
  // What a smaller share holds out a larger one does too.
  for (int i = 0; i < 200; ++i) EXPECT_LE(HeldOut(std::to_string(i) + " x", "t", 0.2), HeldOut(std::to_string(i) + " x", "t", 0.4));
}

}  // namespace
}  // namespace segue::pipeline
