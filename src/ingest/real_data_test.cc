#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "ingest/ingest.h"
#include "ingest/test_support.h"

namespace segue::ingest {
namespace {

namespace fs = std::filesystem;

/// Real files of other people, from the folder in SEGUE_TEST_DATA.
class RealData : public testing::Test {
 protected:
  void SetUp() override {
    const char* root = std::getenv("SEGUE_TEST_DATA");
    if (root == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA does not name the folder of real data";
    root_ = root;
    auto bucket = store::OpenFolderStore(folder_.path() / "bucket");
    auto catalog = store::OpenSqliteCatalog(folder_.path() / "catalog.sqlite");
    ASSERT_TRUE(bucket.ok() && catalog.ok());
    bucket_ = *std::move(bucket);
    catalog_ = *std::move(catalog);
  }

  /// Takes in a file or all files below a folder of the test data.
  Outcome Take(const std::string& below) {
    std::vector<fs::path> files;
    if (fs::is_directory(root_ / below)) {
      for (const auto& entry : fs::recursive_directory_iterator(root_ / below)) {
        if (entry.is_regular_file()) files.push_back(entry.path());
      }
    } else {
      files.push_back(root_ / below);
    }
    std::sort(files.begin(), files.end());
    Outcome all;
    for (const fs::path& file : files) {
      const auto one = Ingest({*bucket_, *catalog_, clock_, settings_, instruments_},
                              {.path = file, .name = fs::relative(file, root_).string(), .run_id = "r1"});
      EXPECT_TRUE(one.ok()) << file << ": " << one.error().message;
      if (!one.ok()) continue;
      all.accepted += one->accepted;
      all.set_aside += one->set_aside;
      all.quarantined += one->quarantined;
      all.already_known += one->already_known;
      all.rows += one->rows;
      all.rejected_rows += one->rejected_rows;
    }
    return all;
  }

  std::vector<store::ObjectRecord> Objects(const std::string& status) const { return *catalog_->Objects(status); }
  store::ObjectRecord Object() const { return Objects("").back(); }

  TestFolder folder_;
  fs::path root_;
  std::unique_ptr<store::ObjectStore> bucket_;
  std::unique_ptr<store::Catalog> catalog_;
  store::FakeClock clock_{1'700'000'000'000};
  Settings settings_;
  NoInstruments instruments_;
};

TEST_F(RealData, StagesEveryPlayOfTwelveListeners) {
  const Outcome outcome = Take("spotify_histories");
  EXPECT_EQ(outcome.quarantined, 0);
  EXPECT_EQ(outcome.set_aside, 2);
  EXPECT_EQ(outcome.rejected_rows, 1);
  EXPECT_EQ(outcome.rows, 778'234 - 431 - 1);
  std::map<std::string, int64_t> rows;
  for (const auto& object : Objects("accepted")) rows[object.listener] += object.rows;
  EXPECT_EQ(rows, (std::map<std::string, int64_t>{{"listener-01", 43340},
                                                  {"listener-02", 46066},
                                                  {"listener-03", 10000},
                                                  {"listener-04", 42272},
                                                  {"listener-05", 75268},
                                                  {"listener-06", 52677},
                                                  {"listener-07", 2079},
                                                  {"listener-08", 84630},
                                                  {"listener-09", 54429},
                                                  {"listener-10", 62748},
                                                  {"listener-11", 103142},
                                                  {"listener-12", 201151}}));
}

TEST_F(RealData, StagesTheSongTables) {
  const Outcome hits = Take("hit_predictor");
  EXPECT_EQ(hits.rows, 41106);
  EXPECT_EQ(hits.rejected_rows, 0);
  EXPECT_EQ(hits.accepted, 6);
  EXPECT_EQ(Take("spotify_songs/song_data.csv").rows, 18835);
  EXPECT_EQ(Take("spotify_songs/song_info.csv").rows, 18835);
  EXPECT_EQ(Take("spotify_songs/SpotifyDataset.csv").rows, 19999);
}

TEST_F(RealData, StagesLastFm2k) {
  const Outcome outcome = Take("lastfm-2k");
  EXPECT_EQ(outcome.rejected_rows, 0);
  EXPECT_EQ(outcome.set_aside, 1);
  std::map<std::string, int64_t> rows;
  for (const auto& object : Objects("accepted")) rows[object.format] = object.rows;
  EXPECT_EQ(rows, (std::map<std::string, int64_t>{{"lastfm2k_artists", 17632},
                                                  {"lastfm2k_tags", 11946},
                                                  {"lastfm2k_taggings", 186478},
                                                  {"lastfm2k_user_artists", 92834}}));
}

TEST_F(RealData, StagesRatingsAndPlayCounts) {
  EXPECT_EQ(Take("ml-100k/u.data").rows, 100'000);
  EXPECT_EQ(Object().format, "ratings");
  EXPECT_EQ(Take("amazon_music_ratings").rows, 59'753);
  EXPECT_EQ(Take("audioscrobbler_small/user_artist_data_small.txt").rows, 49'481);
  EXPECT_EQ(Take("ml-100k/u.item").quarantined, 1);
  EXPECT_EQ(Take("ml-100k/README").quarantined, 1);
}

TEST_F(RealData, StagesReviewsAndWhatATruncatedDownloadHolds) {
  EXPECT_EQ(Take("amazon_digital_music/reviews_Digital_Music_5_head.json").rows, 6908);
  const Outcome cut = Take("amazon_digital_music/reviews_Digital_Music_5.truncated.json.gz");
  EXPECT_EQ(cut.accepted, 1);
  EXPECT_GE(cut.rows, 6908);
  EXPECT_NE(Object().reason.find("cut short"), std::string::npos) << Object().reason;
}

TEST_F(RealData, NothingBreaksOnBadInputs) {
  const Outcome outcome = Take("bad_inputs");
  EXPECT_EQ(outcome.accepted + outcome.quarantined, 5);
  std::map<std::string, std::string> reasons;
  for (const auto& object : Objects("")) {
    reasons[object.name] = object.status + " " + std::to_string(object.rows) + " " + object.reason;
  }
  EXPECT_EQ(reasons["bad_inputs/hit_merged_cut_bom.csv"], "accepted 5994 ");
  EXPECT_TRUE(reasons["bad_inputs/lfs_pointer_named_Digital_Music_5.json.gz"].starts_with("quarantined 0 is a git-LFS pointer"));
  EXPECT_EQ(reasons["bad_inputs/one_newline_file.csv"], "quarantined 0 the file holds nothing but blank lines");
  EXPECT_TRUE(reasons["bad_inputs/reviews_with_stray_quotes.tsv"].starts_with("quarantined 0 no known format"));
  EXPECT_TRUE(reasons["bad_inputs/lastfm1k_tiny_userid-timestamp-artid-artname-traid-traname.tsv"].starts_with(
      "quarantined 0 two columns are named 'artist_id'"));
}

}  // namespace
}  // namespace segue::ingest
