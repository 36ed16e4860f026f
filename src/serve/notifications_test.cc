#include "serve/notifications.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

/// As MinIO sends it, but for fields that nobody reads.
json Record(const std::string& event, const std::string& key) {
  return {{"eventVersion", "2.0"}, {"eventSource", "minio:s3"}, {"eventName", event},
          {"s3", {{"bucket", {{"name", "listening"}}}, {"object", {{"key", key}, {"size", 128}, {"eTag", "0cc175b9"}}}}}};
}

TEST(Notifications, AreReadAsAwsCephAndMinioWriteThem) {
  const json body = {{"EventName", "s3:ObjectCreated:Put"}, {"Key", "listening/a"},
                     {"Records", {Record("ObjectCreated:Put", "inbox/anna+b%C3%A4r/a%2Bb.json"), Record("s3:ObjectCreated:CompleteMultipartUpload", "b.zip"),
                                  Record("s3:ObjectRemoved:Delete", "c.zip")}}};
  const auto told = ParseNotification(body.dump());
  ASSERT_TRUE(told.ok()) << told.error().message;
  ASSERT_EQ(told->created.size(), 2U);
  EXPECT_EQ(told->ignored, 1);
  EXPECT_EQ(told->created[0].key, "inbox/anna b\xC3\xA4r/a+b.json");
  EXPECT_EQ(told->created[0].event, "ObjectCreated:Put");
  EXPECT_EQ(told->created[0].bucket, "listening");
  EXPECT_EQ(told->created[0].bytes, 128);
  EXPECT_EQ(told->created[0].etag, "0cc175b9");
  EXPECT_EQ(told->created[1].event, "ObjectCreated:CompleteMultipartUpload");
  const auto test = ParseNotification(R"({"Service":"Amazon S3","Event":"s3:TestEvent","Bucket":"b"})");
  ASSERT_TRUE(test.ok());
  EXPECT_TRUE(test->test);
}

TEST(Notifications, ABadOneNamesTheField) {
  const auto broken = [](const char* pointer, const json& value) {
    json body = {{"Records", {Record("ObjectCreated:Put", "a"), Record("ObjectCreated:Put", "b")}}};
    body[json::json_pointer(pointer)] = value;
    return body.dump();
  };
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "not JSON"}, {"[]", "not a JSON object"}, {"{}", "Records"}, {R"({"Records":[]})", "Records"}, {R"({"Records":[5]})", "Records[0]"},
      {R"({"Event":"s3:Other"})", "Event"},
      {broken("/Records/1/eventName", 5), "Records[1].eventName"},
      {broken("/Records/1/s3/bucket", json::object()), "Records[1].s3.bucket.name"},
      {broken("/Records/0/s3/object/key", ""), "Records[0].s3.object.key"},
      {broken("/Records/0/s3/object/key", "a%2"), "Records[0].s3.object.key"},
      {broken("/Records/0/s3/object/key", "..%2Fetc"), "Records[0].s3.object.key"},
      {broken("/Records/0/s3/object/size", -1), "Records[0].s3.object.size"},
      {broken("/Records/0/s3/object/eTag", 1), "Records[0].s3.object.eTag"}};
  for (const auto& [body, word] : cases) {
    const auto told = ParseNotification(body);
    ASSERT_FALSE(told.ok()) << body;
    EXPECT_EQ(told.error().code, ErrorCode::kInvalid);
    EXPECT_NE(told.error().message.find(word), std::string::npos) << told.error().message;
  }
}

TEST(Notifications, TheSecretIsKnownAsTokenOrAsSignature) {
  // RFC 4231, test case 2.
  Request request{.body = "what do ya want for nothing?"};
  request.signature = "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
  EXPECT_TRUE(KnowsSecret(request, "Jefe"));
  EXPECT_FALSE(KnowsSecret(request, "jefe"));
  request.body += " ";
  EXPECT_FALSE(KnowsSecret(request, "Jefe")) << "another body";
  request.signature.clear();
  EXPECT_FALSE(KnowsSecret(request, "Jefe"));
  for (const char* good : {"Bearer Jefe", "Jefe"}) {
    request.authorization = good;
    EXPECT_TRUE(KnowsSecret(request, "Jefe"));
  }
  for (const char* bad : {"Bearer Jefe ", "Bearer ", "bearer", "Bearer Jef", ""}) {
    request.authorization = bad;
    EXPECT_FALSE(KnowsSecret(request, "Jefe")) << bad;
  }
}

TEST_F(Serving, ANotificationIsKeptForThePipelineOnceTheSecretIsRight) {
  settings_.notifications_secret = "s3cret";
  settings_.token = "admin";
  Start();
  const std::string body = json{{"Records", {Record("ObjectCreated:Put", "inbox/anna/a.json"), Record("ObjectRemoved:Delete", "x")}}}.dump();
  for (const char* headers : {"", "Authorization: Bearer wrong\r\n", "X-Segue-Signature: sha256=00\r\n"}) {
    const Answer refused = Ask("POST", "/v1/notifications", body, headers);
    EXPECT_EQ(refused.status, 401);
    EXPECT_NE(refused.Json()["detail"].get<std::string>().find("notifications.secret"), std::string::npos) << refused.body;
  }
  EXPECT_EQ(PendingCommand(), 0);
  EXPECT_EQ(Ask("POST", "/v1/runs", "", "Authorization: Bearer s3cret\r\n").status, 401) << "who may notify may not do more";
  const Answer taken = Ask("POST", "/v1/notifications", body, "Authorization: Bearer s3cret\r\n");
  EXPECT_EQ(taken.status, 202) << taken.body;
  EXPECT_EQ(taken.Json()["accepted"][0]["object"], "inbox/anna/a.json");
  EXPECT_EQ(taken.Json()["ignored"], 1);
  const auto commands = *catalog_->PendingCommands();
  ASSERT_EQ(commands.size(), 1U);
  EXPECT_EQ(commands[0].kind, "notification");
  EXPECT_EQ(json::parse(commands[0].arguments)["key"], "inbox/anna/a.json");
  EXPECT_EQ(Ask("POST", "/v1/notifications", body, "Authorization: Bearer admin\r\n").status, 202) << "the token opens all";
  const Answer test = Ask("POST", "/v1/notifications", R"({"Event":"s3:TestEvent"})", "Authorization: Bearer s3cret\r\n");
  EXPECT_EQ(test.status, 202);
  EXPECT_EQ(Ask("POST", "/v1/notifications", R"({"Records":[{}]})", "Authorization: Bearer s3cret\r\n").status, 400);
  EXPECT_EQ(catalog_->PendingCommands()->size(), 2U);
}

TEST_F(Serving, ADryRunIsAskedForAndOnlyOfRuns) {
  Start();
  EXPECT_EQ(Ask("POST", "/v1/runs", R"({"dry_run":true})").status, 202);
  EXPECT_EQ(json::parse((*catalog_->PendingCommands())[0].arguments)["dry_run"], true);
  EXPECT_EQ(Ask("POST", "/v1/runs", R"({"dry_run":"yes"})").status, 400);
  EXPECT_EQ(Ask("POST", "/v1/models/rollback", R"({"dry_run":true})").status, 400);
}

}  // namespace
}  // namespace segue::serve
