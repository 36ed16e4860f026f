#include <set>

#include "serve/facets.h"
#include "serve/testing.h"

namespace segue::serve {
namespace {

TEST_F(Serving, AnArtistsPageHasHisTracksTagsAndPlays) {
  auto rows = Rows();
  rows.push_back("UPDATE t SET tags = 'Rock;indie', year = 1999 WHERE artist = 'Artist A'");
  rows.push_back("UPDATE t SET tags = 'rock', year = 1990 WHERE title = 'Song Number 10'");
  rows.push_back("INSERT INTO i VALUES ('cid'," + store::Quoted(IdOf(20)) + ",1600000100,'play',3,NULL)");
  WriteDataset("d1", rows);
  PutPopularityLive("m1");
  Start();
  const json page = Get("/v1/artists/artist%20a");
  EXPECT_EQ(page["artist"], "Artist A");
  EXPECT_EQ(page["tracks"], 3);
  EXPECT_EQ(page["plays"], 4);
  EXPECT_EQ(page["years"], json({{"from", 1990}, {"to", 1999}}));
  ASSERT_EQ(page["tags"].size(), 2u);
  EXPECT_EQ(page["tags"][0]["tracks"], 3) << "Rock and rock are one tag";
  EXPECT_EQ(page["tags"][1], json({{"tag", "indie"}, {"tracks", 2}}));
  ASSERT_EQ(page["items"].size(), 3u);
  EXPECT_EQ(page["items"][0]["track_id"], IdOf(20)) << "the most played first";
  EXPECT_EQ(page["items"][0]["plays"], 3);
  EXPECT_EQ(Get("/v1/artists/artist%20a?n=1")["items"].size(), 1u);
  EXPECT_NE(Get("/v1/artists/nobody", 404)["detail"].get<std::string>().find("/v1/artists?q="), std::string::npos);
}

TEST_F(Serving, ArtistsAreFoundByNameTheMostPlayedFirst) {
  PutPopularityLive("m1");
  Start();
  const json all = Get("/v1/artists?q=art&limit=6");
  EXPECT_EQ(all["total"], 10);
  EXPECT_EQ(all["items"].size(), 6u);
  EXPECT_EQ(all["items"][4]["plays"], 1);
  EXPECT_EQ(all["items"][5]["plays"], 0);
  const json rest = Get("/v1/artists?q=art&limit=6&cursor=" + all["next_cursor"].get<std::string>());
  EXPECT_EQ(rest["items"].size(), 4u);
  EXPECT_TRUE(rest["next_cursor"].is_null());
  EXPECT_EQ(Get("/v1/artists?q=ARTIST+c")["items"][0]["artist"], "Artist C");
  EXPECT_TRUE(Get("/v1/artists?q=zzz")["items"].empty());
}

TEST_F(Serving, SimilarArtistsAreThoseWhoseTracksAreNear) {
  PutIalsLive("m1");
  Start();
  const json similar = Get("/v1/artists/Artist%20A/similar?n=20");
  EXPECT_EQ(similar["artist"], "Artist A");
  // By the definition: the mean over his tracks of the best cosine that a track of the other has.
  std::map<std::string, std::vector<int>> groups;  // of each artist, as PutIalsLive makes them
  std::map<std::string, int> group_of;
  for (size_t i = 0; i < ids_.size(); ++i) group_of[ids_[i]] = static_cast<int>(i % 6);
  for (int k = 0; k < 30; ++k) groups[Artist(k)].push_back(group_of[IdOf(k)]);
  const double one = 1 + 15 * 0.0025, apart = (2 * 0.05 + 14 * 0.0025) / one;
  ASSERT_EQ(similar["items"].size(), 9u);
  std::map<int, double> weight;  // ln(1 + plays) of A's tracks: one is ann's
  for (int k : {0, 10, 20}) weight[k] = k == 0 ? std::log(2.0) : 0;
  double last = 2;
  for (const json& item : similar["items"]) {
    double sum = 0, all = 0;
    for (int k : {0, 10, 20}) {
      const auto& others = groups[item["artist"]];
      const bool same = std::find(others.begin(), others.end(), group_of[IdOf(k)]) != others.end();
      sum += weight[k] * (same ? 1.0 : apart);
      all += weight[k];
    }
    EXPECT_NEAR(item["score"].get<double>(), sum / all, 1e-4) << item;
    EXPECT_LE(item["score"].get<double>(), last);
    last = item["score"];
  }
  Get("/v1/artists/nobody/similar", 404);
}

TEST(Facets, NoveltyIsTheSelfInformationOfBeingKnown) {
  Dataset data;
  data.tracks.id = {"a", "b", "c"};
  data.tracks.artist = {"X", "x feat. Y", ""};
  data.tracks.title = {"1", "2", "3"};
  data.tracks.tags = {"Pop;pop;Soul", "", "soul"};
  data.listeners = {"l", "m", "n"};
  data.begin = {0, 3, 4, 5};
  for (const uint32_t row : {0u, 0u, 1u, 0u, 0u}) data.events.push_back({.track = TrackIx{row}});
  const Facets facets(data);
  EXPECT_FLOAT_EQ(facets.Novelty(0), 0.0f) << "everybody knows it";
  EXPECT_FLOAT_EQ(facets.Novelty(1), static_cast<float>(-std::log2(2.0 / 4.0) / std::log2(4.0)));
  EXPECT_FLOAT_EQ(facets.Novelty(2), 1.0f) << "nobody does";
  EXPECT_EQ(facets.Listeners(0), 3u);
  EXPECT_EQ(facets.Plays(0), 4);
  EXPECT_EQ(facets.ArtistOf(0), facets.ArtistOf(1));
  EXPECT_EQ(facets.ArtistOf(2), Facets::kNone);
  EXPECT_EQ(facets.TagsOf(0).size(), 2u);
  const auto soul = facets.Tagged(*facets.FindTag("SOUL"));
  EXPECT_EQ(std::vector<uint32_t>(soul.begin(), soul.end()), (std::vector<uint32_t>{0, 2}));
  EXPECT_FALSE(facets.FindTag("polka"));
}

}  // namespace
}  // namespace segue::serve
