#pragma once

#include <unistd.h>

#include <fstream>
#include <functional>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "pipeline/pipeline.h"
#include "simulate/simulate.h"

// What tests of this folder share: a data folder of its own with a pipeline on
// it, made-up listeners, and a clock that stands still where a test wants it to.
namespace segue::pipeline {

/// A data folder's place, for the present test alone: in memory where that can
/// be, for a run writes durably a hundred times.
inline std::filesystem::path TestRoot(const std::string& prefix) {
  const std::filesystem::path memory = "/dev/shm";
  std::error_code error;
  const bool usable = std::filesystem::is_directory(memory, error) && ::access(memory.c_str(), W_OK) == 0;
  return (usable ? memory : std::filesystem::temp_directory_path()) /
         ("segue-" + prefix + "-" + std::to_string(::getpid()) + "-" + testing::UnitTest::GetInstance()->current_test_info()->name());
}

/// Waits for a condition, not for a time; false after three minutes, which only a loaded machine under a sanitizer comes near.
inline bool Eventually(const std::function<bool()>& condition) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(180);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

class SmallPipeline : public testing::Test {
 protected:
  void SetUp() override {
    folder_.root = TestRoot("small");
    std::filesystem::create_directories(folder_.inbox());
    settings_.inbox_settle_ms = 0;
    settings_.inbox_burst_ms = 0;
    settings_.algorithms = "popularity";
    settings_.bootstrap_samples = 50;
    settings_.search.trials = 0;
    settings_.min_mrr = 0;
    settings_.min_hit_rate = 0;
    Open();
  }
  void TearDown() override { std::filesystem::remove_all(folder_.root); }

  void Open() {
    auto bucket = store::OpenFolderStore(folder_.bucket());
    auto catalog = store::OpenSqliteCatalog(folder_.catalog());
    ASSERT_TRUE(bucket.ok()) << bucket.error().message;
    ASSERT_TRUE(catalog.ok()) << catalog.error().message;
    bucket_ = *std::move(bucket);
    catalog_ = *std::move(catalog);
  }

  Context On(const store::Clock& clock) { return {*bucket_, *catalog_, clock, settings_, instruments_, folder_, cancelled_}; }
  Context Now() { return On(clock_); }

  /// Files of made-up listeners, below `to` ("": the inbox).
  void Drop(const simulate::World& world, const std::filesystem::path& to = {}) {
    const auto made = simulate::Simulate(world, to.empty() ? folder_.inbox() : to, instruments_);
    ASSERT_TRUE(made.ok()) << made.error().message;
  }

  /// A few of them.
  void DropListeners(uint64_t seed, const std::filesystem::path& to = {}) {
    Drop({.seed = seed, .listeners = 6, .tracks = 60, .artists = 15, .days = 20}, to);
  }

  /// A table of 300 songs of which the danceable are hits; its two features are from 0 to `scale`, 1 where they are right.
  void DropSongs(double scale = 1) {
    std::ofstream songs(folder_.inbox() / "songs.csv");
    songs << "track,artist,uri,danceability,energy,key,loudness,mode,speechiness,acousticness,instrumentalness,liveness,valence,tempo,"
             "duration_ms,time_signature,chorus_hit,sections,target\n";
    Random random(3);
    for (int i = 0; i < 300; ++i) {
      const double dance = random.Uniform();
      songs << "Song " << i << ",Artist " << i % 60 << ",spotify:track:" << std::string(19, 'x') << 100 + i << ',' << scale * dance << ',' << scale * random.Uniform()
            << ",5,-7,1,0.05,0.2,0,0.1,0.5,120,200000,4,30,9," << (dance > 0.5 ? 1 : 0) << '\n';
    }
  }

  store::RunRecord Run(const std::string& trigger) {
    const auto run = RunOnce(Now(), {trigger, ""});
    EXPECT_TRUE(run.ok()) << run.error().message;
    return run.ok() ? *run : store::RunRecord{};
  }

  std::string Live() {
    const auto live = catalog_->Live();
    return live.ok() && *live ? (*live)->to_model : "";
  }

  int64_t Feedback(int first, int count) {
    std::vector<store::FeedbackEvent> events;
    for (int i = first; i < first + count; ++i) {
      events.push_back({.event_id = "e" + std::to_string(i), .listener = "me", .track_id = "t" + std::to_string(i), .artist = "Somebody",
                        .title = "Song " + std::to_string(i), .kind = "play", .at = 1'700'000'000 + i, .received_at = 1'700'000'000});
    }
    const auto appended = catalog_->AppendEvents(events);
    EXPECT_TRUE(appended.ok());
    return appended.ok() ? appended->last_seq : -1;
  }

  /// Finished runs, newest first.
  std::vector<store::RunRecord> Finished() {
    auto runs = catalog_->Runs(0, 100);
    std::erase_if(*runs, [](const store::RunRecord& run) { return run.state == "running"; });
    return *runs;
  }

  store::DataFolder folder_;
  store::SystemClock clock_;
  Settings settings_;
  NoInstruments instruments_;
  std::atomic<bool> cancelled_{false};
  std::unique_ptr<store::ObjectStore> bucket_;
  std::unique_ptr<store::Catalog> catalog_;
};

}  // namespace segue::pipeline
