#include "monitor/delivery.h"

#include <arpa/inet.h>
#include <sys/socket.h>

#include <gtest/gtest.h>

#include <thread>

#include "core/hash.h"
#include "monitor/testing.h"
#include "monitor/watch.h"
#include "monitor/webhook.h"

namespace segue::monitor {
namespace {

using nlohmann::json;

/// A target that takes connections and never says a word.
class HangingTarget {
 public:
  HangingTarget() : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(::listen(descriptor_, 16), 0);  // the kernel accepts for us
    ::getsockname(descriptor_, reinterpret_cast<sockaddr*>(&address), &size);
    url_ = "http://127.0.0.1:" + std::to_string(ntohs(address.sin_port)) + "/hook";
  }
  ~HangingTarget() { ::close(descriptor_); }
  HangingTarget(const HangingTarget&) = delete;
  HangingTarget& operator=(const HangingTarget&) = delete;

  const std::string& url() const { return url_; }
  /// The next connection; waits for it.
  int Accept() const { return ::accept(descriptor_, nullptr, nullptr); }

 private:
  int descriptor_;
  std::string url_;
};

class Deliveries : public WithCatalog {
 protected:
  int64_t Fire(const std::string& name) {
    const auto id = book().OpenAlarm({.at = 1, .severity = "warning", .name = name, .message = "it is " + name, .rule = name, .state = "firing"}, 1000);
    EXPECT_TRUE(id.ok());
    return id.ok() ? *id : 0;
  }
  void Resolve(int64_t id) { ASSERT_TRUE(book().MoveAlarm(id, "firing", "resolved", 0, "rule", "", 2000).ok()); }

  /// Sends into `sent_`, but not what `refuse_` says.
  AlarmDelivery::Send Sender() {
    return [this](const std::string& body) -> Status {
      const json told = json::parse(body);
      sent_.push_back(told["alarm"]["name"].get<std::string>() + " " + told["change"].get<std::string>());
      if (refuse_.contains(told["alarm"]["name"])) return Error{ErrorCode::kUnavailable, "no answer"};
      return {};
    };
  }

  NoInstruments quiet_;
  std::vector<std::string> sent_;
  std::set<std::string> refuse_;
};

TEST_F(Deliveries, ChangesGoOutOnceEachAndOneAlarmsInOrder) {
  AlarmDelivery delivery(book(), quiet_, Sender());
  const int64_t a = Fire("a");
  Resolve(a);
  Fire("b");
  EXPECT_EQ(*delivery.Round(5000), 3);
  EXPECT_EQ(sent_, (std::vector<std::string>{"a firing", "b firing", "a resolved"}));
  AlarmDelivery again(book(), quiet_, Sender());
  EXPECT_EQ(*again.Round(6000), 0) << "a new start sends nothing twice";
}

TEST_F(Deliveries, AChangeThatFailsIsTriedAgainLaterAndHoldsUpItsOwnAlarmOnly) {
  AlarmDelivery delivery(book(), quiet_, Sender());
  const int64_t a = Fire("a");
  Resolve(a);
  Fire("b");
  refuse_ = {"a"};
  EXPECT_EQ(*delivery.Round(10'000), 1);
  EXPECT_EQ(sent_, (std::vector<std::string>{"a firing", "b firing"}));
  EXPECT_EQ(*delivery.Round(14'999), 0);
  EXPECT_EQ(sent_.size(), 2U) << "five seconds are not over";
  EXPECT_EQ(*delivery.Round(15'000), 0);
  EXPECT_EQ(sent_.size(), 3U);
  EXPECT_EQ((*book().AlarmHistory(a))[0].attempts, 2);
  EXPECT_EQ((*book().AlarmHistory(a))[0].error, "no answer");
  refuse_.clear();
  EXPECT_EQ(*delivery.Round(15'000 + 9'999), 0) << "the second wait is ten seconds";
  EXPECT_EQ(*delivery.Round(15'000 + 10'000), 2);
  EXPECT_EQ(sent_.back(), "a resolved");
}

TEST_F(Deliveries, AClockThatWasSetBackDoesNotPutADeliveryOffForEver) {
  AlarmDelivery delivery(book(), quiet_, Sender());
  Fire("a");
  refuse_ = {"a"};
  EXPECT_EQ(*delivery.Round(1'000'000'000), 0);
  refuse_.clear();
  EXPECT_EQ(*delivery.Round(5'000), 1);
}

TEST_F(Deliveries, ABodyTellsOfTheChangeNotOfWhatHasBecomeOfItSince) {
  const int64_t a = Fire("a");
  Resolve(a);
  const auto changes = *book().AlarmHistory(a);
  const json body = json::parse(DeliveryBody(changes[0], (*book().FindAlarm(a))[0]));
  EXPECT_EQ(body["change"], "firing");
  EXPECT_EQ(body["alarm"]["state"], "firing");
  EXPECT_EQ(body["alarm"]["message"], "it is a");
  EXPECT_EQ(body["delivery"], changes[0].seq);
}

TEST(Deliver, WaitsGrowToTenMinutes) {
  EXPECT_EQ(RetryAfterMs(1), 5'000);
  EXPECT_EQ(RetryAfterMs(2), 10'000);
  EXPECT_EQ(RetryAfterMs(5), 80'000);
  EXPECT_EQ(RetryAfterMs(8), 600'000);
  EXPECT_EQ(RetryAfterMs(1'000'000), 600'000);
}

TEST(Webhook, ATargetThatNeverAnswersFailsInTheEnd) {
  const HangingTarget target;
  const std::atomic<bool> stop{false};
  const Status sent = PostJson({target.url(), "", 1}, "{}", stop);
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kUnavailable);
}

TEST(Webhook, WhoWaitsForATargetCanBeStopped) {
  const HangingTarget target;
  std::atomic<bool> stop{false};
  std::thread stopper([&] {
    const int connection = target.Accept();
    stop = true;
    char rest[4096];
    while (::recv(connection, rest, sizeof rest, 0) > 0) {
    }
    ::close(connection);
  });
  const Status sent = PostJson({target.url(), "", 300}, "{}", stop);
  stopper.join();
  ASSERT_FALSE(sent.ok());
  EXPECT_EQ(sent.error().code, ErrorCode::kCancelled);
}

TEST(Webhook, TheBodyIsSignedAndAnAnswerOutsideOf2xxIsAFailure) {
  const HangingTarget target;
  std::string received;
  std::thread receiver([&] {
    for (const char* answer : {"HTTP/1.1 500 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                               "HTTP/1.1 204 Yes\r\nConnection: close\r\n\r\n"}) {
      const int connection = target.Accept();
      received.clear();
      char block[4096];
      while (received.find("{\"a\":1}") == std::string::npos) {
        const ssize_t size = ::recv(connection, block, sizeof block, 0);
        if (size <= 0) break;
        received.append(block, static_cast<size_t>(size));
      }
      EXPECT_GT(::send(connection, answer, std::string_view(answer).size(), MSG_NOSIGNAL), 0);
      ::close(connection);
    }
  });
  const std::atomic<bool> stop{false};
  const WebhookTarget hook{target.url(), "a secret", 10};
  const Status refused = PostJson(hook, "{\"a\":1}", stop);
  const Status taken = PostJson(hook, "{\"a\":1}", stop);
  receiver.join();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("answers 500"), std::string::npos) << refused.error().message;
  EXPECT_TRUE(taken.ok());
  EXPECT_NE(received.find("X-Segue-Signature: sha256=" + HmacSha256Hex("a secret", "{\"a\":1}") + "\r\n"), std::string::npos) << received;
  EXPECT_EQ(received.find("a secret"), std::string::npos);
}

/// A whole watch, whose webhook hangs.
TEST_F(Deliveries, AWebhookThatHangsHoldsUpNeitherRulesNorRequestsNorTheEnd) {
  const HangingTarget target;
  Settings settings;
  settings.alarms.webhook_url = target.url();
  settings.alarms.webhook_timeout_s = 300;
  settings.alarms.check_seconds = 1;
  const store::SystemClock clock;
  const auto bucket = *store::OpenFolderStore(folder_ / "bucket");
  ASSERT_TRUE(catalog_->AddAlarm({.at = clock.NowSeconds(), .severity = "critical", .name = "run_failed", .message = "why"}).ok());
  {
    const auto watch = StartWatch({*bucket, *catalog_, clock, settings, quiet_, {folder_}});
    ASSERT_TRUE(watch.ok()) << watch.error().message;
    const int connection = target.Accept();  // it is on its way
    for (int i = 0; i < 3; ++i) {
      ASSERT_TRUE(catalog_->PutRun({.run_id = "r" + std::to_string(i), .state = "failed", .started_ms = 1, .finished_ms = 2}).ok());
    }
    EXPECT_TRUE(Eventually([&] { return !book().ListAlarms({.state = "firing", .name = "runs_failed"})->empty(); }));
    (*watch)->Answered({.id = "1", .method = "GET", .route = "/v1/tracks", .status = 200, .microseconds = 5});
    EXPECT_NE((*watch)->Exposition().find("segue_alarms_firing{name=\"runs_failed\",severity=\"critical\"} 1\n"), std::string::npos);
    ::close(connection);
  }
  EXPECT_FALSE(book().UndeliveredChanges(10)->empty()) << "what was not sent is sent at the next start";
}

}  // namespace
}  // namespace segue::monitor
