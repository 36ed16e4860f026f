#include "pipeline/search.h"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"

namespace segue::pipeline {
namespace {

/// Listeners of two tastes who hear ten tracks each, one an hour.
Dataset TwoTastes(uint32_t listeners, uint32_t tracks) {
  Dataset data;
  Random random(3, 0);
  for (uint32_t t = 0; t < tracks; ++t) data.tracks.id.push_back("t" + std::to_string(10'000 + t));
  data.tracks.title = data.tracks.artist = data.tracks.album = data.tracks.tags = std::vector<std::string>(tracks);
  data.tracks.year.assign(tracks, 0);
  data.tracks.duration_ms.assign(tracks, 0);
  data.tracks.hit.assign(tracks, -1);
  data.tracks.features.assign(tracks * kAudioFeatures.size(), std::nanf(""));
  data.begin.push_back(0);
  for (uint32_t u = 0; u < listeners; ++u) {
    data.listeners.push_back("u" + std::to_string(100'000 + u));
    for (int k = 0; k < 10; ++k) {
      const auto track = static_cast<uint32_t>(2 * random.Below(tracks / 2)) + u % 2;
      data.events.push_back({TrackIx{track}, EventKind::kPlay, 1, -1, 1'600'000'000 + 3600 * k});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

Settings Searching(int64_t trials) {
  Settings settings;
  settings.algorithms = "popularity,item_knn,ials";
  settings.ials.factors = 8;
  settings.ials.epochs = 2;
  settings.search.trials = trials;
  return settings;
}

class Searches : public testing::Test {
 protected:
  SearchOutcome Find(const Dataset& data, const Settings& settings, const std::map<std::string, Changes>& former = {}) {
    const auto found = Search(data, settings, former, [this] { return time_ += step_; }, instruments_);
    EXPECT_TRUE(found.ok()) << found.error().message;
    return found.ok() ? *found : SearchOutcome{};
  }
  double time_ = 0;
  double step_ = 0;
  NoInstruments instruments_;
};

double LastNdcg(const SearchTrial& trial) { return trial.rungs.back().ndcg; }

TEST_F(Searches, TheBestIsNeverWorseThanWhatIsConfiguredOrWhatWasBestBefore) {
  const Changes before = {{"item_knn.neighbours", "17"}};
  const auto outcome = Find(TwoTastes(80, 60), Searching(6), {{"item_knn", before}});
  ASSERT_EQ(outcome.trials.size(), 3u + 6u) << "two configured, one known, six drawn";
  EXPECT_EQ(outcome.ended, "trials");
  EXPECT_FALSE(outcome.best.contains("popularity")) << "it has nothing to search";
  for (const std::string algorithm : {"item_knn", "ials"}) {
    double best = -1;
    for (const SearchTrial& trial : outcome.trials) {
      if (trial.algorithm == algorithm && trial.changes == outcome.best.at(algorithm)) best = LastNdcg(trial);
    }
    for (const SearchTrial& trial : outcome.trials) {
      if (trial.algorithm == algorithm) {
        EXPECT_LE(LastNdcg(trial), best);
      }
    }
  }
  EXPECT_EQ(outcome.trials[1].changes, before);
}

TEST_F(Searches, TheSameSeedFindsTheSameOnAnyNumberOfThreads) {
  const Dataset data = TwoTastes(60, 40);
  Settings settings = Searching(5);
  settings.threads = 1;
  const auto one = Find(data, settings);
  settings.threads = 3;
  const auto three = Find(data, settings);
  ASSERT_EQ(one.trials.size(), three.trials.size());
  for (size_t t = 0; t < one.trials.size(); ++t) {
    EXPECT_EQ(one.trials[t].changes, three.trials[t].changes);
    EXPECT_EQ(LastNdcg(one.trials[t]), LastNdcg(three.trials[t]));
  }
  settings.seed = 7;
  EXPECT_NE(Find(data, settings).trials[3].changes, one.trials[3].changes);
}

TEST_F(Searches, ABracketIsHalvedByThreesOnMoreAndMoreListeners) {
  Settings settings = Searching(9);
  settings.algorithms = "item_knn";
  const auto outcome = Find(TwoTastes(2800, 40), settings);
  std::map<size_t, size_t> came_to;  // rungs, trials
  for (size_t t = 1; t < outcome.trials.size(); ++t) ++came_to[outcome.trials[t].rungs.size()];
  EXPECT_EQ(came_to, (std::map<size_t, size_t>{{1, 6}, {2, 2}, {3, 1}}));
  EXPECT_EQ(outcome.trials[0].rungs.size(), 1u) << "as configured: on all at once";
  const uint64_t all = outcome.trials[0].rungs[0].listeners;  // who went on to something new
  EXPECT_GT(all, 2000u);
  for (size_t t = 1; t < outcome.trials.size(); ++t) {
    EXPECT_NEAR(static_cast<double>(outcome.trials[t].rungs[0].listeners), static_cast<double>(all) / 9, 20);
    if (outcome.trials[t].rungs.size() > 1) {
      EXPECT_NEAR(static_cast<double>(outcome.trials[t].rungs[1].listeners), static_cast<double>(all) / 3, 40);
    }
  }
}

TEST_F(Searches, ItEndsAtTheLimitOrWhenTheTimeIsUpAndSaysWhich) {
  const Dataset data = TwoTastes(60, 40);
  Settings settings = Searching(1000);
  settings.search.enough_mrr = 1e-6;
  auto outcome = Find(data, settings);
  EXPECT_EQ(outcome.ended, "limit");
  EXPECT_EQ(outcome.trials.size(), 2u) << "what is configured is enough";
  settings.search.enough_mrr = 0;
  settings.search.seconds = 30;
  step_ = 1;  // each look at the clock takes a second
  outcome = Find(data, settings);
  EXPECT_EQ(outcome.ended, "time");
  EXPECT_LT(outcome.trials.size(), 40u);
  EXPECT_EQ(outcome.best.size(), 2u);
}

TEST_F(Searches, NothingToHoldOutLeavesAllAsConfigured) {
  Dataset data = TwoTastes(3, 10);
  data.events.clear();
  data.begin.assign(4, 0);
  const auto outcome = Find(data, Searching(4));
  EXPECT_TRUE(outcome.best.empty());
  EXPECT_NE(outcome.why, "");
}

}  // namespace
}  // namespace segue::pipeline
