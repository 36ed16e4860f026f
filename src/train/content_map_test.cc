#include "models/content_map.h"

#include <algorithm>
#include <cmath>

#include "math/kernels/kernels.h"
#include "train/ridge.h"
#include "train/testing.h"

namespace segue::train {
namespace {

TEST(Ridge, SolvesItsNormalEquations) {
  constexpr size_t kRows = 70, kColumns = 25, kTargets = 3;
  const size_t stride = math::PaddedTo(kTargets);
  Csr x;
  std::vector<std::vector<double>> dense(kRows, std::vector<double>(kColumns, 0));
  std::vector<float> weight, y;
  Random random(4);
  for (size_t i = 0; i < kRows; ++i) {
    for (uint32_t c = 0; c < kColumns; ++c) {
      if (random.Uniform() > 0.3) continue;
      dense[i][c] = random.Normal();
      x.column.push_back(c);
      x.value.push_back(static_cast<float>(dense[i][c]));
    }
    x.EndRow();
    weight.push_back(static_cast<float>(random.Below(3)));
    y.resize(x.rows() * stride, 0.0f);
    for (size_t j = 0; j < kTargets; ++j) y[i * stride + j] = static_cast<float>(random.Normal());
  }
  NoInstruments instruments;
  const auto w = SolveRidge(x, kColumns, weight, y, stride, {.penalty = 0.7, .most_steps = 500, .tolerance = 1e-6}, instruments);
  ASSERT_TRUE(w.ok());
  double largest = 0;
  for (size_t j = 0; j < kTargets; ++j) {
    std::vector<double> error(kRows);
    for (size_t i = 0; i < kRows; ++i) {
      error[i] = -y[i * stride + j];
      for (size_t c = 0; c < kColumns; ++c) error[i] += dense[i][c] * (*w)[c * stride + j];
    }
    for (size_t c = 0; c < kColumns; ++c) {
      double gradient = 0.7 * (*w)[c * stride + j];
      for (size_t i = 0; i < kRows; ++i) gradient += weight[i] * dense[i][c] * error[i];
      EXPECT_NEAR(gradient, 0, 2e-4);
      largest = std::max(largest, std::fabs(static_cast<double>((*w)[c * stride + j])));
    }
  }
  EXPECT_GT(largest, 0.1);
}

std::unique_ptr<models::Model> Fit(const Dataset& data, std::string_view algorithm, const Settings& settings) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok());
  return *std::move(model);
}

std::vector<float> ScoresOf(const models::Model& model, const models::Profile& profile) {
  std::vector<float> scores(model.track_count());
  model.Score(profile, scores);
  return scores;
}

/// RandomData of five tastes, without the events of tracks from `first` on.
Dataset WithUnplayed(uint32_t first) {
  Dataset data = RandomData(150, 60, 11);
  std::vector<Event> kept;
  std::vector<uint64_t> begin = {0};
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    for (const Event& event : data.EventsOf(UserIx{u})) {
      if (Raw(event.track) < first) kept.push_back(event);
    }
    begin.push_back(kept.size());
  }
  data.events = kept;
  data.begin = begin;
  return data;
}

TEST(IalsContent, UnplayedTracksStandAmongThePlayedOnesOfTheirTaste) {
  const Dataset data = WithUnplayed(50);
  const auto model = Fit(data, "ials_content", Small());
  int first_is_right = 0;
  for (uint32_t u = 0; u < 150; ++u) {
    auto heard = HeardIn(data, u);
    for (uint32_t i = 0; i < 50; ++i) heard[i] = 1;
    const auto top = model->Top(ProfileIn(*model, data, u), 2, heard);
    ASSERT_EQ(top.size(), 2u);
    first_is_right += (u + Raw(top[0].track)) % 5 == 0;
    // Neither behind everything nor ahead of everything.
    const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
    EXPECT_LT(scores[Raw(top[0].track)], *std::max_element(scores.begin(), scores.begin() + 50) + 0.3f);
  }
  EXPECT_GT(first_is_right, 130);
}

TEST(IalsContent, WithoutAPriorPlayedTracksHaveAlssFactors) {
  const Dataset data = WithUnplayed(60);
  Settings settings = Small();
  settings.ials_content.prior_listeners = 0;
  const auto blended = Fit(data, "ials_content", settings);
  const auto plain = Fit(data, "ials", settings);
  for (uint32_t u = 0; u < 20; ++u) {
    EXPECT_EQ(ScoresOf(*blended, ProfileIn(*blended, data, u)), ScoresOf(*plain, ProfileIn(*plain, data, u)));
  }
}

TEST(IalsContent, ATrackIsAddedWithoutTraining) {
  const Dataset data = WithUnplayed(60);
  const auto model = Fit(data, "ials_content", Small());
  const auto* mapped = dynamic_cast<const models::IalsContentModel*>(model.get());
  ASSERT_NE(mapped, nullptr);
  // One whose id comes first, one that is known already, one of which nothing is known.
  Dataset fresh = Empty(0, 3);
  fresh.tracks.id = {"a-new-one", "t1004", "z-unknown"};
  Describe(fresh, 0, 2);
  Describe(fresh, 1, 0);
  fresh.tags = TagsOf(fresh.tracks);
  const auto grown = mapped->WithTracks(fresh.tracks, fresh.tags, fresh.extra_features);
  ASSERT_EQ(grown->track_count(), 62u);
  EXPECT_EQ(grown->TrackId(TrackIx{0}), "a-new-one");
  EXPECT_EQ(grown->Find("t1004"), TrackIx{5});
  float liked = 0;
  float others = 0;
  for (uint32_t u = 0; u < 150; ++u) {
    const models::RowMap rows(*grown, data.tracks.id);
    const auto past = rows.PastOf(data.listeners[u], data.EventsOf(UserIx{u}), {});
    const auto scores = ScoresOf(*grown, grown->FoldIn(past.View()));
    EXPECT_EQ(scores[61], models::kNever);
    ASSERT_TRUE(std::isfinite(scores[0]));
    const bool his_kind = (u + 2) % 5 == 0;
    (his_kind ? liked : others) += scores[0] / (his_kind ? 30.0f : 120.0f);
  }
  EXPECT_GT(liked, others + 0.2f) << "mean scores by those who like its kind, and by all others";
  // A track that was in the catalogue when the map was fitted has the place that it would be given now.
  const Dataset before = WithUnplayed(50);
  const auto knew = Fit(before, "ials_content", Small());
  fresh = Empty(0, 1);
  fresh.tracks.id = {"zz"};
  fresh.tracks.tags = {before.tracks.tags[55]};
  std::copy_n(before.tracks.features.begin() + 55 * 14, 14, fresh.tracks.features.begin());
  const auto both = dynamic_cast<const models::IalsContentModel&>(*knew).WithTracks(fresh.tracks, TagsOf(fresh.tracks), {});
  const auto scores = ScoresOf(*both, both->FoldIn(std::vector<Preference>{{TrackIx{0}, 3, 3, 0, 0}}));
  EXPECT_FLOAT_EQ(scores[60], scores[55]);
}

TEST(IalsContent, AGrownModelIsSavedAndLoaded) {
  const Dataset data = WithUnplayed(60);
  const auto model = Fit(data, "ials_content", Small());
  Dataset fresh = Empty(0, 1);
  fresh.tracks.id = {"new"};
  Describe(fresh, 0, 1);
  const auto grown = dynamic_cast<const models::IalsContentModel&>(*model).WithTracks(fresh.tracks, TagsOf(fresh.tracks), {});
  const auto file = std::filesystem::temp_directory_path() / ("segue-grown-" + std::to_string(::getpid()));
  ASSERT_TRUE(grown->Save(file).ok());
  const auto loaded = models::Load(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  const std::vector<Preference> past = {{TrackIx{9}, 2, 2, 0, 0}};
  EXPECT_EQ(ScoresOf(**loaded, (*loaded)->FoldIn(past)), ScoresOf(*grown, grown->FoldIn(past)));
  EXPECT_TRUE(SavedBytes(*grown) == SavedBytes(**loaded));
}

}  // namespace
}  // namespace segue::train
