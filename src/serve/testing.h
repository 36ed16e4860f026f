#pragma once

#include <arpa/inet.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "models/ials.h"
#include "models/popularity.h"
#include "serve/server.h"
#include "store/dataset_store.h"
#include "store/duck.h"

// What the tests of this folder share: a server on a real socket, over a small
// catalogue in a folder of its own.
namespace segue::serve {

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

  /// Into the bucket and the registry.
  void Put(const std::string& model_id, std::unique_ptr<models::Model> model) {
    const fs::path file = bucket_->ScratchFolder() / model_id;
    ASSERT_TRUE(model->Save(file).ok());
    ASSERT_TRUE(bucket_->PutFile(store::ModelKey(model_id, "model.segue"), file).ok());
    ASSERT_TRUE(catalog_->PutModel({.model_id = model_id, .algorithm = std::string(model->algorithm()), .dataset_id = "d1"}).ok());
  }
  void PutLive(const std::string& model_id, std::unique_ptr<models::Model> model) {
    Put(model_id, std::move(model));
    const auto live = *catalog_->Live();
    ASSERT_TRUE(catalog_->Deploy({.at = 1, .action = "promote", .from_model = live ? live->to_model : "", .to_model = model_id}).ok());
  }

  void PutPopularityLive(const std::string& model_id) { PutPopularityLive(model_id, ids_); }
  /// The last of the ids is the most popular.
  void PutPopularityLive(const std::string& model_id, const std::vector<std::string>& ids) { PutLive(model_id, Popularity(ids)); }
  static std::unique_ptr<models::Model> Popularity(const std::vector<std::string>& ids) {
    std::vector<float> listeners, plays(ids.size(), 1.0f);
    for (size_t i = 0; i < ids.size(); ++i) listeners.push_back(static_cast<float>(i + 1));
    return models::PopularityModel::Make(ids, listeners, plays);
  }
  /// Tries a model that was Put beside the live one.
  void StartTrial(const std::string& action, const std::string& model_id, double share) {
    ASSERT_TRUE(catalog_->Deploy({.at = clock_.NowSeconds(), .action = action, .from_model = (*catalog_->Live())->to_model, .to_model = model_id,
                                  .figures = json{{"share", share}}.dump()}).ok());
  }

  /// Tracks i, i + 6, i + 12... of ids_ are alike.
  void PutIalsLive(const std::string& model_id) {
    models::IalsModel::Parts parts{models::Catalogue(ids_, std::vector<float>(30, 1.0f)), 16, {}, {2, 1, 0, 1}};
    for (int i = 0; i < 30; ++i) {
      for (int j = 0; j < 16; ++j) parts.y.push_back(j == i % 6 ? 1.0f : 0.05f);
    }
    PutLive(model_id, models::IalsModel::Make(std::move(parts)));
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
  /// The tracks of a list, in its order.
  static std::vector<std::string> IdsIn(const json& list) {
    std::vector<std::string> ids;
    for (const json& item : list["items"]) ids.push_back(item["track_id"]);
    return ids;
  }
  std::vector<std::string> ListOf(const std::string& listener, const std::string& more = "") const {
    return IdsIn(Get("/v1/listeners/" + listener + "/recommendations?n=30" + more));
  }
  /// Waits for the condition, 20 s at most.
  template <typename Condition>
  static bool Until(const Condition& condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > end) return false;
    }
    return true;
  }
  void WaitForModel(const std::string& model_id) const {
    ASSERT_TRUE(Until([&] { return Get("/v1/status")["live"]["model_id"] == model_id; })) << model_id;
  }
  int64_t PendingCommand() const {  ///< its id; 0 none
    const auto commands = *catalog_->PendingCommands();
    return commands.empty() ? 0 : commands[0].id;
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

}  // namespace segue::serve
