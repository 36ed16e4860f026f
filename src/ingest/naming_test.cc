#include "ingest/naming.h"

#include <gtest/gtest.h>

namespace segue::ingest {
namespace {

TEST(Naming, FindsTheFolderThatNamesAListener) {
  struct Case {
    const char* name;
    const char* folder;
  };
  for (const Case& c : {
           Case{"listener-12/export-2022-11/StreamingHistory0.json", "listener-12"},
           Case{"spotify_histories/listener-01/x.json", "listener-01"},
           Case{"x.json", ""},
           Case{"anna/MyData/StreamingHistory0.json", "anna"},
           Case{"anna/my_spotify_data/MyData/x.json", "anna"},
           Case{"anna/Spotify Account Data/x.json", "anna"},
           Case{"anna/Spotify Extended Streaming History/x.json", "anna"},
           Case{"anna/2024-03/x.json", "anna"},
           Case{"anna/2024/x.json", "anna"},
           Case{"anna/streaming-2/x.json", "anna"},
           Case{"inbox/x.json", ""},
           Case{"my_spotify_data.zip!MyData/x.json", ""},
           Case{"my_spotify_data (1).zip!MyData/x.json", ""},
           Case{"anna.zip!MyData/x.json", "anna"},
           Case{"anna/my_spotify_data.zip!MyData/x.json", "anna"},
           Case{"anna/a.zip!berta/MyData/x.json", "berta"},
           Case{"anna.tar.gz!x.json", "anna"},
           Case{"ml-100k/u.data", "ml-100k"},
           Case{"1999/2001-x/x.json", "2001-x"},
       }) {
    EXPECT_EQ(NearestFolder(c.name), c.folder) << c.name;
  }
}

TEST(Naming, TellsADecadeOnlyWhereTheNameSaysIt) {
  EXPECT_EQ(DecadeTag("hit_predictor/dataset-of-60s.csv"), "decade:1960s");
  EXPECT_EQ(DecadeTag("dataset-of-00s.csv"), "decade:2000s");
  EXPECT_EQ(DecadeTag("dataset-of-10s.csv"), "decade:2010s");
  EXPECT_EQ(DecadeTag("simulated-of-1990s.csv"), "decade:1990s");
  EXPECT_EQ(DecadeTag("a.zip!dataset-of-80s.csv"), "decade:1980s");
  EXPECT_EQ(DecadeTag("60s/dataset.csv"), "");
  EXPECT_EQ(DecadeTag("hits.csv"), "");
  EXPECT_EQ(DecadeTag("top-100songs.csv"), "");
}

TEST(Naming, KnowsTheOtherFilesOfAnExport) {
  EXPECT_TRUE(IsSpotifyAccountFile("MyData/Userdata.json"));
  EXPECT_TRUE(IsSpotifyAccountFile("Playlist1.json"));
  EXPECT_TRUE(IsSpotifyAccountFile("a.zip!MyData/ReadMeFirst.pdf"));
  EXPECT_FALSE(IsSpotifyAccountFile("StreamingHistory0.json"));
  EXPECT_FALSE(IsSpotifyAccountFile("playlists.csv"));
}

TEST(Naming, RefusesMembersThatPointOutOfTheirArchive) {
  for (const char* bad : {"../x", "a/../../x", "/etc/passwd", "C:\\x", "a\\..\\x", "", "a\nb", "C:x"}) {
    EXPECT_TRUE(IsUnsafeMember(bad)) << bad;
  }
  for (const char* good : {"x", "a/b..c/x", "MyData/Streaming History.json", "..a/x"}) {
    EXPECT_FALSE(IsUnsafeMember(good)) << good;
  }
}

}  // namespace
}  // namespace segue::ingest
