#include "serve/testing.h"

#include <atomic>
#include <thread>

namespace segue::serve {
namespace {

TEST_F(Serving, PathTricksLeadNowhere) {
  Start();
  for (const char* target : {"/v1/../v1/status", "/v1/%2e%2e/x", "//v1/status", "/v1/tracks/%00", "/v1/tracks/%zz", "/v1/inbox/../../x",
                             "/v1/datasets/..%2f..%2fcatalog.sqlite/quality", "/v1/runs/..%2f..%2fx/logs"}) {
    const int status = Ask("GET", target).status;
    EXPECT_TRUE(status >= 400 && status < 500) << target << " " << status;
  }
  for (const char* target : {"/v1/inbox/..%2fx", "/v1/inbox/%2e%2e", "/v1/inbox/a%5cb", "/v1/inbox/.hidden", "/v1/inbox/a%0ab"}) {
    EXPECT_EQ(Ask("PUT", target, "x").status, 400) << target;
  }
  EXPECT_TRUE(bucket_->List("inbox")->empty());
}

TEST_F(Serving, UploadsLandInTheInboxWhole) {
  Start();
  const std::string file(3'000'000, 'x');
  const Answer answer = Ask("PUT", "/v1/inbox/ann/export%201.json", file);
  EXPECT_EQ(answer.status, 202) << answer.body;
  EXPECT_EQ(answer.Json()["object"], "inbox/ann/export 1.json");
  EXPECT_EQ(*bucket_->Get("inbox/ann/export 1.json"), file);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/a.json?listener=bob", "[]").Json()["object"], "inbox/bob/a.json");
  EXPECT_EQ(Get("/v1/status")["inbox"]["pending"], 2);
  EXPECT_EQ(Ask("GET", "/v1/inbox/a.json").status, 405);
}

TEST_F(Serving, AnUploadThatBreaksOffLeavesNothing) {
  Start();
  {
    Wire wire(server_->port());
    wire.Send("PUT /v1/inbox/a.json HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf");
  }
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_TRUE(bucket_->List("inbox")->empty());
}

TEST_F(Serving, HugeBodiesAndHeadersAreRefused) {
  settings_.max_body_bytes = 10'000;
  settings_.max_upload_bytes = 10'000;
  Start();
  EXPECT_EQ(Ask("POST", "/v1/events", std::string(20'000, 'x')).status, 413);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/a", std::string(20'000, 'x')).status, 413);
  EXPECT_EQ(Ask("GET", "/healthz", "", "X-Long: " + std::string(20'000, 'x') + "\r\n").status, 431);
  Wire rubbish(server_->port());
  rubbish.Send("\x16\x03\x01 this is no http\r\n\r\n");
  EXPECT_EQ(rubbish.Read().status, 400);
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(Serving, ASlowClientIsCutOffAndHoldsUpNobody) {
  settings_.request_timeout_s = 1;
  Start();
  Wire slow(server_->port());
  slow.Send("POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{");
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
  EXPECT_EQ(slow.Read().status, 0) << "the connection ends";
}

TEST_F(Serving, RequestsOfOneConnectionAreAnsweredInOrder) {
  Start();
  Wire wire(server_->port());
  const std::string get = "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n";
  wire.Send(get + "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n" + get);
  EXPECT_EQ(wire.Read().status, 200);
  EXPECT_EQ(wire.Read().status, 404);
  EXPECT_EQ(wire.Read().status, 200);
}

TEST_F(Serving, BodiesMayComeInChunksAndAreCheckedAllTheSame) {
  PutPopularityLive("m1");
  settings_.max_body_bytes = 10'000;
  Start();
  const auto chunked = [&](const std::string& target, const std::string& method, const std::string& body) {
    Wire wire(server_->port());
    char size[32];
    std::snprintf(size, sizeof size, "%zx", body.size());
    wire.Send(method + " " + target + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + size + "\r\n" + body + "\r\n0\r\n\r\n");
    return wire.Read();
  };
  EXPECT_EQ(chunked("/v1/events", "POST", json{{"events", {{{"listener", "ann"}, {"track_id", ids_[0]}, {"kind", "like"}}}}}.dump()).status, 200);
  EXPECT_EQ(chunked("/v1/events", "POST", std::string(20'000, ' ')).status, 413);
  EXPECT_EQ(chunked("/v1/inbox/c.json", "PUT", "[1]").status, 202);
  EXPECT_EQ(*bucket_->Get("inbox/c.json"), "[1]");
  const Answer deep = Ask("POST", "/v1/events", std::string(9'000, '['));
  EXPECT_EQ(deep.status, 400);
  EXPECT_NE(deep.Json()["detail"].get<std::string>().find("byte"), std::string::npos) << deep.body;
}

TEST_F(Serving, BadTextIsRefusedNotAnsweredWithABug) {
  PutPopularityLive("m1");
  Start();
  for (const char* target : {"/v1/listeners/%ff/recommendations", "/v1/tracks/%c3%28", "/v1/tracks?q=%ff", "/v1/models/%ff"}) {
    EXPECT_EQ(Ask("GET", target).status, 400) << target;
  }
  EXPECT_EQ(Ask("POST", "/v1/models/%ff/promote").status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/%ff.json", "[]").status, 400);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/" + std::string(300, 'a'), "[]").status, 400);
  EXPECT_EQ(Post({{{"listener", std::string("a\0b", 3)}, {"track_id", ids_[0]}, {"kind", "like"}}}), 400);
  const Answer broken = Ask("POST", "/v1/runs", "{\"reason\":");
  EXPECT_EQ(broken.status, 400);
  EXPECT_NE(broken.Json()["detail"].get<std::string>().find("byte"), std::string::npos) << broken.body;
  EXPECT_TRUE(catalog_->PendingCommands()->empty());
}

TEST_F(Serving, ATokenIsAskedForWhereOneIsSet) {
  settings_.token = "secret";
  Start();
  EXPECT_EQ(Ask("GET", "/v1/status").status, 401);
  EXPECT_EQ(Ask("GET", "/v1/status", "", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(Ask("GET", "/v1/status", "", "Authorization: Bearer secret\r\n").status, 200);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/a", "x").status, 401);
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(Serving, ListensWhereItMayAndSaysWhyNot) {
  settings_.listen = "0.0.0.0:0";
  const Context context{*bucket_, *catalog_, clock_, settings_, instruments_, folder_};
  EXPECT_EQ(serve::Start(context).error().code, ErrorCode::kPermission);
  settings_.listen = "nonsense";
  EXPECT_EQ(serve::Start(context).error().code, ErrorCode::kInvalid);
  settings_.listen = "127.0.0.1:0";
  Start();
  settings_.listen = "127.0.0.1:" + std::to_string(server_->port());
  const auto taken = serve::Start(context);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kConflict);
}

TEST_F(Serving, StopsCleanlyWithConnectionsOpen) {
  Start();
  Wire idle(server_->port());
  EXPECT_TRUE(idle.connected());
  Wire half(server_->port());
  half.Send("GET /healthz HT");
  server_->Stop();
  server_.reset();
  EXPECT_EQ(idle.Read().status, 0);
}

TEST_F(Serving, ASwapDropsNoRequest) {
  PutPopularityLive("m1");
  Start();
  std::atomic<bool> stop{false};
  std::atomic<int> failed{0}, asked{0};
  std::vector<std::thread> clients;
  for (int c = 0; c < 2; ++c) {
    clients.emplace_back([&] {
      Wire wire(server_->port());
      while (!stop.load()) {
        wire.Send("GET /v1/listeners/ann/recommendations?n=5 HTTP/1.1\r\nHost: x\r\n\r\n");
        const Answer answer = wire.Read();
        if (answer.status != 200 || answer.Json()["items"].size() != 5) ++failed;
        ++asked;
      }
    });
  }
  for (int swap = 2; swap < 6; ++swap) {
    const std::string id = "m" + std::to_string(swap);
    PutPopularityLive(id);
    WaitForModel(id);
    EXPECT_EQ(Get("/v1/listeners/ann/recommendations")["model_id"], id);
  }
  stop = true;
  for (auto& client : clients) client.join();
  EXPECT_EQ(failed.load(), 0);
  EXPECT_GT(asked.load(), 10);
}

TEST_F(Serving, ABrokenModelIsNotServedAndTheOneBeforeGoesOn) {
  PutPopularityLive("m1");
  Start();
  ASSERT_TRUE(bucket_->Put(store::ModelKey("m2", "model.segue"), "damaged").ok());
  ASSERT_TRUE(catalog_->Deploy({.action = "promote", .from_model = "m1", .to_model = "m2"}).ok());
  PutPopularityLive("m3");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  std::string live;
  while (live != "m3" && std::chrono::steady_clock::now() < end) {
    live = Get("/v1/status")["live"]["model_id"];
    EXPECT_NE(live, "m2");
  }
  EXPECT_EQ(live, "m3");
}

TEST_F(Serving, AStopCutsOffHalfRequestsAndLetsWholeOnesEnd) {
  PutPopularityLive("m1");
  settings_.request_timeout_s = 30;
  Start();
  Wire header(server_->port());
  header.Send("GET /healthz HTTP/1.1\r\nHost:");
  Wire waits(server_->port());
  waits.Send("POST /v1/models/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(Until([&] { return PendingCommand() != 0; }));
  std::thread stops([&] { server_->Stop(); });
  EXPECT_TRUE(Until([&] { return !Wire(server_->port()).connected(); })) << "nobody new is let in";
  EXPECT_TRUE(catalog_->FinishCommand(PendingCommand(), "failed", R"({"code":"conflict","message":"nothing to go back to"})").ok());
  EXPECT_EQ(waits.Read().status, 409) << "it was under way";
  stops.join();
  server_.reset();
  EXPECT_EQ(header.Read().status, 0);
}

TEST_F(Serving, AStopDoesNotWaitForeverForAnAnswer) {
  PutPopularityLive("m1");
  Start();
  Wire waits(server_->port());
  waits.Send("POST /v1/models/rollback HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  ASSERT_TRUE(Until([&] { return PendingCommand() != 0; }));
  server_.reset();
  EXPECT_EQ(waits.Read().status, 0) << "nobody answers it";
}

}  // namespace
}  // namespace segue::serve
