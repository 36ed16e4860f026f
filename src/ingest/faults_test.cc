#include <gtest/gtest.h>

#include "ingest/ingest.h"
#include "ingest/test_support.h"

namespace segue::ingest {
namespace {

/// Stands before the real catalog and fails where told, as a process that was
/// killed there would leave things.
class DyingCatalog final : public store::Catalog {
 public:
  explicit DyingCatalog(store::Catalog& base) : base_(base) {}
  bool die_at_object = false;
  bool die_at_quarantine = false;

  Status PutObject(const store::ObjectRecord& object) override {
    return die_at_object ? Status(Error{ErrorCode::kIo, "killed"}) : base_.PutObject(object);
  }
  Status AddQuarantine(std::span<const store::QuarantineRow> rows) override {
    return die_at_quarantine ? Status(Error{ErrorCode::kIo, "killed"}) : base_.AddQuarantine(rows);
  }
  Result<std::optional<store::ObjectRecord>> FindObject(std::string_view sha256, std::string_view listener) const override {
    return base_.FindObject(sha256, listener);
  }
  Result<std::vector<store::ObjectRecord>> Objects(std::string_view status) const override { return base_.Objects(status); }
  Result<std::vector<store::QuarantineRow>> Quarantine(int64_t before, int64_t limit) const override {
    return base_.Quarantine(before, limit);
  }
  Result<int64_t> QuarantineCount() const override { return base_.QuarantineCount(); }

  Result<store::AppendOutcome> AppendEvents(std::span<const store::FeedbackEvent> e) override { return base_.AppendEvents(e); }
  Result<std::vector<store::FeedbackEvent>> EventsAfter(int64_t a, int64_t n) const override { return base_.EventsAfter(a, n); }
  Result<int64_t> LastEventSeq() const override { return base_.LastEventSeq(); }
  Status PutRun(const store::RunRecord& run) override { return base_.PutRun(run); }
  Result<std::optional<store::RunRecord>> FindRun(std::string_view id) const override { return base_.FindRun(id); }
  Result<std::vector<store::RunRecord>> Runs(int64_t o, int64_t n) const override { return base_.Runs(o, n); }
  Result<std::map<std::string, int64_t>> RunsByState() const override { return base_.RunsByState(); }
  Status PutModel(const store::ModelRecord& model) override { return base_.PutModel(model); }
  Result<std::optional<store::ModelRecord>> FindModel(std::string_view id) const override { return base_.FindModel(id); }
  Result<std::vector<store::ModelRecord>> Models(int64_t o, int64_t n) const override { return base_.Models(o, n); }
  Status Deploy(const store::DeploymentRecord& d) override { return base_.Deploy(d); }
  Result<std::optional<store::DeploymentRecord>> Live(ModelKind kind) const override { return base_.Live(kind); }
  Result<std::optional<store::DeploymentRecord>> Trial(ModelKind kind) const override { return base_.Trial(kind); }
  Status PutAlias(const store::AliasRecord& a) override { return base_.PutAlias(a); }
  Status RemoveAlias(std::string_view n) override { return base_.RemoveAlias(n); }
  Result<std::vector<store::AliasRecord>> Aliases() const override { return base_.Aliases(); }
  Status AppendImpressions(std::span<const store::Impression> i) override { return base_.AppendImpressions(i); }
  Result<std::vector<store::Impression>> ImpressionsAfter(int64_t a, int64_t n) const override { return base_.ImpressionsAfter(a, n); }
  Result<int64_t> LastImpressionSeq() const override { return base_.LastImpressionSeq(); }
  Result<std::optional<store::Impression>> FindImpression(std::string_view l) const override { return base_.FindImpression(l); }
  Status PruneImpressions(int64_t t, int64_t b) override { return base_.PruneImpressions(t, b); }
  Result<std::vector<store::DeploymentRecord>> Deployments(int64_t n) const override { return base_.Deployments(n); }
  Result<int64_t> AddCommand(const store::Command& c) override { return base_.AddCommand(c); }
  Result<std::vector<store::Command>> PendingCommands() const override { return base_.PendingCommands(); }
  Result<std::optional<store::Command>> FindCommand(int64_t id) const override { return base_.FindCommand(id); }
  Status FinishCommand(int64_t id, std::string_view s, std::string_view o) override { return base_.FinishCommand(id, s, o); }
  Status AddAlarm(const store::AlarmRecord& a) override { return base_.AddAlarm(a); }
  Result<std::vector<store::AlarmRecord>> Alarms(int64_t n) const override { return base_.Alarms(n); }
  store::AlarmBook& alarm_book() const override { return base_.alarm_book(); }
  store::ListenerRecords& listeners() override { return base_.listeners(); }
  store::Documents& documents() override { return base_.documents(); }
  Result<std::string> Meta(std::string_view n) const override { return base_.Meta(n); }
  store::AccessRecords& access() override { return base_.access(); }
  Status SetMeta(std::string_view n, std::string_view v) override { return base_.SetMeta(n, v); }

 private:
  store::Catalog& base_;
};

constexpr std::string_view kTable = "user_id,item_id,rating\n1,2,3\n1,3,many\n1,4,5\n";

class IngestFaults : public testing::Test {
 protected:
  IngestFaults() : faulty_(store::RealFileSystem()) {
    auto bucket = store::OpenFolderStore(folder_.path() / "bucket", faulty_);
    auto catalog = store::OpenSqliteCatalog(folder_.path() / "catalog.sqlite");
    EXPECT_TRUE(bucket.ok() && catalog.ok());
    bucket_ = *std::move(bucket);
    real_catalog_ = *std::move(catalog);
    catalog_ = std::make_unique<DyingCatalog>(*real_catalog_);
    file_ = folder_.Write("inbox/r.csv", kTable);
  }

  Result<Outcome> Take() {
    return Ingest({*bucket_, *catalog_, clock_, settings_, instruments_}, {.path = file_, .name = "r.csv", .run_id = "r1"});
  }

  void ExpectWholeAndOnce() {
    const auto again = Take();
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->accepted, 1);
    EXPECT_EQ(again->rows, 2);
    EXPECT_EQ(catalog_->Objects("")->size(), 1U);
    EXPECT_EQ(*catalog_->QuarantineCount(), 1);
    EXPECT_TRUE(bucket_->Exists("raw/" + (*catalog_->Objects(""))[0].sha256));
    EXPECT_TRUE(bucket_->Exists((*catalog_->Objects(""))[0].staged_key));
    EXPECT_EQ(Take()->already_known, 1);
  }

  TestFolder folder_;
  store::FaultyFileSystem faulty_;
  std::unique_ptr<store::ObjectStore> bucket_;
  std::unique_ptr<store::Catalog> real_catalog_;
  std::unique_ptr<DyingCatalog> catalog_;
  store::FakeClock clock_{1'700'000'000'000};
  Settings settings_;
  NoInstruments instruments_;
  std::filesystem::path file_;
};

TEST_F(IngestFaults, DyingBeforeTheCatalogsRowRepeatsCleanly) {
  catalog_->die_at_object = true;
  EXPECT_FALSE(Take().ok());
  EXPECT_TRUE(catalog_->Objects("")->empty());
  catalog_->die_at_object = false;
  ExpectWholeAndOnce();
}

TEST_F(IngestFaults, DyingBeforeTheQuarantineRowsRepeatsCleanly) {
  catalog_->die_at_quarantine = true;
  EXPECT_FALSE(Take().ok());
  EXPECT_EQ(*catalog_->QuarantineCount(), 0);
  catalog_->die_at_quarantine = false;
  ExpectWholeAndOnce();
}

TEST_F(IngestFaults, PowerLossBeforeARenameLeavesNothingHalf) {
  faulty_.FailRenames(true);
  EXPECT_FALSE(Take().ok());
  EXPECT_TRUE(catalog_->Objects("")->empty());
  EXPECT_TRUE(bucket_->List("raw")->empty());
  faulty_.Heal();
  ExpectWholeAndOnce();
}

TEST_F(IngestFaults, ALostStagedObjectIsMadeAgain) {
  ASSERT_TRUE(Take().ok());
  ASSERT_TRUE(bucket_->Remove((*catalog_->Objects(""))[0].staged_key).ok());
  ExpectWholeAndOnce();
}

TEST_F(IngestFaults, StopsWhenAskedTo) {
  class Stopping final : public Instruments {
   public:
    void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
    void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
    bool Cancelled() const override { return true; }
  } stopping;
  const auto outcome = Ingest({*bucket_, *catalog_, clock_, settings_, stopping}, {.path = file_, .name = "r.csv"});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().code, ErrorCode::kCancelled);
  EXPECT_TRUE(catalog_->Objects("")->empty());
}

}  // namespace
}  // namespace segue::ingest
