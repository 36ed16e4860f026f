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
            .value = 1, .list_id = "l", .received_at = 6, .album = "Album", .source_id = "mbid:m", .duration_ms = 7,
            .ms_played = 8, .source = "listenbrainz"};
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
  EXPECT_EQ((*back)[1].album, "Album");
  EXPECT_EQ((*back)[1].source_id, "mbid:m");
  EXPECT_EQ((*back)[1].duration_ms, 7);
  EXPECT_EQ((*back)[1].ms_played, 8);
  EXPECT_EQ((*back)[1].source, "listenbrainz");
  EXPECT_EQ(catalog_->EventsAfter(1, 10)->size(), 1u);
  EXPECT_EQ(catalog_->EventsAfter(0, 1)->size(), 1u);
  EXPECT_EQ(*catalog_->LastEventSeq(), 2);
}

TEST_F(Catalogs, ATokenIsFoundByTheHashOfItsSecretUntilItIsRevoked) {
  AccessRecords& access = catalog_->access();
  const std::string secret = NewSecret();
  const auto token = MakeToken("phone", Role::kListen, "anna", true, secret, 5);
  ASSERT_TRUE(token.ok());
  ASSERT_TRUE(access.AddToken(*token).ok());
  EXPECT_FALSE(access.FindToken(secret)->has_value()) << "the secret itself is nowhere";
  const auto found = *access.FindToken(HashOfSecret(secret));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->name, "phone");
  EXPECT_EQ(found->role, Role::kListen);
  EXPECT_EQ(found->listener, "anna");
  EXPECT_EQ(found->legacy_md5, Md5Hex(secret));
  EXPECT_EQ(found->created_at, 5);
  ASSERT_TRUE(access.NoteTokenUse(found->id, 60).ok());
  EXPECT_EQ(access.Tokens()->at(0).last_used_at, 60);
  EXPECT_EQ(access.RevokeToken("phone", 70)->id, found->id);
  EXPECT_FALSE(access.FindToken(HashOfSecret(secret))->has_value());
  EXPECT_EQ(access.Tokens()->at(0).revoked_at, 70) << "who looks back still sees it";
  EXPECT_EQ(access.RevokeToken("phone", 80).error().code, ErrorCode::kNotFound);
}

TEST_F(Catalogs, TwoGoodTokensNeverHaveOneName) {
  AccessRecords& access = catalog_->access();
  const auto make = [&](const char* name) { return access.AddToken(*MakeToken(name, Role::kRead, "", false, NewSecret(), 1)); };
  ASSERT_TRUE(make("phone").ok());
  EXPECT_EQ(make("phone").error().code, ErrorCode::kConflict);
  const std::string id = access.Tokens()->at(0).id;
  ASSERT_TRUE(make(id.c_str()).ok());
  EXPECT_EQ(access.RevokeToken(id, 2)->name, "phone") << "an id goes before a name";
  EXPECT_TRUE(make("phone").ok()) << "the name is free again";
}

TEST_F(Catalogs, OnlyATokenOfRoleListenBelongsToAListener) {
  EXPECT_TRUE(MakeToken("a", Role::kListen, "anna", false, "s", 1).ok());
  EXPECT_FALSE(MakeToken("a", Role::kAdmin, "anna", false, "s", 1).ok());
  EXPECT_FALSE(MakeToken("a", Role::kRead, "", true, "s", 1).ok());
  EXPECT_FALSE(MakeToken("", Role::kRead, "", false, "s", 1).ok());
  EXPECT_FALSE(MakeToken("a\nb", Role::kRead, "", false, "s", 1).ok());
  EXPECT_NE(NewSecret(), NewSecret());
}

TEST_F(Catalogs, TheAuditComesNewestFirstAndCannotBeRewritten) {
  AccessRecords& access = catalog_->access();
  ASSERT_TRUE(access.AppendAudit({.at = 1, .actor = "cli", .action = "segue run", .subject = "s", .outcome = "ok"}).ok());
  ASSERT_TRUE(access.AppendAudit({.at = 2, .actor = "phone", .action = "POST /v1/runs", .outcome = "403"}).ok());
  const auto audit = access.Audit(0, 10);
  ASSERT_EQ(audit->size(), 2u);
  EXPECT_EQ((*audit)[0].actor, "phone");
  EXPECT_EQ((*audit)[1].subject, "s");
  EXPECT_EQ(access.Audit((*audit)[0].id, 10)->size(), 1u);
  SqliteConnection other;
  ASSERT_TRUE(other.Open(folder_ / "catalog.sqlite").ok());
  EXPECT_FALSE(other.Run("UPDATE audit SET actor='eve'").ok());
  EXPECT_FALSE(other.Run("DELETE FROM audit").ok());
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
  ASSERT_TRUE(catalog_->AppendEvents(std::vector{Like("a")}).ok());
  catalog_.reset();
  {
    // What later versions added is taken away again: the file that version 1 wrote.
    SqliteConnection older;
    ASSERT_TRUE(older.Open(folder_ / "catalog.sqlite").ok());
    ASSERT_TRUE(older.Run("DROP TABLE alarm_changes; DROP TABLE alarms; "
                          "CREATE TABLE alarms (id INTEGER PRIMARY KEY AUTOINCREMENT, at INTEGER NOT NULL, severity TEXT NOT NULL, "
                          "name TEXT NOT NULL, message TEXT NOT NULL, run_id TEXT NOT NULL); "
                          "INSERT INTO alarms(at,severity,name,message,run_id) VALUES (3,'critical','run_failed','why','r1')").ok());
    ASSERT_TRUE(older.Run("DROP TABLE aliases; DROP TABLE impressions; DROP INDEX deployments_by_kind; ALTER TABLE models DROP COLUMN kind; "
                          "ALTER TABLE deployments DROP COLUMN kind; DROP TABLE tokens; DROP TABLE audit; "
                          "ALTER TABLE events DROP COLUMN album; ALTER TABLE events DROP COLUMN source_id; "
                          "ALTER TABLE events DROP COLUMN duration_ms; ALTER TABLE events DROP COLUMN ms_played; "
                          "ALTER TABLE events DROP COLUMN source; DROP TABLE forgotten; DROP INDEX events_by_listener; DROP TABLE documents; PRAGMA user_version = 1").ok());
  }
  catalog_ = Open();
  ASSERT_NE(catalog_, nullptr);
  EXPECT_EQ((*catalog_->FindModel("m1"))->kind, ModelKind::kRecommender);
  EXPECT_TRUE((*catalog_->FindModel("m1"))->approved);
  EXPECT_EQ((*catalog_->FindModel("m1"))->created_at, 7);
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  EXPECT_EQ((*catalog_->Live())->reason, "why");
  const auto events = *catalog_->EventsAfter(0, 10);
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].ms_played, -1) << "nobody told it then";
  EXPECT_EQ(events[0].source, "");
  EXPECT_FALSE(catalog_->Live(ModelKind::kHits)->has_value());
  ASSERT_EQ(catalog_->Alarms(10)->size(), 1u);
  EXPECT_EQ((*catalog_->Alarms(10))[0].message, "why");
  EXPECT_EQ((*catalog_->Alarms(10))[0].state, "resolved") << "an alarm of before does not begin to ring now";
  EXPECT_TRUE(catalog_->alarm_book().UndeliveredChanges(10)->empty());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "h1", .kind = ModelKind::kHits}).ok());
  catalog_ = Open();
  EXPECT_EQ((*catalog_->Live(ModelKind::kHits))->to_model, "h1") << "upgraded once, not each time";
}

TEST_F(Catalogs, ATrialLeavesTheLivePointerAndEndsWithTheNextStep) {
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "m1"}).ok());
  EXPECT_FALSE(catalog_->Trial()->has_value());
  ASSERT_TRUE(catalog_->Deploy({.action = "shadow", .from_model = "m1", .to_model = "m2"}).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "canary", .from_model = "m1", .to_model = "m2"}).ok());
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  EXPECT_EQ((*catalog_->Trial())->action, "canary");
  EXPECT_FALSE(catalog_->Trial(ModelKind::kHits)->has_value());
  EXPECT_EQ(catalog_->Deploy({.action = "withdraw", .from_model = "m3", .to_model = "m1"}).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(catalog_->Deploy({.action = "withdraw", .from_model = "m2", .to_model = "m1"}).ok());
  EXPECT_FALSE(catalog_->Trial()->has_value());
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
  EXPECT_EQ(catalog_->Deploy({.action = "withdraw", .from_model = "m2", .to_model = "m1"}).error().code, ErrorCode::kConflict) << "only once";
  ASSERT_TRUE(catalog_->Deploy({.action = "canary", .from_model = "m1", .to_model = "m2"}).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "m1", .to_model = "m2"}).ok()) << "from the live model";
  EXPECT_FALSE(catalog_->Trial()->has_value());
  EXPECT_EQ((*catalog_->Live())->to_model, "m2");
}

TEST_F(Catalogs, AStepThatNamesTheNewestStepIsRefusedAfterAnother) {
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "m1"}).ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "canary", .from_model = "m1", .to_model = "m2"}).ok());
  const int64_t canary = (*catalog_->Trial())->seq;
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .to_model = "h1", .kind = ModelKind::kHits}).ok()) << "another kind's step is no matter";
  ASSERT_TRUE(catalog_->Deploy({.action = "withdraw", .from_model = "m2", .to_model = "m1"}).ok());
  const Status late = catalog_->Deploy({.seq = canary, .action = "promote", .from_model = "m1", .to_model = "m2"});
  ASSERT_FALSE(late.ok());
  EXPECT_EQ(late.error().code, ErrorCode::kConflict);
  EXPECT_EQ((*catalog_->Live())->to_model, "m1");
}

TEST_F(Catalogs, AliasesAreGivenMovedAndTakenAway) {
  ASSERT_TRUE(catalog_->PutAlias({"stable", "m1", 5, "cli"}).ok());
  ASSERT_TRUE(catalog_->PutAlias({"best", "m2", 6, "api"}).ok());
  ASSERT_TRUE(catalog_->PutAlias({"stable", "m3", 7, "cli"}).ok());
  const auto aliases = *catalog_->Aliases();
  ASSERT_EQ(aliases.size(), 2u);
  EXPECT_EQ(aliases[0].name, "best");
  EXPECT_EQ(aliases[1].model_id, "m3");
  EXPECT_EQ(aliases[1].at, 7);
  ASSERT_TRUE(catalog_->RemoveAlias("best").ok());
  EXPECT_EQ(catalog_->RemoveAlias("best").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(catalog_->Aliases()->size(), 1u);
}

TEST_F(Catalogs, ImpressionsKeepAllTheirFieldsAndAreFoundByList) {
  std::vector<Impression> lists(3);
  for (size_t i = 0; i < lists.size(); ++i) {
    lists[i] = {.list_id = "l" + std::to_string(i), .listener = "ann", .model_id = "m1", .arm = "canary", .mode = "next",
                .at_ms = 1000 + static_cast<int64_t>(i), .made_us = 7, .error = i == 2 ? "why" : "", .tracks = {"t1", "t2"}};
  }
  lists[2].tracks.clear();
  ASSERT_TRUE(catalog_->AppendImpressions(lists).ok());
  const auto found = *catalog_->FindImpression("l1");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->listener, "ann");
  EXPECT_EQ(found->arm, "canary");
  EXPECT_EQ(found->mode, "next");
  EXPECT_EQ(found->at_ms, 1001);
  EXPECT_EQ(found->made_us, 7);
  EXPECT_EQ(found->tracks, (std::vector<std::string>{"t1", "t2"}));
  EXPECT_FALSE(catalog_->FindImpression("l9")->has_value());
  const auto after = *catalog_->ImpressionsAfter(1, 10);
  ASSERT_EQ(after.size(), 2u);
  EXPECT_EQ(after[1].error, "why");
  EXPECT_TRUE(after[1].tracks.empty());
  EXPECT_EQ(catalog_->ImpressionsAfter(0, 2)->size(), 2u);
  ASSERT_TRUE(catalog_->PruneImpressions(2, 1001).ok());
  EXPECT_FALSE(catalog_->FindImpression("l0")->has_value());
  EXPECT_TRUE(catalog_->FindImpression("l1")->has_value()) << "not older";
  ASSERT_TRUE(catalog_->PruneImpressions(2, 9999).ok());
  EXPECT_TRUE(catalog_->FindImpression("l2")->has_value()) << "not through there";
  EXPECT_EQ(*catalog_->LastImpressionSeq(), 3);
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

TEST_F(Catalogs, AnAlarmGoesThroughItsStatesAndKeepsItsHistory) {
  AlarmBook& book = catalog_->alarm_book();
  const auto id = book.OpenAlarm({.at = 1, .severity = "warning", .name = "slow", .message = "m1", .rule = "slow", .state = "pending",
                                  .value = 2, .pending_ms = 1000}, 1000);
  ASSERT_TRUE(id.ok()) << id.error().message;
  EXPECT_TRUE(catalog_->Alarms(10)->empty()) << "it has not fired";
  EXPECT_TRUE(book.UndeliveredChanges(10)->empty()) << "nobody is told of what is pending";
  const auto twice = book.OpenAlarm({.name = "slow", .rule = "slow", .state = "firing"}, 2000);
  ASSERT_FALSE(twice.ok()) << "a rule has one open alarm";
  EXPECT_EQ(twice.error().code, ErrorCode::kConflict);
  EXPECT_EQ(book.AcknowledgeAlarm(*id, "api", "", 3000).error().code, ErrorCode::kConflict);
  ASSERT_TRUE(book.MoveAlarm(*id, "pending", "firing", 3, "rule", "m2", 61'000).ok());
  EXPECT_EQ(book.MoveAlarm(*id, "pending", "firing", 3, "rule", "m2", 61'000).error().code, ErrorCode::kConflict);
  EXPECT_EQ((*catalog_->Alarms(10))[0].message, "m2");
  EXPECT_EQ((*catalog_->Alarms(10))[0].at, 61);
  const auto seen = book.AcknowledgeAlarm(*id, "ann", "on it", 70'000);
  ASSERT_TRUE(seen.ok());
  EXPECT_EQ(seen->state, "firing") << "a rule's alarm ends when its condition does";
  EXPECT_EQ(book.AcknowledgeAlarm(*id, "bob", "", 71'000)->acknowledged_by, "ann") << "the first one counts";
  ASSERT_TRUE(book.MoveAlarm(*id, "firing", "resolved", 1, "rule", "", 80'000).ok());
  catalog_ = Open();
  const auto history = catalog_->alarm_book().AlarmHistory(*id);
  ASSERT_EQ(history->size(), 4u);
  EXPECT_EQ((*history)[0].change, "pending");
  EXPECT_EQ((*history)[1].change, "firing");
  EXPECT_EQ((*history)[2].change, "acknowledged");
  EXPECT_EQ((*history)[2].note, "on it");
  EXPECT_EQ((*history)[3].change, "resolved");
  EXPECT_EQ((*history)[3].at_ms, 80'000);
  EXPECT_EQ(catalog_->alarm_book().AlarmsByState()->at("resolved"), 1);
  EXPECT_TRUE(catalog_->alarm_book().OpenAlarm({.name = "slow", .rule = "slow", .state = "firing"}, 90'000).ok()) << "it may ring again";
}

TEST_F(Catalogs, AnEventsAlarmFiresAtOnceAndIsOverWhenAcknowledged) {
  ASSERT_TRUE(catalog_->AddAlarm({.at = 5, .severity = "critical", .name = "run_failed", .message = "why"}).ok());
  const int64_t id = (*catalog_->Alarms(1))[0].id;
  EXPECT_EQ(catalog_->alarm_book().ListAlarms({.state = "firing"})->size(), 1u);
  EXPECT_EQ(catalog_->alarm_book().AcknowledgeAlarm(id, "api", "", 9000)->state, "resolved");
  EXPECT_TRUE(catalog_->alarm_book().ListAlarms({.state = "open"})->empty());
  EXPECT_EQ(catalog_->alarm_book().AcknowledgeAlarm(99, "api", "", 9000).error().code, ErrorCode::kNotFound);
}

TEST_F(Catalogs, ChangesAreDeliveredInTheOrderOfTheirAlarm) {
  AlarmBook& book = catalog_->alarm_book();
  const int64_t a = *book.OpenAlarm({.name = "a", .rule = "a", .state = "firing"}, 1000);
  ASSERT_TRUE(book.MoveAlarm(a, "firing", "resolved", 0, "rule", "", 2000).ok());
  ASSERT_TRUE(book.OpenAlarm({.name = "b", .rule = "b", .state = "firing"}, 3000).ok());
  auto due = book.UndeliveredChanges(10);
  ASSERT_EQ(due->size(), 2u) << "one of each alarm";
  EXPECT_EQ((*due)[0].change, "firing");
  EXPECT_EQ((*due)[1].change, "firing");
  ASSERT_TRUE(book.DeliveryFailed((*due)[0].seq, 9000, "no answer").ok());
  ASSERT_TRUE(book.ChangeDelivered((*due)[1].seq, 4000).ok());
  due = book.UndeliveredChanges(10);
  ASSERT_EQ(due->size(), 1u);
  EXPECT_EQ((*due)[0].attempts, 1);
  EXPECT_EQ((*due)[0].next_ms, 9000);
  EXPECT_EQ((*due)[0].error, "no answer");
  ASSERT_TRUE(book.ChangeDelivered((*due)[0].seq, 9000).ok());
  EXPECT_EQ((*book.UndeliveredChanges(10))[0].change, "resolved");
}

TEST_F(Catalogs, RunsAreCountedByState) {
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r1", .state = "running"}).ok());
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r1", .state = "approved"}).ok());
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r2", .state = "refused"}).ok());
  const auto counts = *catalog_->RunsByState();
  EXPECT_EQ(counts, (std::map<std::string, int64_t>{{"approved", 1}, {"refused", 1}}));
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
