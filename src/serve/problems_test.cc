#include "serve/testing.h"

#include "core/observer.h"
#include "serve/http.h"

// What all answers have in common: the request's id, and how errors are told.
namespace segue::serve {
namespace {

/// Keeps the ids of what was answered, as the log of requests is told them.
class Observer final : public RequestObserver {
 public:
  void Answered(const AnsweredRequest& request) override {
    const std::lock_guard lock(mutex_);
    ids_.emplace_back(request.id);
  }
  std::string Exposition() const override { return ""; }
  std::vector<std::string> ids() const {
    const std::lock_guard lock(mutex_);
    return ids_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> ids_;
};

std::string HeaderOf(const Answer& answer, const std::string& name) {
  const size_t at = answer.head.find("\r\n" + name + ": ");
  if (at == std::string::npos) return "";
  const size_t start = at + name.size() + 4;
  return answer.head.substr(start, answer.head.find('\r', start) - start);
}

TEST_F(Serving, AWellFormedRequestIdIsTakenOverAndAnyOtherIsReplaced) {
  Observer observer;
  auto server = serve::Start({*bucket_, *catalog_, clock_, settings_, instruments_, folder_, &observer});
  ASSERT_TRUE(server.ok());
  server_ = *std::move(server);
  const std::string longest(64, 'a');
  for (const std::string& id : {std::string("a"), std::string("0b5c1f4e-5a52-4f8e-9d0a-1c2b3d4e5f60"), std::string("job:7.b_2"), longest}) {
    const Answer answer = Ask("GET", "/v1/tracks/t0", "", "X-Request-Id: " + id + "\r\n");
    EXPECT_EQ(HeaderOf(answer, "X-Request-Id"), id);
    EXPECT_EQ(answer.Json()["request_id"], id);
    EXPECT_EQ(observer.ids().back(), id);
  }
  for (const std::string& id : {std::string(""), longest + "a", std::string("two words"), std::string("a\"b"), std::string("../x"), std::string("\xc3\xa9")}) {
    const Answer answer = Ask("GET", "/v1/tracks/t0", "", "X-Request-Id: " + id + "\r\n");
    const std::string given = HeaderOf(answer, "X-Request-Id");
    EXPECT_EQ(given.size(), 16u) << id;
    EXPECT_NE(given, id);
    EXPECT_EQ(answer.Json()["request_id"], given);
    EXPECT_EQ(observer.ids().back(), given);
  }
}

TEST_F(Serving, TwoUploadsOfOneRequestIdDoNotMeet) {
  Start();
  for (const char* body : {"one", "two"}) {
    EXPECT_EQ(Ask("PUT", std::string("/v1/inbox/") + body, body, "X-Request-Id: same\r\n").status, 202);
  }
  EXPECT_EQ(*bucket_->Get("inbox/one"), "one");
  EXPECT_EQ(*bucket_->Get("inbox/two"), "two");
}

TEST_F(Serving, EveryErrorIsAProblemWithTheSameFields) {
  settings_.max_body_bytes = 1000;
  settings_.rate_per_minute_on_loopback = 1000;
  Start();
  const std::string large(1001, ' ');
  struct Case {
    const char *method, *target;
    std::string body, headers;
    int status;
    const char* title;
  };
  const std::vector<Case> cases = {
      {"GET", "/v1/tracks?n=0", "", "", 400, "Bad request"},
      {"GET", "/v1/tracks/%zz", "", "", 400, "Bad request"},
      {"POST", "/v1/events", "{", "", 400, "Bad request"},
      {"GET", "/v1/nothing", "", "", 404, "Not found"},
      {"GET", "/v1/tracks/t0", "", "", 404, "Not found"},
      {"DELETE", "/v1/status", "", "", 405, "Method not allowed"},
      {"POST", "/openapi.json", "", "", 405, "Method not allowed"},
      {"POST", "/v1/events", large, "", 413, "Body too large"},
      {"POST", "/v1/events", "a,b", "Content-Type: text/csv\r\n", 415, "Unsupported media type"},
      {"POST", "/v1/runs", "<a/>", "Content-Type: application/xml; charset=utf-8\r\n", 415, "Unsupported media type"},
      {"GET", "/v1/status", "", "X-Long: " + std::string(17'000, 'x') + "\r\n", 431, "Headers too large"},
      {"GET", "/readyz", "", "", 503, "Not ready"},
  };
  const auto expect_problem = [](const Answer& answer, const Case& one) {
    const std::string where = std::string(one.method) + " " + one.target;
    EXPECT_EQ(answer.status, one.status) << where << ": " << answer.body;
    EXPECT_EQ(HeaderOf(answer, "Content-Type"), "application/problem+json") << where;
    const json problem = answer.Json();
    ASSERT_TRUE(problem.is_object()) << where;
    EXPECT_EQ(problem.size(), 6u) << where << ": " << problem;
    EXPECT_EQ(problem.value("type", ""), "about:blank") << where;
    EXPECT_EQ(problem.value("title", ""), one.title) << where;
    EXPECT_EQ(problem.value("status", 0), one.status) << where;
    EXPECT_FALSE(problem.value("detail", "").empty()) << where;
    EXPECT_TRUE(problem.contains("instance")) << where;
    EXPECT_EQ(problem.value("request_id", ""), HeaderOf(answer, "X-Request-Id")) << where;
  };
  for (const Case& one : cases) expect_problem(Ask(one.method, one.target, one.body, one.headers), one);

  server_.reset();
  settings_.rate_per_minute_on_loopback = 1;
  settings_.token = "of the test";
  Start();
  expect_problem(Ask("GET", "/v1/status"), {"GET", "/v1/status", "", "", 401, "Unauthorized"});
  const Answer limited = Ask("GET", "/v1/status");
  expect_problem(limited, {"GET", "/v1/status", "", "", 429, "Too many requests"});
  EXPECT_FALSE(HeaderOf(limited, "Retry-After").empty());
}

TEST(MediaTypes, JsonAndWhatProgramsSayUntoldAreTaken) {
  for (const char* type : {"", "application/json", "Application/JSON; charset=utf-8", "application/problem+json", "application/x-www-form-urlencoded", "text/plain;charset=UTF-8"}) {
    EXPECT_TRUE(MayBeJson(type)) << type;
  }
  for (const char* type : {"text/csv", "application/xml", "multipart/form-data; boundary=x", "image/png", "application/jsonl", "text/json+x"}) {
    EXPECT_FALSE(MayBeJson(type)) << type;
  }
}

}  // namespace
}  // namespace segue::serve
