#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "train/trainer.h"

namespace segue::train {
namespace {

namespace fs = std::filesystem;

Dataset Empty(size_t listeners, size_t tracks) {
  Dataset data;
  for (size_t i = 0; i < tracks; ++i) data.tracks.id.push_back("t" + std::to_string(1000 + i));
  for (size_t u = 0; u < listeners; ++u) data.listeners.push_back("u" + std::to_string(1000 + u));
  data.begin.push_back(0);
  return data;
}

/// Even listeners have even tracks, odd ones odd tracks; each lacks the track
/// of his own number, which must come back first (after implicit's test data).
Dataset Checkerboard(size_t n) {
  Dataset data = Empty(n, n);
  for (size_t u = 0; u < n; ++u) {
    for (size_t i = 0; i < n; ++i) {
      if (u != i && u % 2 == i % 2) data.events.push_back({TrackIx{static_cast<uint32_t>(i)}, EventKind::kPlay, 1, -1, 1});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

Dataset RandomData(size_t listeners, size_t tracks, uint64_t seed) {
  Dataset data = Empty(listeners, tracks);
  for (size_t u = 0; u < listeners; ++u) {
    Random random(seed, u);
    for (uint32_t i = 0; i < tracks; ++i) {
      const double taste = (u + i) % 5 == 0 ? 0.5 : 0.04;
      if (random.Uniform() < taste) data.events.push_back({TrackIx{i}, EventKind::kPlay, static_cast<float>(1 + random.Below(9)), -1, 1});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

Settings Small() {
  Settings settings;
  settings.factors = 8;
  settings.epochs = 6;
  settings.regularization = 1;
  return settings;
}

std::string SavedBytes(const models::Model& model) {
  const fs::path file = fs::temp_directory_path() / ("segue-train-" + std::to_string(::getpid()));
  EXPECT_TRUE(model.Save(file).ok());
  std::ifstream in(file, std::ios::binary);
  std::ostringstream bytes;
  bytes << in.rdbuf();
  fs::remove(file);
  return bytes.str();
}

class EveryTrainer : public testing::TestWithParam<std::string_view> {
 protected:
  std::unique_ptr<models::Model> Fit(const Dataset& data, const Settings& settings, uint64_t seed = 1) {
    const auto trainer = MakeTrainer(GetParam());
    EXPECT_TRUE(trainer.ok());
    auto model = (*trainer)->Fit(data, settings, seed, instruments_);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? *std::move(model) : nullptr;
  }
  NoInstruments instruments_;
};

TEST_P(EveryTrainer, GivesTheSameBytesForAnyNumberOfThreads) {
  const Dataset data = RandomData(200, 90, 5);
  Settings settings = Small();
  settings.threads = 1;
  const std::string one = SavedBytes(*Fit(data, settings));
  for (const int64_t threads : {2, 3, 4, 0}) {
    settings.threads = threads;
    EXPECT_EQ(SavedBytes(*Fit(data, settings)), one) << threads << " threads";
  }
}

TEST_P(EveryTrainer, KnowsAllTracksInTheDatasetsOrder) {
  const auto model = Fit(Checkerboard(12), Small());
  ASSERT_EQ(model->track_count(), 12u);
  EXPECT_EQ(model->TrackId(TrackIx{3}), "t1003");
  EXPECT_EQ(model->algorithm(), GetParam());
}

TEST_P(EveryTrainer, NeverRecommendsWhatNobodyPlayed) {
  Dataset data = Checkerboard(12);
  data.tracks.id.push_back("t9999");
  const auto model = Fit(data, Small());
  for (const auto& track : model->Top(model->FoldIn({}), 100, {})) EXPECT_NE(model->TrackId(track.track), "t9999");
}

TEST_P(EveryTrainer, SaysThatThereIsNothingToTrainOn) {
  Dataset data = Empty(1, 3);
  data.events.push_back({TrackIx{0}, EventKind::kSkip, 1, -1, 1});
  data.begin.push_back(1);
  const auto model = (*MakeTrainer(GetParam()))->Fit(data, Small(), 1, instruments_);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_NE(model.error().message.find(GetParam()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Trainers, EveryTrainer, testing::Values("popularity", "ials"),
                         [](const auto& which) { return std::string(which.param); });

TEST(Trainers, AnUnknownNameListsTheKnownOnes) {
  const auto trainer = MakeTrainer("svdpq");
  ASSERT_FALSE(trainer.ok());
  EXPECT_NE(trainer.error().message.find("popularity, ials"), std::string::npos);
  for (const auto name : KnownAlgorithms()) EXPECT_TRUE(MakeTrainer(name).ok()) << name;
}

TEST(IalsTrainer, FindsTheWithheldDiagonalOfTheCheckerboard) {
  NoInstruments instruments;
  const Dataset data = Checkerboard(30);
  const auto model = (*MakeTrainer("ials"))->Fit(data, Small(), 1, instruments);
  ASSERT_TRUE(model.ok());
  for (uint32_t u = 0; u < 30; ++u) {
    const auto history = SumByTrack(data.EventsOf(UserIx{u}), {});
    std::vector<uint8_t> heard(30, 0);
    for (const auto& item : history) heard[Raw(item.track)] = 1;
    const auto top = (*model)->Top((*model)->FoldIn(history), 1, heard);
    ASSERT_EQ(top.size(), 1u);
    EXPECT_EQ(Raw(top[0].track), u) << "listener " << u;
  }
}

/// Factors of all tracks [n x d], by scoring unit vectors.
std::vector<std::vector<double>> TrackFactors(const models::Model& model, size_t d) {
  std::vector<std::vector<double>> y(model.track_count(), std::vector<double>(d));
  for (size_t j = 0; j < d; ++j) {
    models::Profile unit{std::vector<float>(math::PaddedTo(d), 0.0f), {}};
    unit.state[j] = 1;
    std::vector<float> column(model.track_count());
    model.Score(unit, column);
    for (size_t i = 0; i < y.size(); ++i) y[i][j] = column[i];
  }
  return y;
}

/// The objective of train/ials.h, summed the slow way over all pairs. X is the
/// best answer to Y (fold-in), which is what the next half-step would use.
double Objective(const Dataset& data, const models::Model& model, const Settings& settings) {
  const models::IalsWeights weights{static_cast<float>(settings.alpha), static_cast<float>(settings.regularization), 0};
  const auto d = static_cast<size_t>(settings.factors);
  const size_t n = data.tracks.size();
  double loss = 0;
  for (const auto& row : TrackFactors(model, d)) {
    for (const double value : row) loss += settings.regularization * value * value;
  }
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto history = SumByTrack(data.EventsOf(UserIx{u}), {});
    const auto profile = model.FoldIn(history);
    std::vector<float> scores(n);
    model.Score(profile, scores);
    std::vector<float> strength(n, 0);
    for (const auto& item : history) strength[Raw(item.track)] = item.strength;
    for (size_t i = 0; i < n; ++i) {
      const double error = (strength[i] > 0 ? 1.0 : 0.0) - scores[i];
      loss += weights.Confidence(strength[i]) * error * error;
    }
    for (size_t j = 0; j < d; ++j) loss += settings.regularization * profile.state[j] * profile.state[j];
  }
  return loss;
}

TEST(IalsTrainer, EveryEpochLowersTheObjective) {
  NoInstruments instruments;
  const Dataset data = RandomData(60, 40, 9);
  Settings settings = Small();
  settings.frequency_exponent = 0;
  double last = INFINITY;
  for (int64_t epochs = 1; epochs <= 6; ++epochs) {
    settings.epochs = epochs;
    const auto model = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
    ASSERT_TRUE(model.ok());
    const double now = Objective(data, **model, settings);
    EXPECT_LT(now, last * (1 + 1e-6)) << "epoch " << epochs;
    last = now;
  }
}

// An epoch solves the listeners for the tracks' factors, then the tracks for
// the listeners'. So the listeners that a model folds in are those of the next
// epoch, and its tracks must satisfy eq. 5 of Hu, Koren, Volinsky with them:
// checks the tracks' half-step and that fold-in is the listeners'.
TEST(IalsTrainer, TracksOfTheNextEpochAnswerToTheListenersFoldedInBefore) {
  NoInstruments instruments;
  Dataset data = RandomData(60, 40, 9);
  for (uint32_t u = 0; u < 60; u += 7) data.events[data.begin[u]].kind = EventKind::kDislike;
  for (uint32_t u = 3; u < 60; u += 7) data.events[data.begin[u]].kind = EventKind::kSkip;
  Settings settings = Small();
  settings.frequency_exponent = 0.5;
  const auto d = static_cast<size_t>(settings.factors);
  settings.epochs = 3;
  const auto before = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  settings.epochs = 4;
  const auto after = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  ASSERT_TRUE(before.ok() && after.ok());

  std::vector<std::vector<float>> x;
  std::vector<std::vector<float>> strength(60, std::vector<float>(40, 0.0f));
  std::vector<double> count(40, 0);
  int dislikes = 0;
  for (uint32_t u = 0; u < 60; ++u) {
    const auto history = SumByTrack(data.EventsOf(UserIx{u}), {});
    x.push_back((*before)->FoldIn(history).state);
    ASSERT_FALSE(x.back().empty());
    for (const auto& item : history) {
      strength[u][Raw(item.track)] = item.strength;
      count[Raw(item.track)] += item.strength != 0;
      dislikes += item.strength < 0;
    }
  }
  ASSERT_GT(dislikes, 0);
  double observed = 0;
  for (const double n : count) observed += n;
  const double mean_count = observed / static_cast<double>(count.size() - static_cast<size_t>(std::count(count.begin(), count.end(), 0.0)));

  const auto y = TrackFactors(**after, d);
  double largest = 0;
  for (size_t i = 0; i < 40; ++i) {
    if (count[i] == 0) continue;
    const double penalty = settings.regularization * std::pow(count[i] / mean_count, settings.frequency_exponent);
    for (size_t r = 0; r < d; ++r) {
      double residual = penalty * y[i][r];
      for (size_t u = 0; u < 60; ++u) {
        const float s = strength[u][i] < 0 ? models::kDislikeStrength : strength[u][i];
        const double c = 1 + settings.alpha * std::log1p(s);
        double predicted = 0;
        for (size_t j = 0; j < d; ++j) predicted += x[u][j] * y[i][j];
        residual += c * (predicted - (strength[u][i] > 0 ? 1 : 0)) * x[u][r];
      }
      EXPECT_NEAR(residual, 0, 2e-4) << "track " << i << " equation " << r;
    }
    for (size_t r = 0; r < d; ++r) largest = std::max(largest, std::fabs(y[i][r]));
  }
  EXPECT_GT(largest, 0.1) << "the factors are not all but zero";
}

class Cancelling final : public Instruments {
 public:
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t done, uint64_t, std::string_view) override { cancelled_ = done >= 2; }
  bool Cancelled() const override { return cancelled_; }

 private:
  bool cancelled_ = false;
};

TEST(IalsTrainer, StopsWhenAskedTo) {
  Cancelling instruments;
  const auto model = (*MakeTrainer("ials"))->Fit(Checkerboard(10), Small(), 1, instruments);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCancelled);
}

TEST(IalsTrainer, AnotherSeedIsAnotherModel) {
  NoInstruments instruments;
  const Dataset data = RandomData(40, 30, 2);
  const auto trainer = MakeTrainer("ials");
  const auto a = (*trainer)->Fit(data, Small(), 1, instruments);
  const auto b = (*trainer)->Fit(data, Small(), 2, instruments);
  EXPECT_NE(SavedBytes(**a), SavedBytes(**b));
}

}  // namespace
}  // namespace segue::train
