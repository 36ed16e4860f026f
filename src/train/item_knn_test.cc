#include "models/item_knn.h"

#include <map>

#include "train/knn_testing.h"

namespace segue::train {
namespace {

constexpr size_t kListeners = 40, kTracks = 25;

/// Among them a listener without events, one of dislikes and skips only, a
/// track that everybody plays as often, and one that nobody has.
Dataset Odd() {
  Dataset data = Empty(kListeners, kTracks);
  for (uint32_t u = 0; u < kListeners; ++u) {
    Random random(17, u);
    for (uint32_t i = 0; i + 1 < kTracks && u != 7; ++i) {
      const TrackIx track{i};
      const double what = random.Uniform();
      if (u == 8) {
        data.events.push_back({track, i % 2 == 0 ? EventKind::kDislike : EventKind::kSkip, 1, -1, 5});
      } else if (i == 3) {
        data.events.push_back({track, EventKind::kPlay, 3, -1, 5});
      } else if (what < ((u + i) % 3 == 0 ? 0.6 : 0.15)) {
        data.events.push_back({track, EventKind::kPlay, static_cast<float>(1 + random.Below(40)), -1, 5});
      } else if (what > 0.97) {
        data.events.push_back({track, EventKind::kDislike, 1, -1, 5});
      }
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

Settings All(const std::string& similarity, const std::string& weighting) {
  Settings settings;
  settings.item_knn = {.similarity = similarity, .weighting = weighting, .neighbours = kTracks, .shrinkage = 2, .popular = 0.4};
  return settings;
}

struct Kind {
  const char* similarity;
  const char* weighting;
};
class ItemKnnOf : public testing::TestWithParam<Kind> {};

std::vector<Kind> Kinds() {
  std::vector<Kind> kinds;
  for (const char* similarity : {"cosine", "pearson", "euclidean", "jaccard"}) {
    for (const char* weighting : {"none", "log", "binary", "bm25", "tfidf"}) kinds.push_back({similarity, weighting});
  }
  return kinds;
}

TEST_P(ItemKnnOf, ANeighboursLikenessIsThatOfItsDefinition) {
  const auto [similarity, weighting] = GetParam();
  const Dataset data = Odd();
  const SlowKnn slow(data, weighting);
  const auto model = FitKnn("item_knn", data, All(similarity, weighting));
  for (uint32_t i = 0; i < kTracks; ++i) {
    std::map<uint32_t, float> found;
    for (const auto& near : model->Similar(TrackIx{i}, kTracks)) found[Raw(near.track)] = near.score;
    EXPECT_EQ(found.count(i), 0u) << "track " << i << " is its own neighbour";
    for (uint32_t j = 0; j < kTracks; ++j) {
      if (j == i) continue;
      const double expected = SlowLikeness(similarity, slow.Column(i), slow.Column(j), 0.4, 2);
      EXPECT_NEAR(found.contains(j) ? found[j] : 0, expected, 1e-4 * (1 + expected)) << "of track " << j << " to track " << i;
    }
  }
}

TEST_P(ItemKnnOf, TheNearestAreKeptNearestFirst) {
  const auto [similarity, weighting] = GetParam();
  const Dataset data = Odd();
  Settings settings = All(similarity, weighting);
  const auto all = FitKnn("item_knn", data, settings);
  settings.item_knn.neighbours = 4;
  const auto few = FitKnn("item_knn", data, settings);
  for (uint32_t i = 0; i < kTracks; ++i) {
    const auto expected = all->Similar(TrackIx{i}, 4);
    const auto near = few->Similar(TrackIx{i}, kTracks);
    ASSERT_EQ(near.size(), expected.size());
    for (size_t k = 0; k < near.size(); ++k) {
      EXPECT_EQ(near[k].track, expected[k].track) << "track " << i << " rank " << k;
      EXPECT_TRUE(k == 0 || models::Better(near[k - 1], near[k]));
    }
  }
}

TEST_P(ItemKnnOf, AScoreIsTheWeightedSumOverTheHistory) {
  const auto [similarity, weighting] = GetParam();
  const Dataset data = Odd();
  const SlowKnn slow(data, weighting);
  const auto model = FitKnn("item_knn", data, All(similarity, weighting));
  const auto newcomer = ScoresOf(*model, model->FoldIn({}));
  for (uint32_t u = 0; u < kListeners; ++u) {
    if (u == 7 || u == 8) continue;  // nothing that they want
    const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
    for (uint32_t i = 0; i < kTracks; ++i) {
      if (i + 1 == kTracks) {
        EXPECT_EQ(scores[i], models::kNever);
        continue;
      }
      double expected = 1e-6 * newcomer[i];
      for (uint32_t j = 0; j < kTracks; ++j) {
        if (j != i) expected += slow.rows[u][j] * SlowLikeness(similarity, slow.Column(j), slow.Column(i), 0.4, 2);
      }
      EXPECT_NEAR(scores[i], expected, 2e-4 * (1 + expected)) << "listener " << u << " track " << i;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ItemKnnOf, testing::ValuesIn(Kinds()), [](const auto& which) {
  return std::string(which.param.similarity) + "_" + which.param.weighting;
});

/// Scores of a listener from the model's own lists, by the words of models/item_knn.h.
double Voted(const models::Model& model, const SlowKnn::Row& weights, uint32_t track, const std::string& scoring) {
  double sum = 0, voters = 0, most = 0, fused = 0;
  for (uint32_t j = 0; j < kTracks; ++j) {
    const auto near = model.Similar(TrackIx{j}, kTracks);
    for (size_t rank = 0; rank < near.size(); ++rank) {
      if (weights[j] == 0 || Raw(near[rank].track) != track) continue;
      const double vote = weights[j] * near[rank].score;
      sum += vote;
      voters += weights[j];
      most = std::max(most, vote);
      fused += weights[j] / (10.0 + static_cast<double>(rank));
    }
  }
  return scoring == "sum" ? sum : scoring == "max" ? most : scoring == "rank" ? fused : voters > 0 ? sum / voters : 0;
}

TEST(ItemKnn, EveryScoringAddsUpTheNeighbourListsAsItsNameSays) {
  const Dataset data = Odd();
  const SlowKnn slow(data, "tfidf");
  for (const std::string scoring : {"sum", "mean", "max", "rank"}) {
    Settings settings = All("cosine", "tfidf");
    settings.item_knn.neighbours = 6;
    settings.item_knn.scoring = scoring;
    const auto model = FitKnn("item_knn", data, settings);
    const auto newcomer = ScoresOf(*model, model->FoldIn({}));
    for (const uint32_t u : {0u, 5u, 31u}) {
      const auto scores = ScoresOf(*model, ProfileIn(*model, data, u));
      for (uint32_t i = 0; i + 1 < kTracks; ++i) {
        const double expected = Voted(*model, slow.rows[u], i, scoring) + 1e-6 * newcomer[i];
        EXPECT_NEAR(scores[i], expected, 1e-4 * (1 + expected)) << scoring << " listener " << u << " track " << i;
      }
    }
  }
}

TEST(ItemKnn, AnExplanationNamesTheTracksThatVotedMost) {
  const Dataset data = Odd();
  const auto model = FitKnn("item_knn", data, All("cosine", "log"));
  const auto profile = ProfileIn(*model, data, 4);
  const auto scores = ScoresOf(*model, profile);
  for (const auto& track : model->Top(profile, 5, {})) {
    const auto why = model->Explain(profile, track.track);
    ASSERT_FALSE(why.because.empty());
    EXPECT_LE(why.because.size(), 3u);
    float sum = 0;
    for (size_t k = 0; k < why.because.size(); ++k) {
      sum += why.because[k].score;
      EXPECT_TRUE(k == 0 || models::Better(why.because[k - 1], why.because[k]));
      const bool his = std::any_of(profile.history.begin(), profile.history.end(),
                                   [&](const Preference& item) { return item.track == why.because[k].track && item.strength > 0; });
      EXPECT_TRUE(his);
    }
    EXPECT_LE(sum, scores[Raw(track.track)] * 1.001f);
  }
}

/// Whoever wants nothing is a newcomer; dislikes are no votes.
TEST(ItemKnn, AListenerOfDislikesAloneGetsWhatIsPopular) {
  const Dataset data = Odd();
  const auto model = FitKnn("item_knn", data, All("cosine", "log"));
  EXPECT_EQ(ScoresOf(*model, ProfileIn(*model, data, 8)), ScoresOf(*model, model->FoldIn({})));
}

TEST(ItemKnn, ATrackWithoutNeighboursStillIsRecommendedByPopularity) {
  Dataset data = Empty(3, 3);  // nobody has two tracks
  for (uint32_t u = 0; u < 3; ++u) {
    data.events.push_back({TrackIx{u / 2}, EventKind::kPlay, 1, -1, 1});
    data.begin.push_back(data.events.size());
  }
  const auto model = FitKnn("item_knn", data, All("cosine", "log"));
  EXPECT_TRUE(model->Similar(TrackIx{0}, 5).empty());
  const auto top = model->Top(ProfileIn(*model, data, 2), 5, HeardIn(data, 2));
  ASSERT_EQ(top.size(), 1u);
  EXPECT_EQ(Raw(top[0].track), 0u);
}

TEST(ItemKnn, ATrackThatAllPlayAlikeCorrelatesWithNone) {
  Dataset data = RandomData(300, 8, 4);
  std::vector<Event> events;
  std::vector<uint64_t> begin{0};
  for (uint32_t u = 0; u < 300; ++u) {
    for (const Event& event : data.EventsOf(UserIx{u})) {
      if (Raw(event.track) != 0) events.push_back(event);
    }
    events.push_back({TrackIx{0}, EventKind::kPlay, 7, -1, 1});
    begin.push_back(events.size());
  }
  data.events = events;
  data.begin = begin;
  for (const std::string weighting : {"none", "log", "binary", "tfidf"}) {
    EXPECT_TRUE(FitKnn("item_knn", data, All("pearson", weighting))->Similar(TrackIx{0}, 8).empty()) << weighting;
  }
}

TEST(ItemKnn, HugeAndTinyPlayCountsGiveFiniteScores) {
  Dataset data = Empty(4, 3);
  for (const float value : {1e30f, 3e38f, 1e-30f, 1.0f}) {
    for (uint32_t i = 0; i < 3; ++i) data.events.push_back({TrackIx{i}, EventKind::kPlay, value, -1, 1});
    data.begin.push_back(data.events.size());
  }
  for (const Kind& kind : Kinds()) {
    for (const std::string scoring : {"sum", "mean", "max", "rank"}) {
      Settings settings = All(kind.similarity, kind.weighting);
      settings.item_knn.scoring = scoring;
      const auto model = FitKnn("item_knn", data, settings);
      for (uint32_t u = 0; u < 4; ++u) {
        for (const float score : ScoresOf(*model, ProfileIn(*model, data, u))) {
          EXPECT_TRUE(std::isfinite(score)) << kind.similarity << " " << kind.weighting << " " << scoring << " listener " << u;
        }
      }
    }
  }
}

TEST(ItemKnn, EveryKindGivesTheSameBytesForAnyNumberOfThreads) {
  const Dataset data = RandomData(150, 200, 3);
  for (const Kind& kind : Kinds()) {
    Settings settings = All(kind.similarity, kind.weighting);
    settings.item_knn.neighbours = 10;
    settings.threads = 1;
    const std::string one = SavedBytes(*FitKnn("item_knn", data, settings));
    settings.threads = 3;
    EXPECT_TRUE(SavedBytes(*FitKnn("item_knn", data, settings)) == one) << kind.similarity << " " << kind.weighting;
  }
}

}  // namespace
}  // namespace segue::train
