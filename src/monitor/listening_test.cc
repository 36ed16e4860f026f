#include "monitor/listening.h"

#include <gtest/gtest.h>

#include <fstream>

#include "monitor/readings.h"
#include "monitor/testing.h"
#include "store/dataset_store.h"
#include "store/duck.h"
#include "store/layout.h"

namespace segue::monitor {
namespace {

using nlohmann::json;

/// Two listeners, two artists: ann plays artist 0, bob artist 1; 100 plays each.
class Listening : public WithCatalog {
 protected:
  void SetUp() override {
    WithCatalog::SetUp();
    bucket_ = *store::OpenFolderStore(folder_ / "bucket");
    const auto duck = *store::OpenDuck({.threads = 1});
    const auto run = [&](const std::string& sql) {
      const Status done = duck->Run(sql);
      ASSERT_TRUE(done.ok()) << done.error().message;
    };
    run("CREATE TABLE t(" + std::string(store::kTracksSchema) + ")");
    run("CREATE TABLE i(" + std::string(store::kInteractionsSchema) + ")");
    run("INSERT INTO t(track_id,title,artist) SELECT 't' || n, 'title', 'artist ' || (n // 10) FROM range(40) r(n)");
    run("INSERT INTO i SELECT 'ann', 't' || (n % 10), 1600000000 + n, 'play', 1, NULL FROM range(100) r(n)");
    run("INSERT INTO i SELECT 'bob', 't' || (10 + n % 10), 1600000000 + n, 'play', 1, NULL FROM range(100) r(n)");
    const auto at = folder_ / "bucket" / "datasets" / "d1";
    std::filesystem::create_directories(at);
    run("COPY t TO " + store::Quoted((at / "tracks.parquet").string()) + " (FORMAT parquet)");
    run("COPY i TO " + store::Quoted((at / "interactions.parquet").string()) + " (FORMAT parquet)");
    std::ofstream(at / "manifest.json") << json{{"events_through_seq", 3}};
    ASSERT_TRUE(catalog_->PutModel({.model_id = "m1", .dataset_id = "d1"}).ok());
    settings_.min_rows = 50;
    Play("ann", 39, 3);  // the dataset has these
  }

  void Play(const std::string& listener, int track, int times, const std::string& kind = "play") {
    std::vector<store::FeedbackEvent> events(static_cast<size_t>(times),
                                             {.listener = listener, .track_id = "t" + std::to_string(track), .kind = kind, .at = 1, .received_at = 1});
    ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  }
  std::optional<ListeningDrift> Look() {
    ListeningWatch watch(*bucket_, *catalog_, settings_);
    const auto found = watch.Look("m1", 1000);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? *found : std::nullopt;
  }

  std::unique_ptr<store::ObjectStore> bucket_;
  DriftSettings settings_;
};

TEST_F(Listening, AFewPlaysSayNothing) {
  Play("ann", 0, 49);
  EXPECT_FALSE(Look().has_value()) << "with those that the dataset has there would be 52";
  Play("ann", 0, 1);
  EXPECT_TRUE(Look().has_value());
}

TEST_F(Listening, WhoHappensToListenIsNoDrift) {
  Play("ann", 5, 100);
  const auto drift = Look();
  ASSERT_TRUE(drift.has_value());
  EXPECT_EQ(drift->plays, 100);
  EXPECT_EQ(drift->listeners, 1);
  EXPECT_NEAR(drift->jensen_shannon.value, 0, 1e-6) << "half of the dataset's plays are bob's, none of those since";
}

TEST_F(Listening, AListenerWhoPlaysOtherArtistsHasDrifted) {
  Play("ann", 5, 60);
  Play("ann", 25, 60);  // artist 2 is new to her
  const auto drift = Look();
  ASSERT_TRUE(drift.has_value());
  // Expected: all of artist 0; played: half of it, half of others. By hand:
  // √(½·log2(1/0.75) + ½·(½·log2(0.5/0.75) + ½·log2(0.5/0.25)))
  EXPECT_NEAR(drift->jensen_shannon.value, 0.557923, 1e-5);
  EXPECT_GT(drift->jensen_shannon.value, drift->jensen_shannon.noise);
}

TEST_F(Listening, StrangersLikesAndSkipsAreLeftOut) {
  Play("eve", 39, 500);
  Play("ann", 5, 60);
  Play("ann", 39, 200, "like");
  Play("ann", 39, 200, "skip");
  const auto drift = Look();
  ASSERT_TRUE(drift.has_value());
  EXPECT_EQ(drift->plays, 60);
  EXPECT_NEAR(drift->jensen_shannon.value, 0, 1e-6);
}

TEST_F(Listening, ATrackThatTheDatasetLacksIsOfTheArtistThatItsEventNames) {
  std::vector<store::FeedbackEvent> events(80, {.listener = "ann", .track_id = "unknown", .artist = "artist 0", .kind = "play", .at = 1});
  ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  EXPECT_NEAR(Look()->jensen_shannon.value, 0, 1e-6);
}

TEST_F(Listening, ItIsComparedAtOnceAndThenEveryFewMinutes) {
  ListeningWatch watch(*bucket_, *catalog_, settings_);
  Play("ann", 5, 60);
  EXPECT_NEAR((*watch.Look("m1", 1'000))->jensen_shannon.value, 0, 1e-6);
  Play("ann", 25, 600);
  EXPECT_NEAR((*watch.Look("m1", 2'000))->jensen_shannon.value, 0, 1e-6) << "found a second ago";
  EXPECT_GT((*watch.Look("m1", 1'000 + settings_.check_minutes * 60'000))->jensen_shannon.value, 0.5);
  ASSERT_TRUE(catalog_->PutModel({.model_id = "m2", .dataset_id = "d1"}).ok());
  EXPECT_GT((*watch.Look("m2", 3'000))->jensen_shannon.value, 0.5) << "another live model is looked at anew";
  settings_.check_minutes = 0;
  EXPECT_FALSE(watch.Look("m2", 3'000)->has_value());
}

TEST_F(Listening, ReadingsAreThoseOfTheCatalog) {
  constexpr int64_t kNow = 1'700'000'000;
  Settings settings;
  NoInstruments quiet;
  Reader reader(*bucket_, *catalog_, settings, quiet);
  auto readings = reader.Read(kNow * 1000);
  EXPECT_FALSE(readings.contains("model_age_seconds"));
  EXPECT_FALSE(readings.contains("like_rate"));
  EXPECT_EQ(readings["refused_runs"], 0);

  ASSERT_TRUE(catalog_->Deploy({.at = kNow - 500, .action = "promote", .to_model = "m1"}).ok());
  ASSERT_TRUE(catalog_->PutObject({.sha256 = "a", .status = "accepted", .added_at = kNow - 300}).ok());
  std::vector<store::FeedbackEvent> events;
  for (int i = 0; i < 60; ++i) {
    events.push_back({.listener = "ann", .track_id = "t1", .kind = i < 15 ? "like" : i < 21 ? "dislike" : "play", .at = 1, .list_id = "l", .received_at = kNow - 200});
  }
  events.push_back({.listener = "ann", .track_id = "t1", .kind = "dislike", .at = 1, .received_at = kNow - 100});
  ASSERT_TRUE(catalog_->AppendEvents(events).ok());
  int n = 0;
  for (const char* state : {"approved", "refused", "nothing_new", "refused", "failed", "dry_run", "failed", "running"}) {
    ASSERT_TRUE(catalog_->PutRun({.run_id = "r" + std::to_string(n++), .state = state}).ok());
  }
  std::vector<store::QuarantineRow> rows(7, {.file = "f", .reason = "why", .at = kNow - 90'000});
  rows.resize(12, {.file = "f", .reason = "why", .at = kNow - 80'000});
  ASSERT_TRUE(catalog_->AddQuarantine(rows).ok());
  readings = reader.Read(kNow * 1000);
  EXPECT_EQ(readings["model_age_seconds"], 500);
  EXPECT_EQ(readings["data_age_seconds"], 100);
  EXPECT_EQ(readings["like_rate"], 15.0 / 60);
  EXPECT_EQ(readings["dislike_rate"], 6.0 / 60) << "the one that answers no list does not count";
  EXPECT_EQ(readings["refused_runs"], 2);
  EXPECT_EQ(readings["failed_runs"], 2);
  EXPECT_EQ(readings["quarantined_last_day"], 5);
  readings = reader.Read((kNow + 8 * 86'400) * 1000);
  EXPECT_FALSE(readings.contains("like_rate")) << "a week is over";
}

TEST(Reception, TheFirstNumberThatReachesATimeIsFoundWithFewQuestions) {
  const std::vector<int64_t> at = {3, 3, 5, 8, 8, 9};
  for (int64_t wanted = 0; wanted <= 10; ++wanted) {
    const auto expected = std::lower_bound(at.begin(), at.end(), wanted) - at.begin() + 1;
    const auto found = FirstReaching(6, wanted, [&](int64_t n) -> Result<int64_t> { return at[static_cast<size_t>(n - 1)]; });
    EXPECT_EQ(*found, expected) << wanted;
  }
  int asked = 0;
  ASSERT_TRUE(FirstReaching(1'000'000'000, 77, [&](int64_t n) -> Result<int64_t> { ++asked; return n; }).ok());
  EXPECT_LE(asked, 31);
}

}  // namespace
}  // namespace segue::monitor
