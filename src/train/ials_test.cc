#include <algorithm>
#include <cmath>

#include "math/kernels/kernels.h"
#include "models/ials.h"
#include "train/testing.h"

namespace segue::train {
namespace {

/// Factors of all tracks [n x d], by scoring unit vectors.
std::vector<std::vector<double>> TrackFactors(const models::Model& model, size_t d) {
  std::vector<std::vector<double>> y(model.track_count(), std::vector<double>(d));
  for (size_t j = 0; j < d; ++j) {
    models::Profile unit;
    unit.state.assign(math::PaddedTo(d), 0.0f);
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
  const models::IalsWeights weights{static_cast<float>(settings.ials.alpha), static_cast<float>(settings.ials.regularization), 0};
  const auto d = static_cast<size_t>(settings.ials.factors);
  const size_t n = data.tracks.size();
  double loss = 0;
  for (const auto& row : TrackFactors(model, d)) {
    for (const double value : row) loss += settings.ials.regularization * value * value;
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
    for (size_t j = 0; j < d; ++j) loss += settings.ials.regularization * profile.state[j] * profile.state[j];
  }
  return loss;
}

TEST(IalsTrainer, EveryEpochLowersTheObjective) {
  NoInstruments instruments;
  const Dataset data = RandomData(60, 40, 9);
  Settings settings = Small();
  settings.ials.frequency_exponent = 0;
  double last = INFINITY;
  for (int64_t epochs = 1; epochs <= 6; ++epochs) {
    settings.ials.epochs = epochs;
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
  settings.ials.frequency_exponent = 0.5;
  const auto d = static_cast<size_t>(settings.ials.factors);
  settings.ials.epochs = 3;
  const auto before = (*MakeTrainer("ials"))->Fit(data, settings, 1, instruments);
  settings.ials.epochs = 4;
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
    const double penalty = settings.ials.regularization * std::pow(count[i] / mean_count, settings.ials.frequency_exponent);
    for (size_t r = 0; r < d; ++r) {
      double residual = penalty * y[i][r];
      for (size_t u = 0; u < 60; ++u) {
        const float s = strength[u][i] < 0 ? models::kDislikeStrength : strength[u][i];
        const double c = 1 + settings.ials.alpha * std::log1p(s);
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
