#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>

#include "models/model_file.h"
#include "train/testing.h"

// One test body for every algorithm that there is.

namespace segue::train {
namespace {

namespace fs = std::filesystem;

class EveryTrainer : public testing::TestWithParam<std::string_view> {
 protected:
  void TearDown() override { fs::remove(file_); }

  Result<std::unique_ptr<models::Model>> TryFit(const Dataset& data, const Settings& settings, uint64_t seed = 1) {
    const auto trainer = MakeTrainer(GetParam());
    EXPECT_TRUE(trainer.ok());
    return (*trainer)->Fit(data, settings, seed, instruments_);
  }
  std::unique_ptr<models::Model> Fit(const Dataset& data, const Settings& settings, uint64_t seed = 1) {
    auto model = TryFit(data, settings, seed);
    EXPECT_TRUE(model.ok()) << model.error().message;
    return model.ok() ? *std::move(model) : nullptr;
  }
  /// Does it look at who the listener is? The floors do not.
  bool Personal() const { return GetParam() != "popularity" && GetParam() != "trending" && GetParam() != "hit_chance"; }
  /// Does it learn from how high ratings are, so that plays of 1 tell it nothing?
  bool FromRatings() const { return GetParam().starts_with("svd"); }

  NoInstruments instruments_;
  fs::path file_ = fs::temp_directory_path() / ("segue-every-" + std::to_string(::getpid()));
};

// Sanitizers make a fit ten times as long, and look for other faults.
#ifdef SEGUE_SANITIZE
constexpr std::array<int64_t, 1> kThreads = {3};
#else
constexpr std::array<int64_t, 3> kThreads = {2, 3, 0};
#endif

TEST_P(EveryTrainer, GivesTheSameBytesForAnyNumberOfThreads) {
  const Dataset data = RandomData(200, 90, 5);
  Settings settings = Small();
  settings.threads = 1;
  const std::string one = SavedBytes(*Fit(data, settings));
  for (const int64_t threads : kThreads) {
    settings.threads = threads;
    EXPECT_TRUE(SavedBytes(*Fit(data, settings)) == one) << threads << " threads";
  }
}

TEST_P(EveryTrainer, KnowsAllTracksInTheDatasetsOrder) {
  const auto model = Fit(Checkerboard(12), Small());
  ASSERT_EQ(model->track_count(), 12u);
  EXPECT_EQ(model->TrackId(TrackIx{3}), "t1003");
  EXPECT_EQ(model->algorithm(), GetParam());
}

TEST_P(EveryTrainer, FindsTheWithheldDiagonalOfTheCheckerboard) {
  const Dataset data = FromRatings() ? RatedCheckerboard(30) : Checkerboard(30);
  const auto model = Fit(data, Small());
  if (!Personal()) {  // then it is the same for everybody
    const auto first = model->Top(ProfileIn(*model, data, 0), 30, {});
    const auto second = model->Top(ProfileIn(*model, data, 1), 30, {});
    for (size_t i = 0; i < 30; ++i) EXPECT_EQ(Raw(first[i].track), Raw(second[i].track));
    return;
  }
  for (uint32_t u = 0; u < 30; ++u) {
    const auto top = model->Top(ProfileIn(*model, data, u), 1, HeardIn(data, u));
    ASSERT_EQ(top.size(), 1u);
    EXPECT_EQ(Raw(top[0].track), u) << "listener " << u;
  }
}

TEST_P(EveryTrainer, PredictsRatingsWithinTheScaleOrSaysThatItDoesNot) {
  const Dataset data = RatedCheckerboard(20);
  const auto model = Fit(data, Small());
  for (const auto& profile : {ProfileIn(*model, data, 3), model->FoldIn({})}) {
    for (uint32_t i = 0; i < 20; ++i) {
      const auto rating = model->PredictRating(profile, TrackIx{i});
      ASSERT_EQ(rating.has_value(), (*MakeTrainer(GetParam()))->PredictsRatings());
      if (!rating) continue;
      EXPECT_GE(*rating, 1);
      EXPECT_LE(*rating, 5);
    }
  }
}

TEST_P(EveryTrainer, TopIsTheBestOfTheScores) {
  const Dataset data = RandomData(80, 60, 2);
  const auto model = Fit(data, Small());
  for (uint32_t u = 0; u < 20; ++u) {
    const auto profile = ProfileIn(*model, data, u);
    const auto heard = HeardIn(data, u);
    std::vector<float> scores(model->track_count());
    model->Score(profile, scores);
    const auto expected = models::SelectTop(scores, 10, heard);
    const auto top = model->Top(profile, 10, heard);
    ASSERT_EQ(top.size(), expected.size());
    for (size_t i = 0; i < top.size(); ++i) EXPECT_EQ(Raw(top[i].track), Raw(expected[i].track)) << "rank " << i;
  }
}

TEST_P(EveryTrainer, NeverRecommendsWhatNobodyPlayedAndNothingIsKnownOf) {
  Dataset data = Empty(12, 13);
  const Dataset board = Checkerboard(12);
  for (size_t i = 0; i < 12; ++i) Describe(data, i, i % 2);
  data.tags = TagsOf(data.tracks);
  data.hit_chance[12] = std::nanf("");
  data.begin = board.begin;
  data.events = board.events;
  const auto model = Fit(data, Small());
  for (const auto& track : model->Top(model->FoldIn({}), 100, {})) EXPECT_NE(Raw(track.track), 12u);
  for (const auto& track : model->Top(ProfileIn(*model, data, 3), 100, {})) EXPECT_NE(Raw(track.track), 12u);
}

TEST_P(EveryTrainer, AStrangerGetsAListAndEveryTrackOfItAReason) {
  const Dataset data = RandomData(80, 60, 4);
  const auto model = Fit(data, Small());
  const std::vector<Preference> one = {{TrackIx{7}, 3, 3, 0, 1'600'000'000}};
  for (const auto& profile : {model->FoldIn({}), model->FoldIn(one), ProfileIn(*model, data, 5)}) {
    const auto top = model->Top(profile, 5, {});
    ASSERT_FALSE(top.empty());
    for (const auto& track : top) {
      EXPECT_TRUE(std::isfinite(track.score));
      const auto why = model->Explain(profile, track.track);
      EXPECT_TRUE(!why.because.empty() || !why.general.empty());
    }
  }
}

TEST_P(EveryTrainer, ALikenessIsTheScoreAmongSimilarTracksAndTheSameBothWays) {
  const auto model = Fit(RandomData(80, 60, 6), Small());
  for (uint32_t t = 0; t < 60; ++t) {
    for (const auto& similar : model->Similar(TrackIx{t}, 60)) {
      const auto likeness = model->Likeness(TrackIx{t}, similar.track);
      if (!likeness) continue;
      EXPECT_EQ(likeness, model->Likeness(similar.track, TrackIx{t}));
      // A hybrid's member that tells a likeness need not be the one that lists similar tracks.
      if (GetParam() != "hybrid") {
        EXPECT_NEAR(*likeness, similar.score, 1e-4f);
      }
    }
  }
  if (GetParam() == "ials" || GetParam() == "bpr") {
    EXPECT_TRUE(model->Likeness(TrackIx{0}, TrackIx{1}));
  }
}

TEST_P(EveryTrainer, ASavedModelAnswersAsTheFittedOneAndIsSavedAlike) {
  const Dataset data = RandomData(80, 60, 6);
  const auto fitted = Fit(data, Small());
  ASSERT_TRUE(fitted->Save(file_).ok());
  const auto loaded = models::Load(file_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->algorithm(), GetParam());
  for (uint32_t u = 0; u < 20; ++u) {
    std::vector<float> a(60), b(60);
    fitted->Score(ProfileIn(*fitted, data, u), a);
    (*loaded)->Score(ProfileIn(**loaded, data, u), b);
    EXPECT_EQ(a, b) << "listener " << u;
  }
  EXPECT_TRUE(SavedBytes(*fitted) == SavedBytes(**loaded));
}

TEST_P(EveryTrainer, ADamagedArtifactIsRefused) {
  ASSERT_TRUE(Fit(RandomData(40, 30, 6), Small())->Save(file_).ok());
  const auto size = fs::file_size(file_);
  for (const auto at : {size / 3, size / 2, size - 1}) {
    std::fstream file(file_, std::ios::binary | std::ios::in | std::ios::out);
    file.seekg(static_cast<std::streamoff>(at));
    const auto byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(at));
    file.put(static_cast<char>(byte ^ 1));
    file.close();
    const auto loaded = models::Load(file_);
    ASSERT_FALSE(loaded.ok());
    EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    std::fstream mend(file_, std::ios::binary | std::ios::in | std::ios::out);
    mend.seekp(static_cast<std::streamoff>(at));
    mend.put(byte);
  }
  EXPECT_TRUE(models::Load(file_).ok());
}

TEST_P(EveryTrainer, SaysThatThereIsNothingToTrainOn) {
  Dataset data = Empty(1, 3);
  data.hit_chance.clear();
  data.events.push_back({TrackIx{0}, EventKind::kSkip, 1, -1, 1});
  data.begin.push_back(1);
  const auto model = TryFit(data, Small());
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_NE(model.error().message.find(GetParam()), std::string::npos);
}

/// Data that no model can learn much from: a clear error, or numbers.
TEST_P(EveryTrainer, OddDataGiveFiniteScoresOrAClearError) {
  std::vector<Dataset> odd;
  odd.push_back(Empty(1, 1));  // one listener, one track
  odd.back().events = {{TrackIx{0}, EventKind::kPlay, 1, -1, 1}};
  odd.back().begin = {0, 1};
  odd.push_back(Empty(2, 40));  // far fewer listeners than factors
  for (uint32_t i = 0; i < 40; ++i) odd.back().events.push_back({TrackIx{i}, EventKind::kPlay, 1, -1, 0});
  odd.back().begin = {0, 20, 40};
  odd.push_back(Empty(3, 3));  // constant ratings
  for (uint32_t u = 0; u < 3; ++u) {
    for (uint32_t i = 0; i < 3; ++i) odd.back().events.push_back({TrackIx{i}, EventKind::kRating, 4, -1, 5});
    odd.back().begin.push_back(odd.back().events.size());
  }
  odd.push_back(Empty(2, 3));  // huge and negative values
  odd.back().events = {{TrackIx{0}, EventKind::kPlay, 1e30f, -1, 1}, {TrackIx{1}, EventKind::kPlay, -4, -1, 2},
                       {TrackIx{0}, EventKind::kPlay, 1, -1, 1}, {TrackIx{2}, EventKind::kRating, -1e30f, -1, 2}};
  odd.back().begin = {0, 2, 4};
  for (size_t which = 0; which < odd.size(); ++which) {
    const auto model = TryFit(odd[which], Small());
    if (!model.ok()) {
      EXPECT_EQ(model.error().code, ErrorCode::kInvalid) << which;
      EXPECT_FALSE(model.error().message.empty());
      continue;
    }
    for (uint32_t u = 0; u < odd[which].listener_count(); ++u) {
      std::vector<float> scores((*model)->track_count());
      (*model)->Score(ProfileIn(**model, odd[which], u), scores);
      for (const float score : scores) EXPECT_TRUE(std::isfinite(score) || score == models::kNever) << "data " << which;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Trainers, EveryTrainer, testing::ValuesIn(KnownAlgorithms()),
                         [](const auto& which) { return std::string(which.param); });

TEST(Trainers, AnUnknownNameListsTheKnownOnes) {
  const auto trainer = MakeTrainer("svdpq");
  ASSERT_FALSE(trainer.ok());
  EXPECT_NE(trainer.error().message.find("popularity, "), std::string::npos);
}

TEST(Trainers, EveryAlgorithmsArtifactsCanBeLoaded) {
  const auto artifacts = models::KnownArtifacts();
  for (const auto name : KnownAlgorithms()) {
    EXPECT_NE(std::find(artifacts.begin(), artifacts.end(), name), artifacts.end()) << name;
  }
}

}  // namespace
}  // namespace segue::train
