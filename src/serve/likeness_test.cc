#include "serve/likeness.h"

#include <cmath>

#include "serve/testing.h"

namespace segue::serve {
namespace {

/// Four tracks: 'a' and 'b' share artist, a tag and a sound; 'd' has nothing but a title.
class Likeness : public Serving {
 protected:
  void SetUp() override {
    Serving::SetUp();
    WriteDataset("d4", {"INSERT INTO t(track_id,title,artist,tags,energy,valence) VALUES ('a','1','X','rock;indie',1,2)",
                        "INSERT INTO t(track_id,title,artist,tags,energy,valence) VALUES ('b','2','x','Rock;pop;soul',3,4)",
                        "INSERT INTO t(track_id,title,artist,tags,energy) VALUES ('c','3','Y','folk',5)",
                        "INSERT INTO t(track_id,title,artist) VALUES ('d','4','')"});
    snapshot_ = *Snapshot::Load({*bucket_, *catalog_, clock_, settings_, instruments_, folder_}, "", "d4", 0);
  }
  std::shared_ptr<Snapshot> snapshot_;
};

TEST_F(Likeness, OfContentIsTheMeanOfWhatIsKnownOfBoth) {
  const Ground& ground = *snapshot_->ground();
  // Energy 1, 3, 5: mean 3, deviation 2. Valence 2, 4: mean 3, deviation √2. z_a = (−1, −1/√2), z_b = (0, 1/√2).
  const double cosine = -0.5 / (std::sqrt(1.5) * std::sqrt(0.5));
  EXPECT_NEAR(ContentLikeness(ground, 0, 1), (1 + 1.0 / 4 + (1 + cosine) / 2) / 3, 1e-6);
  // Of a and c energy alone is known of both: z −1 and 1.
  EXPECT_NEAR(ContentLikeness(ground, 0, 2), (0 + 0 + 0) / 3.0, 1e-6);
  EXPECT_EQ(ContentLikeness(ground, 0, 3), 0) << "nothing is known of d";
  for (uint32_t a = 0; a < 4; ++a) {
    for (uint32_t b = 0; b < 4; ++b) EXPECT_EQ(ContentLikeness(ground, a, b), ContentLikeness(ground, b, a));
  }
  EXPECT_NEAR(ContentLikeness(ground, 2, 2), 1, 1e-6);
}

TEST_F(Likeness, AModelThatTellsOneStandsBeforeContentAndIsNoLessThanNothing) {
  models::IalsModel::Parts parts{models::Catalogue({"a", "b", "c", "d"}, {1, 1, 1, 1}), 16, {}, {2, 1, 0, 1}};
  parts.y.assign(64, 0.0f);
  parts.y[0] = 1;        // a
  parts.y[16] = 2;       // b, as a
  parts.y[32] = -1;      // c, against them; d has no vector
  PutLive("m1", models::IalsModel::Make(std::move(parts)));
  const auto snapshot = *Snapshot::Load({*bucket_, *catalog_, clock_, settings_, instruments_, folder_}, "m1", "d4", 0);
  EXPECT_NEAR(LikenessOf(*snapshot, 0, 1), 1, 1e-6);
  EXPECT_EQ(LikenessOf(*snapshot, 0, 2), 0);
  EXPECT_EQ(LikenessOf(*snapshot, 0, 3), ContentLikeness(*snapshot->ground(), 0, 3));
  EXPECT_EQ(Nearest(*snapshot, 0, 1), (std::vector<std::pair<uint32_t, float>>{{1, 1.0f}}));
}

TEST_F(Likeness, WhereTheModelListsNoneTheNearestAreByContent) {
  PutPopularityLive("m2", {"a", "b", "c"});
  const auto snapshot = *Snapshot::Load({*bucket_, *catalog_, clock_, settings_, instruments_, folder_}, "m2", "d4", 0);
  const auto nearest = Nearest(*snapshot, 0, 5);
  ASSERT_EQ(nearest.size(), 1u) << "c has nothing in common with it";
  EXPECT_EQ(nearest[0], std::pair(1u, ContentLikeness(*snapshot->ground(), 0, 1)));
}

}  // namespace
}  // namespace segue::serve
