#include "train/pairwise.h"

#include <cmath>

#include "math/kernels/kernels.h"
#include "models/pairwise.h"
#include "train/pairwise_steps.h"
#include "train/testing.h"

namespace segue::train {
namespace {

using models::PairwiseModel;

std::unique_ptr<models::Model> Fit(std::string_view algorithm, const Dataset& data, const Settings& settings) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

/// One listener and two tracks with factors that are not small.
PairwiseFactors Three(size_t d) {
  PairwiseFactors factors(1, 2, d, 9);
  Random random(4);
  for (size_t k = 0; k < d; ++k) {
    factors.x[k] = static_cast<float>(random.Normal());
    factors.y[k] = static_cast<float>(random.Normal());
    factors.y[factors.stride + k] = static_cast<float>(random.Normal());
  }
  factors.y[d] = 0.3f;
  factors.y[factors.stride + d] = -0.2f;
  return factors;
}

/// s(u, i) - s(u, j), in double and by the definition.
double Ahead(const PairwiseFactors& f) {
  double sum = f.y[f.d] - static_cast<double>(f.y[f.stride + f.d]);
  for (size_t k = 0; k < f.d; ++k) sum += static_cast<double>(f.x[k]) * (static_cast<double>(f.y[k]) - f.y[f.stride + k]);
  return sum;
}

TEST(PairwiseStep, GoesUpTheGradientOfBprsLogLikelihood) {
  const size_t d = 5;
  const PairwiseFactors before = Three(d);
  const auto pull = static_cast<float>(1 / (1 + std::exp(Ahead(before))));
  PairwiseFactors after = before;
  std::vector<float> apart(before.stride);
  MoveApart(after, 0, 0, 1, pull, {0.01f, 0}, apart);
  // d ln σ(ahead) by central differences, and the step without its length.
  const auto check = [&](std::vector<float> PairwiseFactors::*rows, size_t at, double past) {
    const float h = 1e-2f;
    PairwiseFactors up = before, down = before;
    (up.*rows)[at] += h;
    (down.*rows)[at] -= h;
    const auto value = [](const PairwiseFactors& f) { return -std::log1p(std::exp(-Ahead(f))); };
    const double gradient = (value(up) - value(down)) / (2 * h);
    const double step = ((after.*rows)[at] - static_cast<double>((before.*rows)[at])) * std::sqrt(past) / 0.01;
    EXPECT_NEAR(step, gradient, 1e-3) << at;
  };
  for (size_t k = 0; k < d; ++k) {
    check(&PairwiseFactors::x, k, after.x_past[0]);
    check(&PairwiseFactors::y, k, after.y_past[0]);
    check(&PairwiseFactors::y, after.stride + k, after.y_past[1]);
  }
  check(&PairwiseFactors::y, d, after.bias_past[0]);
  check(&PairwiseFactors::y, after.stride + d, after.bias_past[1]);
}

TEST(PairwiseStep, ShrinksByThePenaltyOfWhereItArrives) {
  const size_t d = 5;
  const PairwiseFactors before = Three(d);
  PairwiseFactors after = before;
  std::vector<float> apart(before.stride);
  MoveApart(after, 0, 0, 1, 0.7f, {0.1f, 3}, apart);
  const double rate = 0.1 / std::sqrt(after.x_past[0]);
  for (size_t k = 0; k < d; ++k) {
    const double z = static_cast<double>(before.y[k]) - before.y[before.stride + k];
    EXPECT_NEAR(after.x[k], before.x[k] + rate * (0.7 * z - 3 * after.x[k]), 1e-5);
  }
}

TEST(PairwiseStep, LeavesTheListenersBiasColumnAndThePadsAlone) {
  PairwiseFactors factors = Three(5);
  std::vector<float> apart(factors.stride);
  MoveApart(factors, 0, 0, 1, 0.7f, {0.1f, 3}, apart);
  EXPECT_EQ(factors.x[5], 1);
  for (size_t k = 6; k < factors.stride; ++k) EXPECT_EQ(factors.x[k] + factors.y[k], 0) << k;
}

TEST(Warp, WeighsTheRankThatTheTrialsTellAsItsHarmonicSum) {
  const auto weights = RankWeights(1001, 7);
  double whole = 0;
  for (int r = 1; r <= 1000; ++r) whole += 1.0 / r;
  for (size_t t = 1; t <= 7; ++t) {
    double sum = 0;
    for (size_t r = 1; r <= 1000 / t; ++r) sum += 1.0 / static_cast<double>(r);
    EXPECT_NEAR(weights[t - 1], sum / whole, 1e-6);
  }
}

TEST(Warp, WeighsNothingAsNotANumberInTinyCatalogues) {
  for (const size_t tracks : {1, 2, 3}) {
    for (const float weight : RankWeights(tracks, 20)) {
      EXPECT_GT(weight, 0);
      EXPECT_LE(weight, 1);
    }
  }
}

TEST(PairwiseDescent, GivesTheSameBytesInManyBlocksForAnyNumberOfThreads) {
  const Dataset data = RandomData(400, 400, 3);
  Csr wanted;
  for (uint32_t u = 0; u < 400; ++u) {
    for (const Event& event : data.EventsOf(UserIx{u})) {
      wanted.column.push_back(Raw(event.track));
      wanted.value.push_back(1);
    }
    wanted.EndRow();
  }
  ASSERT_GT(PairwiseDescent(PairwiseLoss::kBpr, wanted, 400, 1).blocks(), 3u);
  for (const std::string_view algorithm : {PairwiseModel::kBpr, PairwiseModel::kWarp}) {
    Settings settings = Small();
    settings.threads = 1;
    const std::string one = SavedBytes(*Fit(algorithm, data, settings));
    for (const int64_t threads : {2, 3, 0}) {
      settings.threads = threads;
      EXPECT_TRUE(SavedBytes(*Fit(algorithm, data, settings)) == one) << algorithm << ", " << threads << " threads";
    }
  }
}

TEST(Pairwise, RanksWhatIsWantedBeforeWhatIsNotAfterTraining) {
  const Dataset data = RandomData(300, 300, 8);
  for (const std::string_view algorithm : {PairwiseModel::kBpr, PairwiseModel::kWarp}) {
    const auto model = Fit(algorithm, data, Small());
    double right = 0, all = 0;
    for (uint32_t u = 0; u < 300; u += 7) {
      std::vector<float> scores(300);
      model->Score(ProfileIn(*model, data, u), scores);
      const auto heard = HeardIn(data, u);
      for (size_t i = 0; i < 300; ++i) {
        for (size_t j = 0; j < 300; ++j) {
          if (heard[i] == 0 || heard[j] != 0) continue;
          right += scores[i] > scores[j];
          ++all;
        }
      }
    }
    EXPECT_GT(right / all, 0.8) << algorithm;
  }
}

TEST(Pairwise, AnyRateGivesNumbersOrSaysThatItIsTooHigh) {
  const Dataset data = RandomData(100, 80, 8);
  NoInstruments instruments;
  for (const std::string_view algorithm : {PairwiseModel::kBpr, PairwiseModel::kWarp}) {
    for (const double regularization : {0.0, 1000.0}) {
      Settings settings = Small();
      settings.bpr.learning_rate = settings.warp.learning_rate = 10;
      settings.bpr.regularization = settings.warp.regularization = regularization;
      const auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
      if (!model.ok()) {
        EXPECT_NE(model.error().message.find("learning_rate"), std::string::npos);
        continue;
      }
      std::vector<float> scores(80);
      (*model)->Score(ProfileIn(**model, data, 3), scores);
      for (const float score : scores) EXPECT_TRUE(std::isfinite(score));
    }
  }
}

/// Random factors for `n` tracks, the last played by nobody; `spread` γ.
std::unique_ptr<models::Model> RandomModel(uint32_t n, uint32_t d, float spread) {
  std::vector<std::string> ids;
  std::vector<float> popularity;
  std::vector<float> y(n * math::PaddedTo(d + 1), 0.0f);
  Random random(6);
  for (uint32_t i = 0; i < n; ++i) {
    ids.push_back("t" + std::to_string(1000 + i));
    popularity.push_back(i + 1 < n ? 1 : models::kNever);
    for (uint32_t k = 0; k <= d && i + 1 < n; ++k) y[i * math::PaddedTo(d + 1) + k] = static_cast<float>(random.Normal() + 0.5);
  }
  models::PairwiseRule rule{.mean_weight = 1.5f};
  rule.spread = spread;
  return PairwiseModel::Make({PairwiseModel::kBpr, models::Catalogue(ids, popularity), d, y, rule});
}

Preference Of(uint32_t track, float strength) { return {TrackIx{track}, strength, strength, 0, 1'600'000'000}; }

TEST(PairwiseModel, TheFoldInSetsTheSlopeOfTheSumOverAllPairsToZero) {
  const uint32_t n = 30, d = 4;
  const auto model = RandomModel(n + 1, d, 1);
  const auto& pairwise = static_cast<const PairwiseModel&>(*model);
  const std::vector<Preference> past = {Of(2, 1), Of(7, 20), Of(9, 3), Of(20, 5)};
  const auto profile = model->FoldIn(past);
  const auto y = [&](uint32_t i, size_t k) { return static_cast<double>(pairwise.factors()[i * pairwise.stride() + k]); };
  const models::PairwiseRule rule{.mean_weight = 1.5f};
  double variance = 0;  // t
  for (size_t k = 0; k < d; ++k) {
    double mean = 0, square = 0;
    for (uint32_t i = 0; i < n; ++i) {
      mean += y(i, k) / n;
      square += y(i, k) * y(i, k) / n;
    }
    variance += (square - mean * mean) / d;
  }
  for (size_t slope = 0; slope < d; ++slope) {
    double sum = rule.penalty * variance * profile.state[slope];
    for (const Preference& item : past) {
      for (uint32_t j = 0; j < n; ++j) {
        double ahead = 0;
        for (size_t k = 0; k < d; ++k) ahead += profile.state[k] * (y(Raw(item.track), k) - y(j, k));
        sum += std::log1p(item.strength) / 1.5 / n * (ahead - rule.margin) * (y(Raw(item.track), slope) - y(j, slope));
      }
    }
    EXPECT_NEAR(sum, 0, 1e-3);
  }
}

TEST(PairwiseModel, ADislikeCountsAtOnceAndPushesTheTrackDown) {
  const auto model = RandomModel(31, 4, 10);
  std::vector<float> before(31), after(31);
  model->Score(model->FoldIn(std::vector<Preference>{Of(2, 3), Of(7, 1)}), before);
  model->Score(model->FoldIn(std::vector<Preference>{Of(2, 3), Of(7, 1), Of(9, -1)}), after);
  EXPECT_LT(after[9] - after[2], before[9] - before[2]);
  EXPECT_EQ(after[30], models::kNever);
}

TEST(PairwiseModel, WhatATrackSaysForItselfIsItsScoreLessBiasAndTheMeanTracks) {
  const auto model = RandomModel(31, 4, 10);
  const auto& pairwise = static_cast<const PairwiseModel&>(*model);
  const auto profile = model->FoldIn(std::vector<Preference>{Of(5, 3)});
  double expected = 0;
  for (size_t k = 0; k < 4; ++k) {
    double mean = 0;
    for (uint32_t i = 0; i < 30; ++i) mean += pairwise.factors()[i * pairwise.stride() + k] / 30.0;
    expected += profile.state[k] * (pairwise.factors()[5 * pairwise.stride() + k] - mean);
  }
  const auto why = model->Explain(profile, TrackIx{5});
  ASSERT_EQ(why.because.size(), 1u);
  EXPECT_EQ(Raw(why.because[0].track), 5u);
  EXPECT_NEAR(why.because[0].score, expected, 1e-4);
}

TEST(PairwiseModel, LikenessLeavesTheBiasOut) {
  std::vector<float> y(3 * 16, 0.0f);
  for (size_t i = 0; i < 3; ++i) y[i * 16] = 1;
  y[16 + 1] = 0.5f;   // track 1 leans aside
  y[2 * 16 + 2] = 9;  // track 2 is loved by all
  const auto model = PairwiseModel::Make({PairwiseModel::kWarp, models::Catalogue({"a", "b", "c"}, {1, 1, 1}), 2, y, {}});
  const auto near = model->Similar(TrackIx{0}, 2);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_EQ(Raw(near[0].track), 2u);
  EXPECT_NEAR(near[0].score, 1, 1e-6);
}

TEST(Pairwise, TheirSettingsArePartOfWhatTheyDependOn) {
  for (const std::string name : {"bpr", "warp"}) {
    EXPECT_NE(SettingsOf(name, {}).find(name + ".learning_rate"), std::string::npos);
  }
  EXPECT_EQ(SettingsOf("bpr", {}).find("warp."), std::string::npos);
}

}  // namespace
}  // namespace segue::train
