#include <gtest/gtest.h>

#include <atomic>
#include <mutex>

#include "serve/testing.h"

namespace segue::serve {
namespace {

/// Keeps what it is told.
class Listener final : public RequestObserver {
 public:
  void Answered(const AnsweredRequest& request) override {
    const std::lock_guard lock(mutex_);
    told_.push_back(std::string(request.method) + " " + std::string(request.route) + " " + std::to_string(request.status));
    bytes_ += request.bytes;
  }
  std::string Exposition() const override { return "# HELP extra x\n# TYPE extra gauge\nextra 1\n"; }
  std::vector<std::string> told() const {
    const std::lock_guard lock(mutex_);
    return told_;
  }
  uint64_t bytes() const { return bytes_.load(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> told_;
  std::atomic<uint64_t> bytes_{0};
};

TEST_F(Serving, AlarmsAreListedByStateShownWithTheirHistoryAndAcknowledged) {
  Start();
  store::AlarmBook& book = catalog_->alarm_book();
  ASSERT_TRUE(catalog_->AddAlarm({.at = 5, .severity = "critical", .name = "run_failed", .message = "why", .run_id = "r1"}).ok());
  const int64_t slow = *book.OpenAlarm({.at = 7, .severity = "warning", .name = "slow", .message = "it is slow", .rule = "slow", .state = "pending",
                                        .value = 0.75, .pending_ms = 7000}, 7000);
  EXPECT_EQ(Get("/v1/alarms")["items"].size(), 2u);
  EXPECT_EQ(Get("/v1/alarms?state=pending")["items"][0]["rule"], "slow");
  EXPECT_EQ(Get("/v1/alarms?state=firing")["items"][0]["run_id"], "r1");
  EXPECT_EQ(Get("/v1/alarms?state=resolved")["items"].size(), 0u);
  EXPECT_EQ(Get("/v1/alarms?name=slow&n=1")["next"], slow);
  Get("/v1/alarms?state=ringing", 400);
  const std::string address = "/v1/alarms/" + std::to_string(slow);
  EXPECT_EQ(Ask("POST", address + "/acknowledge").status, 409) << "it has not fired";
  ASSERT_TRUE(book.MoveAlarm(slow, "pending", "firing", 1.5, "rule", "", 9000).ok());
  EXPECT_EQ(Ask("POST", address + "/acknowledge", R"({"note":7})").status, 400);
  const Answer seen = Ask("POST", address + "/acknowledge", R"({"note":"on it"})");
  EXPECT_EQ(seen.status, 200);
  EXPECT_EQ(seen.Json()["acknowledged"]["by"], "api");
  const json alarm = Get(address);
  EXPECT_EQ(alarm["value"], 1.5);
  ASSERT_EQ(alarm["history"].size(), 3u);
  EXPECT_EQ(alarm["history"][1]["change"], "firing");
  EXPECT_EQ(alarm["history"][2]["note"], "on it");
  Get("/v1/alarms/99", 404);
  Get("/v1/alarms/x", 404);
}

TEST_F(Serving, LogsAreSearched) {
  Start();
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r1", .state = "approved", .started_ms = 1'700'000'000'000, .finished_ms = 1'700'000'001'000}).ok());
  const auto line = [](const char* stage, const char* level, const char* message) {
    return std::string("{\"at\":\"2023-11-14T22:13:20.000Z\",\"level\":\"") + level + "\",\"stage\":\"" + stage + "\",\"message\":\"" + message + "\",\"fields\":{}}\n";
  };
  ASSERT_TRUE(bucket_->Put(store::RunKey("r1", "log.ndjson"), line("clean", "info", "cleaned") + line("train", "error", "failed")).ok());
  EXPECT_EQ(Get("/v1/logs")["items"].size(), 2u);
  const json found = Get("/v1/logs?run=r1&stage=train&level=warning&q=FAIL&since=2023&until=2023-12");
  ASSERT_EQ(found["items"].size(), 1u);
  EXPECT_EQ(found["items"][0]["run_id"], "r1");
  EXPECT_EQ(found["items"][0]["message"], "failed");
  EXPECT_TRUE(found["next"].is_null());
  const json first = Get("/v1/logs?n=1");
  const json second = Get("/v1/logs?n=1&cursor=" + first["next"].get<std::string>());
  EXPECT_EQ(first["items"][0]["message"], "failed");
  EXPECT_EQ(second["items"][0]["message"], "cleaned");
  EXPECT_TRUE(second["next"].is_null());
  Get("/v1/logs?run=r9", 404);
  Get("/v1/logs?level=loud", 400);
}

TEST_F(Serving, ADatasetsDriftIsThatOfTheRunThatMadeIt) {
  Start();
  Get("/v1/datasets/d9/drift", 404);
  EXPECT_TRUE(Get("/v1/datasets/d1/drift")["run_id"].is_null()) << "nobody has compared it";
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r1", .state = "approved", .dataset_id = "d1"}).ok());
  ASSERT_TRUE(catalog_->PutRun({.run_id = "r2", .state = "approved", .dataset_id = "d2"}).ok());
  ASSERT_TRUE(bucket_->Put(store::RunKey("r1", "drift.json"), R"({"baseline_dataset_id":"d0","columns":[{"column":"tracks.tempo"}],"drifted":"tracks.tempo"})").ok());
  ASSERT_TRUE(catalog_->SetMeta("listening_drift", R"({"dataset_id":"d1","plays":70})").ok());
  const json drift = Get("/v1/datasets/d1/drift");
  EXPECT_EQ(drift["run_id"], "r1");
  EXPECT_EQ(drift["baseline_dataset_id"], "d0");
  EXPECT_EQ(drift["columns"][0]["column"], "tracks.tempo");
  EXPECT_EQ(drift["listening"]["plays"], 70);
}

TEST_F(Serving, WhoObservesIsToldOfEachAnswerAndAddsToTheMetrics) {
  Listener listener;
  auto server = serve::Start({*bucket_, *catalog_, clock_, settings_, instruments_, folder_, &listener});
  ASSERT_TRUE(server.ok());
  server_ = *std::move(server);
  const size_t size = Ask("GET", "/healthz").body.size();
  Ask("GET", "/v1/nothing?token=secret");
  EXPECT_EQ(listener.told(), (std::vector<std::string>{"GET /healthz 200", "GET  404"}));
  EXPECT_GT(listener.bytes(), size);
  EXPECT_NE(Ask("GET", "/metrics").body.find("extra 1\n"), std::string::npos);
  server_.reset();
}

TEST_F(Serving, RequestsAreNotCountedWhereMetricsAreOff) {
  settings_.metrics = "off";
  Start();
  Get("/healthz");
  const std::string text = Ask("GET", "/metrics").body;
  EXPECT_EQ(text.find("segue_requests_total"), std::string::npos);
  EXPECT_NE(text.find("segue_model_live 0\n"), std::string::npos);
}

}  // namespace
}  // namespace segue::serve
