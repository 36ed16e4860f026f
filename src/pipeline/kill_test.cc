#include "core/hash.h"
#include "pipeline/testing.h"
#include "pipeline/testing_watched.h"

namespace segue::pipeline {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

class WatchedBucket final : public store::ObjectStore {
 public:
  WatchedBucket(store::ObjectStore& base, const BeforeWrite& before) : base_(base), before_(before) {}
  Status Put(std::string_view key, std::string_view bytes) override { return before_("object " + std::string(key)), base_.Put(key, bytes); }
  Status PutFile(std::string_view key, const fs::path& file) override { return before_("file " + std::string(key)), base_.PutFile(key, file); }
  Status Remove(std::string_view key) override { return before_("removal " + std::string(key)), base_.Remove(key); }
  Result<std::string> Get(std::string_view key) const override { return base_.Get(key); }
  Result<fs::path> LocalPath(std::string_view key) const override { return base_.LocalPath(key); }
  bool Exists(std::string_view key) const override { return base_.Exists(key); }
  Result<std::vector<std::string>> List(std::string_view prefix) const override { return base_.List(prefix); }
  fs::path ScratchFolder() const override { return base_.ScratchFolder(); }

 private:
  store::ObjectStore& base_;
  const BeforeWrite& before_;
};

/// What counts of a data folder when all is done.
struct Outcome {
  std::string state, dataset_id, model_id, verdict, live, live_hits, model_bytes;
  std::vector<std::string> objects;
  int64_t events = 0;
  std::string judged_objects, judged_seq;

  bool operator==(const Outcome&) const = default;
};

/// How long answers took is another figure each time.
std::string WithoutTimings(const std::string& text) {
  json verdict = json::parse(text, nullptr, false);
  if (!verdict.is_object()) return text;
  for (json& check : verdict["checks"]) {
    if (check["name"] == "latency_p99") check = {{"name", "latency_p99"}, {"passed", check["passed"]}};
  }
  return verdict.dump();
}

// Sanitizers make a recovery ten times as long, and look for other faults.
#ifdef SEGUE_SANITIZE
constexpr size_t kEvery = 5;
#else
constexpr size_t kEvery = 1;
#endif

class KilledRuns : public SmallPipeline {
 protected:
  void SetUp() override {
    SmallPipeline::SetUp();
    settings_.algorithms = "popularity,item_knn";
    settings_.search.trials = 1;
    settings_.hits.algorithms = "logistic(parts=1)";
    settings_.hits.min_songs = 100;
    settings_.threads = 1;
    // A model is live; more listening and feedback wait for the run that is killed.
    DropListeners(1);
    const auto first = Run("inbox");
    ASSERT_EQ(first.state, "approved") << first.error << first.verdict;
    before_ = Live();
    std::ofstream(folder_.inbox() / "r.csv") << "user_id,item_id,rating\n1,2,3\n1,3,many\n1,4,5\n2,2,4\n2,3,1\n";
    DropSongs();
    std::ofstream(folder_.inbox() / "rubbish.json") << "{\"this is\": not json";
    acknowledged_ = Feedback(0, 20);
    copies_ = folder_.root;
    copies_ += "-copies";
    fs::create_directories(copies_);
  }
  void TearDown() override {
    fs::remove_all(copies_);
    SmallPipeline::TearDown();
  }

  /// The folder becomes a copy of that one.
  void Restore(const fs::path& from) {
    bucket_.reset();
    catalog_.reset();
    fs::remove_all(folder_.root);
    fs::copy(from, folder_.root, fs::copy_options::recursive);
    Open();
  }

  struct Moment {
    std::string what;
    fs::path folder;
  };
  /// One run to its end; a copy of the folder as it was before each of its writes.
  std::vector<Moment> RunAndCopy() {
    std::vector<Moment> moments;
    const BeforeWrite before = [&](const std::string& what) {
      moments.push_back({what, copies_ / std::to_string(moments.size())});
      fs::copy(folder_.root, moments.back().folder, fs::copy_options::recursive);
    };
    WatchedCatalog catalog(*catalog_, before);
    WatchedBucket bucket(*bucket_, before);
    const auto run = RunOnce({bucket, catalog, clock_, settings_, instruments_, folder_, cancelled_}, {"inbox", ""});
    EXPECT_TRUE(run.ok()) << run.error().message;
    return moments;
  }

  /// As the follower does at a start: goes on with what was interrupted, and
  /// starts a run where the inbox has something.
  void Recover() {
    const auto resumed = ResumeInterrupted(Now());
    ASSERT_TRUE(resumed.ok()) << resumed.error().message;
    if (!*resumed) Run("inbox");
  }

  Outcome OutcomeNow() {
    Outcome outcome;
    const auto run = Finished().front();
    outcome.state = run.state;
    outcome.dataset_id = run.dataset_id;
    outcome.model_id = run.model_id;
    outcome.verdict = WithoutTimings(run.verdict);
    outcome.live = Live();
    const auto live_hits = catalog_->Live(ModelKind::kHits);
    outcome.live_hits = live_hits.ok() && *live_hits ? (*live_hits)->to_model : "";
    if (const auto bytes = bucket_->Get(store::ModelKey(outcome.live, "model.segue")); bytes.ok()) outcome.model_bytes = Sha256Hex(*bytes);
    const auto objects = catalog_->Objects("");
    for (const auto& object : *objects) outcome.objects.push_back(object.status + " " + object.sha256);
    std::sort(outcome.objects.begin(), outcome.objects.end());
    outcome.events = *catalog_->LastEventSeq();
    outcome.judged_objects = *catalog_->Meta("judged_objects");
    outcome.judged_seq = *catalog_->Meta("judged_seq");
    return outcome;
  }

  fs::path copies_;
  std::string before_;
  int64_t acknowledged_ = 0;
};

TEST_F(KilledRuns, AtEachWriteOfEachStageARunGoesOnToTheSameEnd) {
  const auto moments = RunAndCopy();
  const Outcome undisturbed = OutcomeNow();
  ASSERT_EQ(undisturbed.state, "approved") << Finished().front().error << Finished().front().verdict;
  ASSERT_NE(undisturbed.live, before_);
  ASSERT_NE(undisturbed.live_hits, "");
  for (size_t m = 0; m < moments.size(); m += kEvery) {
    const Moment& moment = moments[m];
    SCOPED_TRACE("killed before " + moment.what + ", in " + moment.folder.filename().string());
    Restore(moment.folder);
    const std::string live = Live();
    EXPECT_TRUE(live == before_ || live == undisturbed.live);
    EXPECT_EQ(*catalog_->LastEventSeq(), acknowledged_);
    Recover();
    const Outcome recovered = OutcomeNow();
    EXPECT_TRUE(recovered == undisturbed) << recovered.state << ' ' << Finished().front().error << ' ' << Finished().front().verdict;
    EXPECT_EQ(catalog_->EventsAfter(0, 1000)->size(), 20U);
    EXPECT_TRUE(bucket_->List("inbox")->empty());
    if (HasFailure()) break;
  }
  // Every stage was met at its start and its end, and between.
  for (const char* stage : {"ingest", "clean", "hits", "train", "evaluate", "gate", "deploy"}) {
    for (const char* state : {"running", "done"}) {
      const std::string boundary = "run " + std::string(stage) + " " + state;
      EXPECT_NE(std::count_if(moments.begin(), moments.end(), [&](const Moment& m) { return m.what == boundary; }), 0) << boundary;
    }
  }
  for (const char* middle : {"file raw/", "file datasets/", "file models/", "object models/", "model", "object runs/", "deployment", "meta judged_objects"}) {
    EXPECT_TRUE(std::any_of(moments.begin(), moments.end(), [&](const Moment& m) { return m.what.starts_with(middle); })) << middle;
  }
  RecordProperty("kills", std::to_string(moments.size()));
}

}  // namespace
}  // namespace segue::pipeline
