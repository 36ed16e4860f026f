#include "serve/server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "models/ials.h"
#include "models/popularity.h"
#include "store/dataset_store.h"
#include "store/duck.h"

namespace segue::serve {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

struct Answer {
  int status = 0;
  std::string head;
  std::string body;
  json Json() const { return json::parse(body, nullptr, false); }
};

/// A connection of our own, so that broken requests can be sent.
class Wire {
 public:
  explicit Wire(uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval patience{20, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~Wire() { ::close(descriptor_); }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  bool connected() const { return connected_; }
  void Send(std::string_view bytes) const {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
  }

  /// The next answer; status 0 where the connection ends before it.
  Answer Read(bool has_body = true) {
    while (buffer_.find("\r\n\r\n") == std::string::npos) {
      if (!More()) return {};
    }
    Answer answer;
    const size_t end = buffer_.find("\r\n\r\n");
    answer.head = buffer_.substr(0, end);
    answer.status = std::atoi(answer.head.c_str() + 9);
    const size_t at = answer.head.find("Content-Length: ");
    const size_t length = at == std::string::npos || !has_body ? 0 : static_cast<size_t>(std::atoll(answer.head.c_str() + at + 16));
    while (buffer_.size() < end + 4 + length) {
      if (!More()) return {};
    }
    answer.body = buffer_.substr(end + 4, length);
    buffer_.erase(0, end + 4 + length);
    return answer;
  }

 private:
  bool More() {
    char block[65536];
    const ssize_t size = ::recv(descriptor_, block, sizeof block, 0);
    if (size <= 0) return false;
    buffer_.append(block, static_cast<size_t>(size));
    return true;
  }

  int descriptor_;
  bool connected_ = false;
  std::string buffer_;
};

class Serving : public testing::Test {
 protected:
  void SetUp() override {
    folder_.root = fs::temp_directory_path() / ("segue-serve-" + std::to_string(::getpid()) + "-" +
                                                testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::create_directories(folder_.inbox());
    bucket_ = *store::OpenFolderStore(folder_.bucket());
    catalog_ = *store::OpenSqliteCatalog(folder_.catalog());
    settings_.listen = "127.0.0.1:0";
    settings_.request_timeout_s = 2;
    settings_.max_per_artist = 100;
    MakeDataset();
  }
  void TearDown() override {
    server_.reset();
    fs::remove_all(folder_.root);
  }

  void Start() {
    auto server = serve::Start({*bucket_, *catalog_, clock_, settings_, instruments_, folder_});
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = *std::move(server);
  }

  static constexpr const char* kOldId = "t-an-older-id";
  static std::string Artist(int i) { return "Artist " + std::string(1, static_cast<char>('A' + i % 10)); }
  static std::string Title(int i) { return "Song Number " + std::to_string(i); }
  static std::string IdOf(int i) { return TrackIdOf(NameKey(Artist(i), Title(i))); }

  /// Writes datasets/<id>: `fill` inserts into t (tracks), i (interactions), a (aliases), r (rejected).
  void WriteDataset(const std::string& dataset_id, const std::vector<std::string>& fill, int64_t events_through = 0) {
    const auto duck = *store::OpenDuck({.threads = 1});
    const auto run = [&](const std::string& sql) {
      const segue::Status done = duck->Run(sql);
      ASSERT_TRUE(done.ok()) << done.error().message;
    };
    run("CREATE TABLE t(" + std::string(store::kTracksSchema) + ")");
    run("CREATE TABLE i(" + std::string(store::kInteractionsSchema) + ")");
    run("CREATE TABLE a(" + std::string(store::kAliasesSchema) + ")");
    run("CREATE TABLE r(" + std::string(store::kRejectedSchema) + ")");
    for (const std::string& sql : fill) run(sql);
    run("INSERT INTO a SELECT track_id, track_id FROM t");
    const fs::path at = folder_.bucket() / "datasets" / dataset_id;
    fs::create_directories(at);
    for (const auto& [rows, leaf] : {std::pair{"(SELECT * FROM t ORDER BY track_id)", "tracks"}, {"i", "interactions"},
                                     {"a", "aliases"}, {"r", "rejected"}}) {
      run("COPY " + std::string(rows) + " TO " + store::Quoted((at / leaf).string() + ".parquet") + " (FORMAT parquet)");
    }
    std::ofstream(at / "manifest.json") << json{{"events_through_seq", events_through}};
    std::ofstream(at / "quality.json") << R"({"rows":{"in":5}})";
    ASSERT_TRUE(catalog_->SetMeta("judged_dataset", dataset_id).ok());
  }

  static std::string TrackRow(const std::string& id, const std::string& artist, const std::string& title) {
    return "INSERT INTO t(track_id,title,artist) VALUES (" + store::Quoted(id) + "," + store::Quoted(title) + "," +
           store::Quoted(artist) + ")";
  }

  /// Thirty tracks; ann has played the first five. Track 20 had another id once.
  std::vector<std::string> Rows() const {
    std::vector<std::string> fill;
    for (int k = 0; k < 30; ++k) {
      const std::string id = IdOf(k);
      fill.push_back(TrackRow(id, Artist(k), Title(k)));
      if (k < 5) {
        fill.push_back("INSERT INTO i VALUES ('ann'," + store::Quoted(id) + "," + std::to_string(1'600'000'000 + k) +
                       ",'play',1,NULL)");
      }
    }
    fill.push_back("INSERT INTO a VALUES (" + store::Quoted(kOldId) + "," + store::Quoted(IdOf(20)) + ")");
    fill.push_back("INSERT INTO r VALUES ('abc','f.csv',7,'future','at','in the future','2099'), ('abc','f.csv',NULL,'dup',NULL,'twice',NULL)");
    return fill;
  }
  void MakeDataset() {
    for (int k = 0; k < 30; ++k) ids_.push_back(IdOf(k));
    std::sort(ids_.begin(), ids_.end());
    WriteDataset("d1", Rows());
  }

  void PutLive(const std::string& model_id, std::unique_ptr<models::Model> model) {
    const fs::path file = bucket_->ScratchFolder() / model_id;
    ASSERT_TRUE(model->Save(file).ok());
    ASSERT_TRUE(bucket_->PutFile(store::ModelKey(model_id, "model.segue"), file).ok());
    ASSERT_TRUE(catalog_->PutModel({.model_id = model_id, .algorithm = std::string(model->algorithm()), .dataset_id = "d1"}).ok());
    const auto live = *catalog_->Live();
    ASSERT_TRUE(catalog_->Deploy({.at = 1, .action = "promote", .from_model = live ? live->to_model : "", .to_model = model_id}).ok());
  }

  void PutPopularityLive(const std::string& model_id) { PutPopularityLive(model_id, ids_); }
  /// The last of the ids is the most popular.
  void PutPopularityLive(const std::string& model_id, const std::vector<std::string>& ids) {
    std::vector<float> listeners, plays(ids.size(), 1.0f);
    for (size_t i = 0; i < ids.size(); ++i) listeners.push_back(static_cast<float>(i + 1));
    PutLive(model_id, models::PopularityModel::Make(ids, listeners, plays));
  }

  /// Tracks i, i + 6, i + 12... of ids_ are alike.
  void PutIalsLive(const std::string& model_id) {
    models::IalsModel::Parts parts{ids_, 16, {}, std::vector<float>(30, 1.0f), {2, 1, 0, 1}};
    for (int i = 0; i < 30; ++i) {
      for (int j = 0; j < 16; ++j) parts.y.push_back(j == i % 6 ? 1.0f : 0.05f);
    }
    PutLive(model_id, models::IalsModel::Make(parts));
  }

  Answer Ask(const std::string& method, const std::string& target, const std::string& body = "", const std::string& headers = "") const {
    Wire wire(server_->port());
    wire.Send(method + " " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "Content-Length: " + std::to_string(body.size()) +
              "\r\n\r\n" + body);
    return wire.Read(method != "HEAD");
  }
  json Get(const std::string& target, int status = 200) const {
    const Answer answer = Ask("GET", target);
    EXPECT_EQ(answer.status, status) << target << ": " << answer.body;
    return answer.Json();
  }
  std::vector<std::string> ListOf(const std::string& listener, const std::string& more = "") const {
    std::vector<std::string> ids;
    const json list = Get("/v1/listeners/" + listener + "/recommendations?n=30" + more);
    for (const json& item : list["items"]) ids.push_back(item["track_id"]);
    return ids;
  }
  void WaitForModel(const std::string& model_id) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (Get("/v1/status")["live"]["model_id"] != model_id && std::chrono::steady_clock::now() < end) {
    }
    ASSERT_EQ(Get("/v1/status")["live"]["model_id"], model_id);
  }
  int Post(const json& events) const { return Ask("POST", "/v1/events", json{{"events", events}}.dump()).status; }
  static bool Has(const std::vector<std::string>& ids, const std::string& id) { return std::find(ids.begin(), ids.end(), id) != ids.end(); }

  store::DataFolder folder_;
  store::SystemClock clock_;
  Settings settings_;
  NoInstruments instruments_;
  std::unique_ptr<store::ObjectStore> bucket_;
  std::unique_ptr<store::Catalog> catalog_;
  std::vector<std::string> ids_;
  std::unique_ptr<Server> server_;
};

TEST_F(Serving, AnswersBeforeAnyModelIsLive) {
  Start();
  const json status = Get("/v1/status");
  EXPECT_TRUE(status["live"].is_null());
  EXPECT_TRUE(status["run"].is_null());
  const json list = Get("/v1/listeners/ann/recommendations");
  EXPECT_TRUE(list["items"].empty());
  EXPECT_FALSE(list["fallback"].is_null());
  Get("/healthz");
  Get("/readyz", 503);
}

TEST_F(Serving, RecommendsUnheardTracksWithReasons) {
  PutPopularityLive("m1");
  Start();
  const json list = Get("/v1/listeners/ann/recommendations?n=10");
  EXPECT_EQ(list["model_id"], "m1");
  EXPECT_TRUE(list["fallback"].is_null());
  ASSERT_EQ(list["items"].size(), 10u);
  for (const json& item : list["items"]) {
    EXPECT_FALSE(item["reason"].get<std::string>().empty());
    for (int k = 0; k < 5; ++k) EXPECT_NE(item["track_id"], IdOf(k)) << "she has heard it";
  }
  EXPECT_EQ(ListOf("ann").size(), 25u);
  EXPECT_EQ(ListOf("ann", "&mode=next").size(), 30u) << "repeats are allowed for what comes next";
  EXPECT_NE(Get("/v1/listeners/ann/recommendations")["list_id"], Get("/v1/listeners/ann/recommendations")["list_id"]);
  EXPECT_FALSE(Get("/v1/listeners/nobody/recommendations")["fallback"].is_null());
}

TEST_F(Serving, ADislikeActsOnTheNextResponseAndForGood) {
  PutPopularityLive("m1");
  Start();
  const std::string first = ListOf("ann")[0];
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", first}, {"kind", "dislike"}}}), 200);
  EXPECT_FALSE(Has(ListOf("ann"), first));
  EXPECT_FALSE(Has(ListOf("ann", "&mode=next"), first));
  EXPECT_TRUE(Has(ListOf("bob"), first)) << "others still get it";
  PutPopularityLive("m2");
  server_.reset();
  Start();
  EXPECT_FALSE(Has(ListOf("ann", "&mode=next"), first)) << "after a swap and a restart too";
}

TEST_F(Serving, ALikeChangesWhatTheModelSays) {
  PutIalsLive("m1");
  Start();
  const auto before = ListOf("new-listener");
  ASSERT_EQ(Post({{{"listener", "new-listener"}, {"track_id", ids_[5]}, {"kind", "like"}}}), 200);
  const auto after = ListOf("new-listener");
  EXPECT_NE(before, after);
  EXPECT_FALSE(Has(after, ids_[5]));
  EXPECT_TRUE(after[0] == ids_[11] || after[0] == ids_[17] || after[0] == ids_[23] || after[0] == ids_[29]) << "those like it come first";
  const json reason = Get("/v1/listeners/new-listener/recommendations?n=1")["items"][0]["reason"];
  EXPECT_NE(reason.get<std::string>().find("because you played"), std::string::npos) << reason;
  const json similar = Get("/v1/tracks/" + ids_[5] + "/similar?n=3");
  EXPECT_EQ(similar["items"].size(), 3u);
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

TEST_F(Serving, EventsOfAnotherProcessCountToo) {
  PutPopularityLive("m1");
  Start();
  const std::string first = ListOf("ann")[0];
  auto other = *store::OpenSqliteCatalog(folder_.catalog());
  const std::vector<store::FeedbackEvent> events = {{.listener = "ann", .track_id = first, .kind = "dislike", .at = 1'700'000'000}};
  ASSERT_TRUE(other->AppendEvents(events).ok());
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (Has(ListOf("ann"), first) && std::chrono::steady_clock::now() < end) {
  }
  EXPECT_FALSE(Has(ListOf("ann"), first));
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

TEST_F(Serving, ATokenIsAskedForWhereOneIsSet) {
  settings_.token = "secret";
  Start();
  EXPECT_EQ(Ask("GET", "/v1/status").status, 401);
  EXPECT_EQ(Ask("GET", "/v1/status", "", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(Ask("GET", "/v1/status", "", "Authorization: Bearer secret\r\n").status, 200);
  EXPECT_EQ(Ask("PUT", "/v1/inbox/a", "x").status, 401);
  EXPECT_EQ(Ask("GET", "/healthz").status, 200);
}

TEST_F(Serving, ATrackThatTheModelKnowsTwiceIsShownOnceAndNeverOnceDisliked) {
  std::vector<std::string> ids = ids_;
  ids.emplace_back(kOldId);  // ids ascend; made popular, so that it would be seen
  std::sort(ids.begin(), ids.end());
  PutPopularityLive("m1", ids);
  Start();
  const auto list = ListOf("bob");
  EXPECT_EQ(std::count(list.begin(), list.end(), IdOf(20)), 1);
  EXPECT_EQ(list.size(), 30u);
  ASSERT_EQ(Post({{{"listener", "bob"}, {"track_id", kOldId}, {"kind", "dislike"}}}), 200);
  EXPECT_FALSE(Has(ListOf("bob"), IdOf(20)));
  EXPECT_FALSE(Has(ListOf("bob", "&mode=next"), IdOf(20)));
}

TEST_F(Serving, ADislikeByNameHoldsWhenTheTrackComesIntoTheCatalogueUnderAnotherId) {
  PutPopularityLive("m1");
  Start();
  ASSERT_EQ(Post({{{"listener", "bob"}, {"artist", "Late Artist"}, {"title", "Late Song"}, {"kind", "dislike"}}}), 200);
  auto rows = Rows();
  rows.push_back(TrackRow("t-late", "Late Artist", "Late Song"));
  rows.push_back("INSERT INTO a VALUES (" + store::Quoted(TrackIdOf(NameKey("Late Artist", "Late Song"))) + ",'t-late')");
  WriteDataset("d2", rows);
  auto ids = ids_;
  ids.emplace_back("t-late");
  std::sort(ids.begin(), ids.end());
  PutPopularityLive("m2", ids);
  WaitForModel("m2");
  EXPECT_TRUE(Has(ListOf("ann", "&mode=next&n=31"), "t-late")) << "others get it";
  EXPECT_FALSE(Has(ListOf("bob"), "t-late"));
  EXPECT_FALSE(Has(ListOf("bob", "&mode=next"), "t-late"));
}

TEST_F(Serving, SimilarTracksLeaveOutWhatTheListenerDislikes) {
  PutIalsLive("m1");
  Start();
  const auto similar = [&](const std::string& more) {
    std::vector<std::string> ids;
    const json answer = Get("/v1/tracks/" + ids_[5] + "/similar?n=29" + more);
    for (const json& item : answer["items"]) ids.push_back(item["track_id"]);
    return ids;
  };
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", ids_[11]}, {"kind", "dislike"}}}), 200);
  EXPECT_TRUE(Has(similar(""), ids_[11]));
  EXPECT_FALSE(Has(similar("&listener=ann"), ids_[11]));
  EXPECT_EQ(similar("&listener=ann").size(), 28u);
}

TEST_F(Serving, FeedbackThatTheDatasetHoldsIsNotCountedTwice) {
  PutIalsLive("m1");
  Start();
  const json before = Get("/v1/listeners/ann/recommendations")["items"];
  server_.reset();
  const std::vector<store::FeedbackEvent> flushed = {{.listener = "ann", .track_id = IdOf(0), .kind = "play", .at = 1'600'000'000}};
  ASSERT_TRUE(catalog_->AppendEvents(flushed).ok());
  WriteDataset("d2", Rows(), 1);
  Start();
  EXPECT_EQ(Get("/v1/listeners/ann/recommendations")["items"], before);
  ASSERT_EQ(Post({{{"listener", "ann"}, {"track_id", IdOf(0)}, {"kind", "play"}}}), 200);
  EXPECT_NE(Get("/v1/listeners/ann/recommendations")["items"], before);
}

TEST_F(Serving, NoArtistTakesMoreThanHisShareUnlessTheListWouldBeShort) {
  settings_.max_per_artist = 1;
  // The most popular 400 are of one artist; the others come far behind.
  WriteDataset("d2", {"INSERT INTO t(track_id,title,artist) SELECT 'u' || lpad(k::VARCHAR, 4, '0'), 'Song ' || k, "
                      "CASE WHEN k < 8 THEN 'Other ' || k ELSE 'Star' END FROM range(408) r(k)"});
  std::vector<std::string> ids;
  for (int k = 0; k < 408; ++k) ids.push_back("u" + std::string(k < 10 ? "000" : k < 100 ? "00" : "0") + std::to_string(k));
  PutPopularityLive("m1", ids);
  Start();
  const auto artists = [&](const std::string& n) {
    std::vector<std::string> names;
    const json list = Get("/v1/listeners/x/recommendations?n=" + n);
    for (const json& item : list["items"]) names.push_back(item["artist"]);
    return names;
  };
  const auto nine = artists("9");
  EXPECT_EQ(nine.size(), 9u);
  EXPECT_EQ(std::count(nine.begin(), nine.end(), "Star"), 1);
  EXPECT_EQ(artists("20").size(), 20u) << "there are but nine artists: the cap gives way";
}

TEST_F(Serving, SaysSoWhereNothingAListenerLikedIsKnown) {
  PutIalsLive("m1");
  Start();
  EXPECT_TRUE(Get("/v1/listeners/ann/recommendations")["fallback"].is_null());
  ASSERT_EQ(Post({{{"listener", "eve"}, {"artist", "Somebody"}, {"title", "Unheard Of"}, {"kind", "play"}}}), 200);
  const json list = Get("/v1/listeners/eve/recommendations");
  EXPECT_TRUE(list["fallback"].is_string());
  EXPECT_EQ(list["items"].size(), 10u);
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
  for (const auto& event : *catalog_->EventsAfter(0, 100)) EXPECT_EQ(event.at, 1'772'368'200);
  for (const char* at : {"2026-02-30T12:00:00Z", "2026-03-01T-1:00:00Z", "2026-03-01T12:00:00+02:00x", "2026-03-01T12:00:00+25:00",
                         "2026-03-01T12:00:00+2", "2026-13-01T12:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01", "now"}) {
    EXPECT_EQ(post(at), 400) << at;
  }
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
  EXPECT_EQ(answer.Json(), json({{"from", "m2"}, {"live", "m1"}, {"to", "m1"}}));
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
                           "segue_model_info{model_id=\"m1\",algorithm=\"popularity\"} 1\n", "segue_events_total 1\n",
                           "segue_request_seconds_bucket{le=\"+Inf\"} 5\n", "segue_request_seconds_count 5\n"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  }
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

}  // namespace
}  // namespace segue::serve
