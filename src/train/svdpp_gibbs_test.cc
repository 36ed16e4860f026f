#include <cmath>
#include <filesystem>

#include "models/model_file.h"
#include "train/testing.h"

namespace segue::train {
namespace {

constexpr double kNoise = 0.5;

/// What listener u truly thinks of track i: two factors and biases.
double Truth(uint32_t u, uint32_t i) {
  Random listener(11, u);
  Random track(12, i);
  double rating = 3 + 0.5 * listener.Normal() + 0.7 * track.Normal();
  for (int f = 0; f < 2; ++f) rating += 0.7 * listener.Normal() * track.Normal();
  return rating;
}

/// A third of all pairs, with noise of deviation kNoise.
Dataset Planted(size_t listeners, size_t tracks) {
  Dataset data = Empty(listeners, tracks);
  for (uint32_t u = 0; u < listeners; ++u) {
    Random random(13, u);
    for (uint32_t i = 0; i < tracks; ++i) {
      const auto value = static_cast<float>(Truth(u, i) + kNoise * random.Normal());
      if (random.Uniform() < 0.33) data.events.push_back({TrackIx{i}, EventKind::kRating, value, -1, 5});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

std::unique_ptr<models::Model> Fit(const Dataset& data, const GibbsSettings& gibbs) {
  NoInstruments instruments;
  Settings settings;
  settings.svdpp_gibbs = gibbs;
  auto model = (*MakeTrainer("svdpp_gibbs"))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok()) << model.error().message;
  return *std::move(model);
}

/// Root mean square of prediction - truth, over pairs that nobody rated.
double Error(const models::Model& model, const Dataset& data, bool by_name = true) {
  const models::RowMap rows(model, data.tracks.id);
  double squares = 0;
  double count = 0;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto past = rows.PastOf(by_name ? data.listeners[u] : "", data.EventsOf(UserIx{u}), {});
    const auto profile = model.FoldIn(past.View());
    const auto heard = HeardIn(data, u);
    for (uint32_t i = 0; i < data.tracks.size(); ++i) {
      if (heard[i] != 0) continue;
      squares += std::pow(*model.PredictRating(profile, TrackIx{i}) - Truth(u, i), 2);
      ++count;
    }
  }
  return std::sqrt(squares / count);
}

TEST(SvdppGibbsTrainer, FindsThePlantedRatingsAndHowNoisyTheyAre) {
  const Dataset data = Planted(300, 100);
  const auto model = Fit(data, {.factors = 4, .burn_in = 30, .samples = 80, .kept = 20});
  EXPECT_LT(Error(*model, data), 0.3) << "of a deviation of 1.3, from ratings with noise of 0.5";

  double sum = 0;
  double squares = 0;
  for (const Event& event : data.events) sum += event.value;
  const double mean = sum / static_cast<double>(data.events.size());
  for (const Event& event : data.events) squares += std::pow(event.value - mean, 2);
  const double deviation = std::sqrt(squares / static_cast<double>(data.events.size()));
  const auto path = std::filesystem::temp_directory_path() / ("segue-gibbs-" + std::to_string(::getpid()));
  ASSERT_TRUE(model->Save(path).ok());
  const auto file = models::ModelFile::Map(path);
  ASSERT_TRUE(file.ok());
  for (const float precision : *(*file)->Array<float>("weight", 20)) {
    EXPECT_NEAR(deviation / std::sqrt(precision), kNoise, 0.03);
  }
  std::filesystem::remove(path);
}

TEST(SvdppGibbsTrainer, TheMeanOfManySamplesIsBetterThanOne) {
  const Dataset data = Planted(120, 60);
  const double one = Error(*Fit(data, {.factors = 4, .burn_in = 30, .samples = 40, .kept = 1}), data);
  const double many = Error(*Fit(data, {.factors = 4, .burn_in = 30, .samples = 40, .kept = 20}), data);
  EXPECT_LT(many, 0.95 * one);
}

TEST(SvdppGibbsTrainer, ManyMoreFactorsThanThereAreDoNoHarm) {
  const Dataset data = Planted(120, 60);
  const double few = Error(*Fit(data, {.factors = 2, .burn_in = 30, .samples = 60, .kept = 20}), data);
  const double many = Error(*Fit(data, {.factors = 24, .burn_in = 30, .samples = 60, .kept = 20}), data);
  EXPECT_LT(many, 1.3 * few);
}

TEST(SvdppGibbsTrainer, AListenerIsFoldedInTheSameWhoeverHeIs) {
  const Dataset data = Planted(120, 60);
  const auto model = Fit(data, {.factors = 4, .burn_in = 20, .samples = 20, .kept = 10});
  EXPECT_EQ(Error(*model, data, true), Error(*model, data, false));
}

}  // namespace
}  // namespace segue::train
