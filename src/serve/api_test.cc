#include "serve/testing.h"

#include <atomic>
#include <thread>

namespace segue::serve {
namespace {

TEST_F(Serving, AnswersBeforeAnyModelIsLive) {
  Start();
  const json status = Get("/v1/status");
  EXPECT_TRUE(status["live"].is_null());
  EXPECT_TRUE(status["run"].is_null());
  EXPECT_TRUE(status["next_scheduled_run"].is_null());
  const json list = Get("/v1/listeners/ann/recommendations");
  EXPECT_TRUE(list["items"].empty());
  EXPECT_FALSE(list["fallback"].is_null());
  Get("/healthz");
  Get("/readyz", 503);
}

TEST_F(Serving, TheStatusTellsWhenTheScheduleIsDueNext) {
  settings_.schedule_cron = "0 3 * * *";
  Start();
  const std::string next = Get("/v1/status")["next_scheduled_run"];
  EXPECT_EQ(next.substr(10), "T03:00:00Z") << next;
  EXPECT_GT(next, store::Iso8601(clock_.NowSeconds()));
}

TEST_F(Serving, EventsAreAcknowledgedOnceAndNameTheirFaults) {
  PutPopularityLive("m1");
  Start();
  const json good = {{{"event_id", "e1"}, {"listener", "ann"}, {"artist", "Somebody New"}, {"title", "A Song"}, {"kind", "play"},
                      {"at", "2026-01-01T10:00:00Z"}}};
  const json first = Ask("POST", "/v1/events", json{{"events", good}}.dump()).Json();
  EXPECT_EQ(first["accepted"], 1);
  EXPECT_EQ(Ask("POST", "/v1/events", json{{"events", good}}.dump()).Json()["duplicates"], 1);
  EXPECT_EQ(*catalog_->LastEventSeq(), 1);

  const json ok = {{"listener", "ann"}, {"track_id", ids_[0]}, {"kind", "play"}};
  const auto with = [&](const char* field, const json& value) {
    json event = ok;
    event[field] = value;
    return event;
  };
  const std::vector<std::tuple<json, int, std::string>> cases = {
      {with("kind", "adore"), 400, "kind"},       {with("listener", ""), 400, "listener"}, {with("listener", 5), 400, "listener"},
      {with("track_id", "t0"), 404, "track_id"},  {with("track_id", ""), 400, "names no track"}, {with("at", "soon"), 400, "at"},
      {with("at", 99999999999), 400, "at"},       {with("value", "x"), 400, "value"},     {with("kind", "rating"), 400, "value"},
      {json("text"), 400, "events[0]"}};
  for (const auto& [event, status, word] : cases) {
    const Answer answer = Ask("POST", "/v1/events", json{{"events", json::array({event})}}.dump());
    EXPECT_EQ(answer.status, status) << event;
    EXPECT_NE(answer.Json()["detail"].get<std::string>().find(word), std::string::npos) << answer.body;
  }
  for (const char* body : {"", "{", "[]", "{\"events\":{}}", "{\"events\":[]}", "\xff\xfe"}) {
    EXPECT_EQ(Ask("POST", "/v1/events", body).status, 400) << body;
  }
  EXPECT_EQ(*catalog_->LastEventSeq(), 1) << "nothing of a refused batch is kept";
}

TEST_F(Serving, ErrorsAreProblems) {
  PutPopularityLive("m1");
  Start();
  for (const auto& [target, status] : {std::pair{"/nothing", 404}, {"/v1/nothing", 404}, {"/v1/tracks/t0", 404},
                                       {"/v1/tracks/t0/similar", 404}, {"/v1/runs/r0", 404}, {"/v1/runs/r0/logs", 404},
                                       {"/v1/models/m0", 404}, {"/v1/datasets/d0/quality", 404},
                                       {"/v1/listeners/ann/recommendations?n=0", 400}, {"/v1/listeners/ann/recommendations?n=x", 400},
                                       {"/v1/listeners/ann/recommendations?n=1001", 400}, {"/v1/listeners/ann/recommendations?mode=odd", 400}}) {
    const Answer answer = Ask("GET", target);
    EXPECT_EQ(answer.status, status) << target;
    EXPECT_NE(answer.head.find("application/problem+json"), std::string::npos) << target;
    EXPECT_NE(answer.head.find("X-Request-Id"), std::string::npos);
    EXPECT_EQ(answer.Json()["status"], status);
  }
  const Answer method = Ask("DELETE", "/v1/status");
  EXPECT_EQ(method.status, 405);
  EXPECT_NE(method.head.find("Allow: GET"), std::string::npos);
}

TEST_F(Serving, AsksThePipelineAndWaitsForItsAnswer) {
  PutPopularityLive("m1");
  Start();
  EXPECT_EQ(Ask("POST", "/v1/runs", R"({"reason":"try"})").status, 202);
  EXPECT_EQ((*catalog_->PendingCommands())[0].kind, "run");
  EXPECT_EQ(Ask("POST", "/v1/models/rollback", "no json").status, 400);
  std::thread pipeline([&] {
    for (;;) {
      const auto commands = catalog_->PendingCommands();
      for (const auto& command : *commands) {
        if (command.kind != "rollback") continue;
        EXPECT_TRUE(catalog_->FinishCommand(command.id, "failed", R"({"code":"conflict","message":"nothing to go back to"})").ok());
        return;
      }
    }
  });
  const Answer answer = Ask("POST", "/v1/models/rollback", R"({"reason":"try"})");
  pipeline.join();
  EXPECT_EQ(answer.status, 409);
  EXPECT_EQ(answer.Json()["detail"], "nothing to go back to");
}

TEST_F(Serving, SearchesTheCatalogue) {
  PutPopularityLive("m1");
  Start();
  const json found = Get("/v1/tracks?q=number+17");
  ASSERT_EQ(found["items"].size(), 1u);
  EXPECT_EQ(found["items"][0]["title"], "Song Number 17");
  EXPECT_EQ(Get("/v1/tracks?q=ARTIST%20b&n=2")["items"].size(), 2u);
  EXPECT_TRUE(Get("/v1/tracks?q=zzzz")["items"].empty());
  EXPECT_EQ(Get("/v1/tracks/" + IdOf(3))["artist"], Artist(3));
  const json page = Get("/v1/tracks?n=20");
  EXPECT_EQ(page["next"], 20);
  EXPECT_EQ(Get("/v1/tracks?n=20&offset=20")["items"].size(), 10u);
}

TEST_F(Serving, ShowsRunsModelsQuarantineAndTheRest) {
  PutPopularityLive("m1");
  store::RunRecord run{.run_id = "r1", .trigger = "inbox", .state = "approved", .verdict = R"({"approved":true,"checks":[]})"};
  run.stages = {{.name = "ingest", .state = "done", .started_ms = 1000, .finished_ms = 3500}};
  ASSERT_TRUE(catalog_->PutRun(run).ok());
  ASSERT_TRUE(bucket_->Put("runs/r1/log.ndjson", "{}\n").ok());
  const std::vector<store::QuarantineRow> rows = {{.file = "f.csv", .line = 7, .field = "at", .reason = "no time"}};
  ASSERT_TRUE(catalog_->AddQuarantine(rows).ok());
  Start();
  EXPECT_EQ(Get("/v1/runs")["items"][0]["stages"][0]["seconds"], 2.5);
  EXPECT_EQ(Get("/v1/runs/r1")["verdict"]["approved"], true);
  EXPECT_EQ(Ask("GET", "/v1/runs/r1/logs").body, "{}\n");
  EXPECT_EQ(Get("/v1/models")["items"][0]["aliases"][0], "live");
  EXPECT_EQ(Get("/v1/models/m1")["model_id"], "m1");
  EXPECT_EQ(Get("/v1/quarantine")["items"][0]["line"], 7);
  EXPECT_EQ(Get("/v1/datasets/d1/quality")["rows"]["in"], 5);
  EXPECT_EQ(Get("/v1/deployments")["items"][0]["to"], "m1");
  EXPECT_TRUE(Get("/v1/alarms")["items"].empty());
  EXPECT_EQ(Get("/v1/listeners")["items"][0]["listener"], "ann");
  EXPECT_NE(Ask("GET", "/metrics").body.find("segue_requests_total"), std::string::npos);
  EXPECT_NE(Ask("GET", "/").body.find("<title>Segue</title>"), std::string::npos);
  EXPECT_EQ(Ask("HEAD", "/healthz").status, 200);
}

TEST_F(Serving, TimesAreReadWithTheirZones) {
  PutPopularityLive("m1");
  Start();
  const auto post = [&](const char* at) {
    return Post({{{"listener", "ann"}, {"track_id", ids_[0]}, {"kind", "play"}, {"at", at}}});
  };
  for (const char* at : {"2026-03-01T12:30:00Z", "2026-03-01T14:30:00+02:00", "2026-03-01T14:30:00+0200", "2026-03-01T10:00:00-02:30",
                         "2026-03-01T10:00:00-0230", "2026-03-01 12:30:00.250", "2026-03-01T12:30:00"}) {
    EXPECT_EQ(post(at), 200) << at;
  }
  const auto kept = *catalog_->EventsAfter(0, 100);
  EXPECT_EQ(kept.size(), 7u);
  for (const auto& event : kept) EXPECT_EQ(event.at, 1'772'368'200);
  for (const char* at : {"2026-02-30T12:00:00Z", "2026-03-01T-1:00:00Z", "2026-03-01T12:00:00+02:00x", "2026-03-01T12:00:00+25:00",
                         "2026-03-01T12:00:00+2", "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01", "now"}) {
    EXPECT_EQ(post(at), 400) << at;
  }
}

TEST_F(Serving, ProblemsTellWhichRequestTheyAnswer) {
  Start();
  const Answer answer = Ask("GET", "/v1/tracks/t0?x=1");
  EXPECT_EQ(answer.Json()["instance"], "/v1/tracks/t0?x=1");
  EXPECT_EQ(answer.Json()["type"], "about:blank");
  EXPECT_NE(answer.head.find("X-Request-Id: " + answer.Json()["request_id"].get<std::string>()), std::string::npos);
  EXPECT_NE(Ask("DELETE", "/v1/runs").head.find("Allow: GET, HEAD, POST"), std::string::npos);
}

TEST_F(Serving, PromotesAndSaysWhatIsLive) {
  PutPopularityLive("m1");
  PutPopularityLive("m2");
  Start();
  EXPECT_EQ(Ask("POST", "/v1/models/m9/promote", "{}").status, 404);
  std::atomic<bool> stop{false};
  std::thread pipeline([&] {
    while (!stop.load()) {
      const auto commands = catalog_->PendingCommands();
      for (const auto& command : *commands) {
        EXPECT_EQ(command.kind, "promote");
        EXPECT_EQ(json::parse(command.arguments), json({{"model_id", "m1"}, {"reason", "better"}}));
        EXPECT_TRUE(catalog_->Deploy({.at = 2, .action = "promote", .from_model = "m2", .to_model = "m1"}).ok());
        EXPECT_TRUE(catalog_->FinishCommand(command.id, "done", R"({"from":"m2","live":"m1","to":"m1"})").ok());
      }
    }
  });
  const Answer answer = Ask("POST", "/v1/models/m1/promote", R"({"reason":"better"})");
  stop = true;
  pipeline.join();
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.Json(), json({{"from", "m2"}, {"live", "m1"}, {"to", "m1"}, {"serving", true}}));
  EXPECT_EQ(Get("/v1/status")["live"]["model_id"], "m1") << "seen at once";
}

TEST_F(Serving, ListsTheRowsThatCleaningRejected) {
  Start();
  const json rejected = Get("/v1/datasets/d1/rejected?n=1");
  ASSERT_EQ(rejected["items"].size(), 1u);
  EXPECT_EQ(rejected["items"][0]["line"], 7);
  EXPECT_EQ(rejected["items"][0]["reason"], "in the future");
  EXPECT_EQ(Get("/v1/datasets/d1/rejected?offset=1")["items"][0]["rule"], "dup");
  Get("/v1/datasets/d0/rejected", 404);
  Get("/v1/datasets/..%2fx/rejected", 404);
}

TEST_F(Serving, MetricsCountByRouteAndStatus) {
  PutPopularityLive("m1");
  Start();
  Get("/v1/tracks/" + ids_[0]);
  Get("/v1/tracks/" + ids_[1]);
  Get("/v1/tracks/t0", 404);
  ASSERT_EQ(Ask("PUT", "/v1/inbox/a/b.json", "[]").status, 202);
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", ids_[0]}, {"kind", "like"}}}), 200);
  const std::string text = Ask("GET", "/metrics").body;
  for (const char* line : {"segue_requests_total{route=\"/v1/tracks/{id}\",status=\"200\"} 2\n",
                           "segue_requests_total{route=\"/v1/tracks/{id}\",status=\"404\"} 1\n",
                           "segue_requests_total{route=\"/v1/inbox/{name}\",status=\"202\"} 1\n",
                           "segue_model_info{model_id=\"m1\",algorithm=\"popularity\",dataset_id=\"d1\"} 1\n", "segue_events_total 1\n",
                           "segue_request_seconds_bucket{route=\"/v1/tracks/{id}\",le=\"+Inf\"} 3\n",
                           "segue_request_seconds_count{route=\"/v1/tracks/{id}\"} 3\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
}

}  // namespace
}  // namespace segue::serve
