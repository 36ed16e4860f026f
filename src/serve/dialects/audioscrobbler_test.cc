#include "serve/dialects/audioscrobbler.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr int64_t kNow = 1'700'000'000;

TEST(LegacySubmission, ReadsUpToFiftyEntriesAndLeavesImpossibleOnesOut) {
  const auto parsed = ParseLegacySubmissions(
      "s=abc&a[0]=Bj%C3%B6rk&t[0]=J%C3%B3ga&i[0]=1699999000&o[0]=P&r[0]=L&l[0]=305&b[0]=Homogenic&n[0]=2&m[0]=6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30"
      "&a%5B1%5D=A&t%5B1%5D=B&i%5B1%5D=1699999400&o[1]=P&r[1]=S&l[1]=&b[1]=&n[1]=&m[1]="
      "&a[2]=A&t[2]=&i[2]=1699999400&a[3]=A&t[3]=B&i[3]=3&a[4]=A&t[4]=B&i[4]=1999999999", kNow);
  ASSERT_TRUE(parsed.ok()) << parsed.error().message;
  EXPECT_EQ(parsed->session, "abc");
  ASSERT_EQ(parsed->listens.size(), 2u);
  EXPECT_EQ(parsed->ignored, 3);
  const Submission& first = parsed->listens[0];
  EXPECT_EQ(first.track.artist, "Björk");
  EXPECT_EQ(first.track.title, "Jóga");
  EXPECT_EQ(first.track.album, "Homogenic");
  EXPECT_EQ(first.track.duration_ms, 305'000);
  EXPECT_EQ(first.track.source_id, "mbid:6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30");
  EXPECT_EQ(first.listened_at, 1'699'999'000);
  EXPECT_EQ(first.verdict, 1);
  EXPECT_TRUE(parsed->listens[1].skipped);
  for (const char* rubbish : {"", "s=abc", "s=abc&a[1]=x&t[1]=y", "a[0]=%zz", "a[0]=%ff&t[0]=x"}) EXPECT_FALSE(ParseLegacySubmissions(rubbish, kNow).ok()) << rubbish;
}

class AudioscrobblerTest : public Serving {
 protected:
  void Begin() {
    PutPopularityLive("m1");
    Start();
  }
  std::string Handshake(const std::string& user, const std::string& password, int64_t at = 0, const std::string& version = "1.2.1") const {
    const std::string t = std::to_string(at == 0 ? clock_.NowSeconds() : at);
    const std::string answer = store::Md5Hex(store::Md5Hex(password) + t);
    return Ask("GET", "/?hs=true&p=" + version + "&c=tst&v=1.0&u=" + user + "&t=" + t + "&a=" + answer).body;
  }
  static std::string Line(const std::string& text, int n) {
    std::istringstream lines(text);
    std::string line;
    for (int i = 0; i <= n; ++i) std::getline(lines, line);
    return line;
  }
  std::string Submit(const std::string& session, const std::string& more) const { return Ask("POST", "/protocol_1.2", "s=" + session + more).body; }
  std::string Entry(int i = 0) const {
    const std::string n = "[" + std::to_string(i) + "]=";
    return "&a" + n + "Nobody&t" + n + "New+" + std::to_string(i) + "&i" + n + std::to_string(began_ - 500) + "&o" + n + "P&r" + n + "&l" + n +
           "240&b" + n + "&n" + n + "&m" + n;
  }

  const int64_t began_ = clock_.NowSeconds();  // one moment for all entries: a repeated one is the same listen
};

TEST_F(AudioscrobblerTest, AHandshakeGivesASessionInWhichListensAreTaken) {
  Begin();
  const std::string hello = Handshake("ann", "anything");
  EXPECT_EQ(Line(hello, 0), "OK") << "on loopback a name is enough: " << hello;
  const std::string session = Line(hello, 1);
  EXPECT_EQ(Line(hello, 2), "http://x/np_1.2");
  EXPECT_EQ(Line(hello, 3), "http://x/protocol_1.2");
  EXPECT_EQ(Ask("POST", "/np_1.2", "s=" + session + "&a=Nobody&t=New&b=&l=240&n=&m=").body, "OK\n");
  EXPECT_EQ(Get("/1/user/ann/playing-now")["payload"]["count"], 1);
  EXPECT_EQ(Submit(session, Entry(0) + Entry(1)), "OK\n");
  EXPECT_EQ(Submit(session, Entry(0)), "OK\n") << "a retry is no error";
  EXPECT_EQ(*catalog_->LastEventSeq(), 2);
  EXPECT_EQ(catalog_->EventsAfter(0, 10)->at(1).title, "New 1");
  EXPECT_EQ(Submit("0000", Entry()), "BADSESSION\n");
  EXPECT_TRUE(Submit(session, "").starts_with("FAILED ")) << "nothing is in it";
  server_.reset();
  Start();
  EXPECT_EQ(Submit(session, Entry()), "BADSESSION\n") << "after a restart: the client shakes hands again";
}

TEST_F(AudioscrobblerTest, OnlyALegacyTokenOpensItOffLoopback) {
  settings_.token = "of-the-settings";
  settings_.public_url = "https://segue.example/";
  Begin();
  const auto create = [&](const json& what) {
    return Ask("POST", "/v1/tokens", what.dump(), "Authorization: Bearer of-the-settings\r\n").Json().value("token", "");
  };
  const std::string plain = create({{"name", "a"}, {"role", "listen"}, {"listener", "ann"}});
  const std::string legacy = create({{"name", "b"}, {"role", "listen"}, {"listener", "ann"}, {"legacy", true}});
  EXPECT_EQ(Handshake("ann", plain), "BADAUTH\n") << "its MD5 is not kept";
  EXPECT_EQ(Handshake("bob", legacy), "BADAUTH\n") << "it is ann's";
  EXPECT_EQ(Handshake("ann", "wrong"), "BADAUTH\n");
  const std::string hello = Handshake("ann", legacy);
  EXPECT_EQ(Line(hello, 0), "OK");
  EXPECT_EQ(Line(hello, 3), "https://segue.example/protocol_1.2");
  EXPECT_EQ(Submit(Line(hello, 1), Entry()), "OK\n");
  EXPECT_EQ(Ask("DELETE", "/v1/tokens/b", "", "Authorization: Bearer of-the-settings\r\n").status, 200);
  EXPECT_EQ(Submit(Line(hello, 1), Entry()), "BADSESSION\n") << "the token was revoked";
  EXPECT_EQ(Handshake("ann", legacy), "BADAUTH\n");
}

TEST_F(AudioscrobblerTest, AClockThatIsWrongIsToldSo) {
  Begin();
  EXPECT_EQ(Handshake("ann", "x", clock_.NowSeconds() - 7200), "BADTIME\n");
  EXPECT_TRUE(Handshake("ann", "x", 0, "1.1").starts_with("FAILED "));
  EXPECT_EQ(Ask("GET", "/?hs=true&p=1.2&u=ann&t=x&a=").body, "BADTIME\n");
  EXPECT_NE(Ask("GET", "/").body.find("<html"), std::string::npos) << "without a handshake it is the page";
}

}  // namespace
}  // namespace segue::serve
