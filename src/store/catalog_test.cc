#include "store/catalog.h"

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "store/sqlite.h"

namespace segue::store {
namespace {

namespace fs = std::filesystem;

/// What every Catalog must do; a back end adds a way to open one.
class Catalogs : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("segue-catalog-" + std::to_string(::getpid()) + "-" +
                                           testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_);
    catalog_ = Open();
  }
  void TearDown() override {
    catalog_.reset();
    fs::remove_all(folder_);
  }

  std::unique_ptr<Catalog> Open() {
    auto opened = OpenSqliteCatalog(folder_ / "catalog.sqlite");
    EXPECT_TRUE(opened.ok()) << opened.error().message;
    return opened.ok() ? *std::move(opened) : nullptr;
  }

  static FeedbackEvent Like(const std::string& id) {
    return {.event_id = id, .listener = "ann", .track_id = "t1", .artist = "", .title = "", .kind = "like", .at = 5,
            .value = 1, .list_id = "l", .received_at = 6};
  }

  fs::path folder_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(Catalogs, EventsComeBackInOrderWithAllTheirFields) {
  const std::vector<FeedbackEvent> events = {Like("a"), Like("b")};
  const auto outcome = catalog_->AppendEvents(events);
  ASSERT_TRUE(outcome.ok());
  EXPECT_EQ(outcome->accepted, 2);
  const auto back = catalog_->EventsAfter(0, 10);
  ASSERT_EQ(back->size(), 2u);
  EXPECT_EQ((*back)[0].seq, 1);
  EXPECT_EQ((*back)[1].event_id, "b");
  EXPECT_EQ((*back)[1].listener, "ann");
  EXPECT_EQ((*back)[1].at, 5);
  EXPECT_EQ((*back)[1].list_id, "l");
  EXPECT_EQ(catalog_->EventsAfter(1, 10)->size(), 1u);
  EXPECT_EQ(catalog_->EventsAfter(0, 1)->size(), 1u);
  EXPECT_EQ(*catalog_->LastEventSeq(), 2);
}

TEST_F(Catalogs, ARepeatedEventCountsOnce) {
  const std::vector<FeedbackEvent> twice = {Like("a"), Like("a")};
  const auto first = catalog_->AppendEvents(twice);
  EXPECT_EQ(first->accepted, 1);
  EXPECT_EQ(first->duplicates, 1);
  EXPECT_EQ(catalog_->AppendEvents(twice)->duplicates, 2);
  EXPECT_EQ(*catalog_->LastEventSeq(), 1);
}

TEST_F(Catalogs, EventsWithoutAnIdGetOne) {
  const std::vector<FeedbackEvent> events = {Like(""), Like("")};
  EXPECT_EQ(catalog_->AppendEvents(events)->accepted, 2);
  const auto back = catalog_->EventsAfter(0, 10);
  EXPECT_NE((*back)[0].event_id, (*back)[1].event_id);
}

TEST_F(Catalogs, WhatWasAcknowledgedSurvivesAKilledProcess) {
  catalog_.reset();
  const pid_t child = ::fork();
  if (child == 0) {
    auto catalog = OpenSqliteCatalog(folder_ / "catalog.sqlite");
    const std::vector<FeedbackEvent> events = {Like("a"), Like("b"), Like("c")};
    const bool done = catalog.ok() && (*catalog)->AppendEvents(events).ok();
    ::_exit(done ? 0 : 1);  // nothing is closed
  }
  int state = 0;
  ::waitpid(child, &state, 0);
  ASSERT_EQ(state, 0);
  EXPECT_EQ(*Open()->LastEventSeq(), 3);
}

TEST_F(Catalogs, ManyThreadsAndTwoConnectionsLoseNothing) {
  const auto other = Open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      Catalog& mine = t % 2 == 0 ? *catalog_ : *other;
      for (int i = 0; i < 25; ++i) {
        const std::vector<FeedbackEvent> events = {Like(std::to_string(t) + "-" + std::to_string(i))};
        EXPECT_TRUE(mine.AppendEvents(events).ok());
        EXPECT_TRUE(mine.EventsAfter(0, 5).ok());
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(catalog_->EventsAfter(0, 1000)->size(), 100u);
}

TEST_F(Catalogs, RunsKeepTheirStagesAndComeNewestFirst) {
  RunRecord run{.run_id = "r1", .trigger = "inbox", .state = "running", .started_ms = 1};
  run.stages = {{.name = "ingest", .state = "running"}, {.name = "clean", .state = "waiting"}};
  ASSERT_TRUE(catalog_->PutRun(run).ok());
  run.state = "approved";
  run.stages = {{.name = "ingest", .state = "done", .started_ms = 1, .finished_ms = 2, .detail = "{}"}};
  ASSERT_TRUE(catalog_->PutRun(run).ok());
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r2", .state = "running"}).ok());
  const auto runs = catalog_->Runs(0, 10);
  ASSERT_EQ(runs->size(), 2u);
  EXPECT_EQ((*runs)[0].run_id, "r2");
  EXPECT_EQ((*runs)[1].state, "approved");
  ASSERT_EQ((*runs)[1].stages.size(), 1u);
  EXPECT_EQ((*runs)[1].stages[0].state, "done");
  EXPECT_FALSE(catalog_->FindRun("r3")->has_value());
}

TEST_F(Catalogs, TheLivePointerMovesOnlyFromWhereItIs) {
  EXPECT_FALSE(catalog_->Live()->has_value());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "", .to_model = "m1"}).ok());
  const Status raced = catalog_->Deploy({.action = "promote", .from_model = "", .to_model = "m2"});
  ASSERT_FALSE(raced.ok());
  EXPECT_EQ(raced.error().code, ErrorCode::kConflict);
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "m1", .to_model = "m2"}).ok());
  const auto history = catalog_->Deployments(10);
  ASSERT_EQ(history->size(), 2u);
  EXPECT_EQ((*history)[0].to_model, "m2");
}

TEST_F(Catalogs, EachKindOfModelHasALivePointerOfItsOwn) {
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "m1"}).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "h1", .kind = ModelKind::kHits}).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "h1", .to_model = "h2", .kind = ModelKind::kHits}).ok());
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  EXPECT_EQ((*catalog_->Live(ModelKind::kHits))->to_model, "h2");
  EXPECT_EQ((*catalog_->Live(ModelKind::kHits))->kind, ModelKind::kHits);
  const Status raced = catalog_->Deploy({.action = "promote", .from_model = "m1", .to_model = "h3", .kind = ModelKind::kHits});
  ASSERT_FALSE(raced.ok()) << "m1 is live as another kind";
  EXPECT_EQ(raced.error().code, ErrorCode::kConflict);
  const auto history = catalog_->Deployments(10);
  ASSERT_EQ(history->size(), 3u) << "the history shows both kinds";
  EXPECT_EQ((*history)[2].kind, ModelKind::kRecommender);
}

TEST_F(Catalogs, ModelsKeepTheirKind) {
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .algorithm = "ials"}).ok());
  ASSERT_TRUE(catalog_->PutModel({.model_id = "h1", .algorithm = "extra_trees", .kind = ModelKind::kHits}).ok());
  EXPECT_EQ((*catalog_->FindModel("m1"))->kind, ModelKind::kRecommender);
  EXPECT_EQ((*catalog_->FindModel("h1"))->kind, ModelKind::kHits);
  EXPECT_EQ(catalog_->Models(0, 10)->size(), 2u);
}

TEST_F(Catalogs, AFileOfBeforeThereWereKindsIsUpgradedAndItsModelsAreRecommenders) {
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .algorithm = "ials", .approved = true, .created_at = 7}).ok());
  ASSERT_TRUE(catalog_->Deploy({.at = 9, .action = "promote", .to_model = "m1", .reason = "why", .figures = "{}"}).ok());
  catalog_.reset();
  {
    // What version 2 added is taken away again: the file that version 1 wrote.
    SqliteConnection older;
    ASSERT_TRUE(older.Open(folder_ / "catalog.sqlite").ok());
    ASSERT_TRUE(older.Run("DROP INDEX deployments_by_kind; ALTER TABLE models DROP COLUMN kind; "
                          "ALTER TABLE deployments DROP COLUMN kind; PRAGMA user_version = 1").ok());
  }
  catalog_ = Open();
  ASSERT_NE(catalog_, nullptr);
  EXPECT_EQ((*catalog_->FindModel("m1"))->kind, ModelKind::kRecommender);
  EXPECT_TRUE((*catalog_->FindModel("m1"))->approved);
  EXPECT_EQ((*catalog_->FindModel("m1"))->created_at, 7);
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  EXPECT_EQ((*catalog_->Live())->reason, "why");
  EXPECT_FALSE(catalog_->Live(ModelKind::kHits)->has_value());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "h1", .kind = ModelKind::kHits}).ok());
  catalog_ = Open();
  EXPECT_EQ((*catalog_->Live(ModelKind::kHits))->to_model, "h1") << "upgraded once, not each time";
}

TEST_F(Catalogs, TheDeploymentHistoryCannotBeRewritten) {
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "", .to_model = "m1"}).ok());
  SqliteConnection other;
  ASSERT_TRUE(other.Open(folder_ / "catalog.sqlite").ok());
  EXPECT_FALSE(other.Run("UPDATE deployments SET to_model='m9'").ok());
  EXPECT_FALSE(other.Run("DELETE FROM deployments").ok());
}

TEST_F(Catalogs, ObjectsAreKnownByBytesAndListener) {
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "s", .name = "a", .listener = "ann", .status = "accepted", .rows = 1}).ok());
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "s", .name = "a", .listener = "bob", .status = "quarantined"}).ok());
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "s", .name = "b", .listener = "ann", .status = "accepted", .rows = 2}).ok());
  EXPECT_EQ(catalog_->Objects("")->size(), 2u);
  EXPECT_EQ(catalog_->Objects("accepted")->size(), 1u);
  EXPECT_EQ((*catalog_->FindObject("s", "ann"))->rows, 2);
  EXPECT_FALSE(catalog_->FindObject("s", "eve")->has_value());
}

TEST_F(Catalogs, QuarantineIsPagedNewestFirst) {
  std::vector<QuarantineRow> rows(5);
  for (size_t i = 0; i < rows.size(); ++i) rows[i] = {.file = "f", .line = static_cast<int64_t>(i), .reason = "why"};
  ASSERT_TRUE(catalog_->AddQuarantine(rows).ok());
  const auto page = catalog_->Quarantine(0, 2);
  ASSERT_EQ(page->size(), 2u);
  EXPECT_EQ((*page)[0].line, 4);
  EXPECT_EQ((*catalog_->Quarantine((*page)[1].id, 10))[0].line, 2);
  EXPECT_EQ(*catalog_->QuarantineCount(), 5);
}

TEST_F(Catalogs, CommandsWaitUntilTheyAreDone) {
  const auto id = catalog_->AddCommand({.kind = "rollback", .arguments = "{}", .actor = "api"});
  ASSERT_TRUE(id.ok());
  EXPECT_EQ(catalog_->PendingCommands()->size(), 1u);
  ASSERT_TRUE(catalog_->FinishCommand(*id, "done", "{\"live\":\"m1\"}").ok());
  EXPECT_TRUE(catalog_->PendingCommands()->empty());
  EXPECT_EQ((*catalog_->FindCommand(*id))->outcome, "{\"live\":\"m1\"}");
}

TEST_F(Catalogs, ModelsAlarmsAndNotesAreKept) {
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .algorithm = "ials", .approved = false}).ok());
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .algorithm = "ials", .approved = true}).ok());
  EXPECT_EQ(catalog_->Models(0, 10)->size(), 1u);
  EXPECT_TRUE((*catalog_->FindModel("m1"))->approved);
  ASSERT_TRUE(catalog_->AddAlarm({.severity = "critical", .name = "run_failed", .message = "why"}).ok());
  EXPECT_EQ((*catalog_->Alarms(10))[0].name, "run_failed");
  EXPECT_EQ(*catalog_->Meta("x"), "");
  ASSERT_TRUE(catalog_->SetMeta("x", "1").ok());
  ASSERT_TRUE(catalog_->SetMeta("x", "2").ok());
  EXPECT_EQ(*catalog_->Meta("x"), "2");
}

TEST_F(Catalogs, ANewerFileIsRefused) {
  catalog_.reset();
  {
    SqliteConnection newer;
    ASSERT_TRUE(newer.Open(folder_ / "catalog.sqlite").ok());
    ASSERT_TRUE(newer.Run("PRAGMA user_version = 99").ok());
  }
  const auto opened = OpenSqliteCatalog(folder_ / "catalog.sqlite");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().message.find("99"), std::string::npos);
}

TEST_F(Catalogs, AFileThatIsNoneIsRefused) {
  std::ofstream(folder_ / "rubbish") << std::string(4096, 'x');
  EXPECT_EQ(OpenSqliteCatalog(folder_ / "rubbish").error().code, ErrorCode::kCorrupt);
  EXPECT_FALSE(OpenSqliteCatalog(folder_ / "no" / "such" / "folder").ok());
}

}  // namespace
}  // namespace segue::store
