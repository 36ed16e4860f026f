#include "serve/playlists.h"

#include "serve/testing.h"

namespace segue::serve {
namespace {

constexpr const char* kMbid = "6f1c8a52-3b1e-4c8e-9f0a-2d5b7c9e1f30";

/// Three tracks with names that formats stumble on.
class Playlists : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    WriteDataset("d3", {"INSERT INTO t(track_id,title,artist,album,duration_ms) VALUES ('t1','Tom & <Jerry> \"\x01\x0b', 'Sigur R\xc3\xb3s', 'A ]]> B', 61499)",
                        "INSERT INTO t(track_id,title,artist,duration_ms) VALUES ('t2','line\nbreak','',NULL)",
                        "INSERT INTO t(track_id,title,artist,album,duration_ms) VALUES ('t3','\xef\xbf\xbe\xe2\x99\xab \xf0\x9f\x8e\xb5','AC/DC','Back in Black',255500)",
                        std::string("INSERT INTO a VALUES ('mbid:") + kMbid + "','t3')"});
    PutPopularityLive("m1", {"t1", "t2", "t3"});
    Start();
  }
  Answer Playlist(const std::string& format, const std::string& headers = "") const {
    return Ask("GET", "/v1/listeners/bob/recommendations" + (format.empty() ? "" : "?format=" + format), "", headers);
  }
  static bool IsOf(const Answer& answer, const std::string& type) { return answer.head.find("Content-Type: " + type) != std::string::npos; }
  static std::string ListIdOf(const Answer& answer) {
    const size_t at = answer.head.find("X-List-Id: ");
    return at == std::string::npos ? "" : answer.head.substr(at + 11, 16);
  }
};

TEST_F(Playlists, M3uIsALineOfWhatAndALineOfWhereForEachTrack) {
  const Answer answer = Playlist("m3u");
  EXPECT_TRUE(IsOf(answer, "audio/x-mpegurl")) << answer.head;
  EXPECT_EQ(answer.body, std::string("#EXTM3U\n#PLAYLIST:Segue for bob\n") +
                             "#EXTINF:256,AC/DC -  \xe2\x99\xab \xf0\x9f\x8e\xb5\nhttps://musicbrainz.org/recording/" + kMbid +
                             "\n#EXTINF:-1,line break\nsegue:track:t2\n"
                             "#EXTINF:61,Sigur R\xc3\xb3s - Tom & <Jerry> \"  \nsegue:track:t1\n");
  Get("/v1/online");
  EXPECT_TRUE(*catalog_->FindImpression(ListIdOf(answer))) << "a list that was shown, whatever its format";
}

TEST_F(Playlists, JspfIsXspfAsJson) {
  const Answer answer = Playlist("jspf");
  EXPECT_TRUE(IsOf(answer, "application/jspf+json"));
  const json list = answer.Json()["playlist"];
  EXPECT_EQ(list["title"], "Segue for bob");
  EXPECT_EQ(list["identifier"], "segue:list:" + ListIdOf(answer));
  ASSERT_EQ(list["track"].size(), 3u);
  EXPECT_EQ(list["track"][0], json({{"title", " \xe2\x99\xab \xf0\x9f\x8e\xb5"}, {"creator", "AC/DC"}, {"album", "Back in Black"}, {"duration", 255500},
                                    {"identifier", {std::string("https://musicbrainz.org/recording/") + kMbid}}}));
  EXPECT_FALSE(list["track"][1].contains("duration"));
}

TEST_F(Playlists, XspfEscapesWhatXmlReserves) {
  const Answer answer = Playlist("xspf");
  EXPECT_TRUE(IsOf(answer, "application/xspf+xml"));
  EXPECT_NE(answer.body.find("<title>Tom &amp; &lt;Jerry&gt; &quot;  </title>"), std::string::npos) << answer.body;
  EXPECT_NE(answer.body.find("<album>A ]]&gt; B</album>"), std::string::npos);
  EXPECT_NE(answer.body.find("<duration>61499</duration>"), std::string::npos);
  for (const char c : answer.body) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  EXPECT_EQ(answer.body.find("\xef\xbf\xbe"), std::string::npos) << "U+FFFE is no character of XML";
}

TEST_F(Playlists, TheFormatMayBeAskedForByAccept) {
  EXPECT_TRUE(IsOf(Playlist("", "Accept: application/xspf+xml\r\n"), "application/xspf+xml"));
  EXPECT_TRUE(IsOf(Playlist("json", "Accept: application/xspf+xml\r\n"), "application/json")) << "the parameter stands before it";
  EXPECT_TRUE(IsOf(Playlist("", "Accept: text/html, */*;q=0.8\r\n"), "application/json"));
  EXPECT_EQ(Playlist("pls").status, 400);
}

TEST_F(Playlists, SessionsGroupsAndRadiosAreListsToo) {
  EXPECT_TRUE(IsOf(Ask("POST", "/v1/sessions/recommendations", R"({"tracks":[{"track_id":"t1"}],"format":"m3u"})"), "audio/x-mpegurl"));
  EXPECT_TRUE(IsOf(Ask("POST", "/v1/groups/recommendations", R"({"listeners":["a","b"],"format":"jspf"})"), "application/jspf+json"));
  const Answer radio = Ask("GET", "/v1/tracks/t1/radio?format=m3u&n=2");
  EXPECT_TRUE(IsOf(radio, "audio/x-mpegurl"));
  EXPECT_NE(radio.body.find("#PLAYLIST:Segue radio: Tom & <Jerry>"), std::string::npos) << radio.body;
  EXPECT_EQ(radio.body.find("X-List-Id"), std::string::npos);
  EXPECT_TRUE(IsOf(Ask("POST", "/v1/radio", R"({"tracks":["t1"],"format":"xspf"})"), "application/xspf+xml"));
}

TEST(FormatOf, TakesTheTypeThatIsWantedMost) {
  EXPECT_EQ(*FormatOf("", ""), Format::kJson);
  EXPECT_EQ(*FormatOf("", "audio/x-mpegurl;q=0.5, application/jspf+json;q=0.9"), Format::kJspf);
  EXPECT_EQ(*FormatOf("", "audio/mpegurl"), Format::kM3u);
  EXPECT_EQ(*FormatOf("", "application/json, audio/x-mpegurl"), Format::kJson) << "of equals the first";
  EXPECT_EQ(*FormatOf("", "APPLICATION/XSPF+XML"), Format::kXspf);
  EXPECT_EQ(*FormatOf("", "audio/x-mpegurl;q=0"), Format::kJson);
  EXPECT_FALSE(FormatOf("M3U8", "").ok());
}

}  // namespace
}  // namespace segue::serve
