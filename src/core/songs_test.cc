#include "core/songs.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "core/model_kind.h"

namespace segue {
namespace {

TEST(Songs, OfTracksHaveTheAudioFeaturesAndTheDurationAndUnknownOnesAreNotNumbers) {
  Tracks tracks;
  tracks.id = {"a", "b", "c"};
  tracks.title = tracks.artist = tracks.album = tracks.tags = {"", "", ""};
  tracks.year = {1967, 0, 2001};
  tracks.duration_ms = {200'000, 0, 1};
  tracks.hit = {1, 0, -1};
  tracks.features.assign(3 * kAudioFeatures.size(), 0.5f);
  tracks.features[kAudioFeatures.size()] = std::numeric_limits<float>::quiet_NaN();
  const SongTable songs = SongsOf(tracks);
  ASSERT_EQ(songs.size(), 3u);
  EXPECT_EQ(songs.features.size(), 15u);
  EXPECT_EQ(songs.features.back(), "duration_ms");
  EXPECT_EQ(songs.Row(0).back(), 200'000);
  EXPECT_EQ(songs.Row(0).front(), 0.5);
  EXPECT_TRUE(std::isnan(songs.Row(1).front()));
  EXPECT_TRUE(std::isnan(songs.Row(1).back()));
  EXPECT_EQ(songs.label, (std::vector<int32_t>{1, 0, -1}));
  EXPECT_EQ(songs.labels, (std::vector<std::string>{"0", "1"}));
  EXPECT_EQ(songs.decade, (std::vector<int32_t>{1960, -1, 2000}));
}

TEST(ModelKinds, AreReadAsTheyAreNamed) {
  for (const ModelKind kind : {ModelKind::kRecommender, ModelKind::kHits}) EXPECT_EQ(ParseModelKind(Name(kind)), kind);
  EXPECT_FALSE(ParseModelKind("").has_value());
  EXPECT_FALSE(ParseModelKind("Hits").has_value());
}

}  // namespace
}  // namespace segue
