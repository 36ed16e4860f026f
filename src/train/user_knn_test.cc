#include "models/user_knn.h"

#include <numeric>

#include "models/item_knn.h"
#include "train/knn_testing.h"

namespace segue::train {
namespace {

constexpr uint32_t kListeners = 30, kTracks = 40;

/// Listener 4 has no events, listener 5 only dislikes; some of the others
/// dislike something.
Dataset Odd() {
  Dataset data = Empty(kListeners, kTracks);
  for (uint32_t u = 0; u < kListeners; ++u) {
    Random random(23, u);
    for (uint32_t i = 0; i + 1 < kTracks && u != 4; ++i) {
      const double what = random.Uniform();
      if (u == 5 || what > 0.97) {
        data.events.push_back({TrackIx{i}, EventKind::kDislike, 1, -1, 5});
      } else if (what < ((u + i) % 3 == 0 ? 0.5 : 0.1)) {
        data.events.push_back({TrackIx{i}, EventKind::kPlay, static_cast<float>(1 + random.Below(40)), -1, 5});
      }
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

Settings With(const std::string& weighting, int64_t neighbours, double shrinkage = 3, double locality = 2) {
  Settings settings;
  settings.user_knn.weighting = weighting;
  settings.user_knn.neighbours = neighbours;
  settings.user_knn.shrinkage = shrinkage;
  settings.user_knn.locality = locality;
  return settings;
}

/// Scores by the formula of models/user_knn.h. `likeness` [listeners] of each
/// neighbour, 0 for who is none.
std::vector<double> SlowScores(const SlowKnn& slow, const std::vector<double>& likeness, double locality) {
  std::vector<double> scores(kTracks, 0.0);
  for (uint32_t v = 0; v < kListeners; ++v) {
    if (likeness[v] <= 0) continue;
    const double length = std::sqrt(Dot(slow.rows[v], slow.rows[v]));
    for (uint32_t i = 0; i < kTracks; ++i) scores[i] += length > 0 ? std::pow(likeness[v], locality) * slow.rows[v][i] / length : 0;
  }
  return scores;
}

/// Of the others, with all but the k nearest set to 0.
std::vector<double> SlowNeighbours(const SlowKnn& slow, const SlowKnn::Row& row, int self, size_t k, double shrinkage, const std::string& similarity = "cosine") {
  std::vector<double> likeness(kListeners, 0.0);
  for (int v = 0; v < static_cast<int>(kListeners); ++v) {
    if (v != self) likeness[static_cast<size_t>(v)] = SlowLikeness(similarity, row, slow.rows[static_cast<size_t>(v)], 0.5, shrinkage);
  }
  std::vector<uint32_t> order(kListeners);
  std::iota(order.begin(), order.end(), 0u);
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return likeness[a] > likeness[b]; });
  for (size_t n = k; n < kListeners; ++n) likeness[order[n]] = 0;
  return likeness;
}

void ExpectScores(const models::Model& model, const models::Profile& profile, const std::vector<double>& expected, const std::string& what) {
  const auto scores = ScoresOf(model, profile);
  const auto newcomer = ScoresOf(model, model.FoldIn({}));
  for (uint32_t i = 0; i < kTracks; ++i) {
    if (newcomer[i] == models::kNever) {
      EXPECT_EQ(scores[i], models::kNever) << what << " track " << i;
    } else {
      EXPECT_NEAR(scores[i], expected[i] + 1e-6 * newcomer[i], 1e-4 * (1 + expected[i])) << what << " track " << i;
    }
  }
}

TEST(UserKnn, AScoreIsTheNeighboursWeightedSumForEveryWeighting) {
  const Dataset data = Odd();
  for (const std::string weighting : {"none", "log", "binary", "bm25", "tfidf"}) {
    const SlowKnn slow(data, weighting);
    for (const size_t k : {size_t{5}, size_t{kListeners}}) {
      if (weighting == "binary" && k < kListeners) continue;  // ties: which of them is kept is not the formula's to say
      const auto model = FitKnn("user_knn", data, With(weighting, static_cast<int64_t>(k)));
      for (uint32_t u = 0; u < kListeners; ++u) {
        if (u == 4 || u == 5) continue;
        const auto likeness = SlowNeighbours(slow, slow.rows[u], static_cast<int>(u), k, 3);
        ExpectScores(*model, ProfileIn(*model, data, u), SlowScores(slow, likeness, 2), weighting + " listener " + std::to_string(u));
      }
    }
  }
}

TEST(UserKnn, AScoreIsTheNeighboursWeightedSumForEverySimilarity) {
  const Dataset data = Odd();
  const SlowKnn slow(data, "log");
  for (const std::string similarity : {"cosine", "pearson", "euclidean", "jaccard"}) {
    Settings settings = With("log", kListeners);
    settings.user_knn.similarity = similarity;
    const auto model = FitKnn("user_knn", data, settings);
    for (uint32_t u = 0; u < kListeners; ++u) {
      if (u == 4 || u == 5) continue;
      const auto likeness = SlowNeighbours(slow, slow.rows[u], static_cast<int>(u), kListeners, 3, similarity);
      ExpectScores(*model, ProfileIn(*model, data, u), SlowScores(slow, likeness, 2), similarity + " listener " + std::to_string(u));
    }
  }
}

/// The formulas of models/user_knn.h, neighbour by neighbour.
double SlowScore(const SlowKnn& slow, const std::vector<double>& likeness, const std::string& scoring, uint32_t i) {
  double sum = 0, voted = 0, most = 0, fused = 0;
  for (uint32_t v = 0; v < kListeners; ++v) {
    const auto& row = slow.rows[v];
    if (likeness[v] <= 0 || row[i] == 0) continue;
    const double vote = likeness[v] * likeness[v] * row[i] / std::sqrt(Dot(row, row));
    double rank = 0;
    for (uint32_t j = 0; j < kTracks; ++j) rank += row[j] > row[i] || (row[j] == row[i] && j < i) ? 1 : 0;
    sum += vote;
    voted += likeness[v] * likeness[v];
    most = std::max(most, vote);
    fused += likeness[v] * likeness[v] / (10 + rank);
  }
  return scoring == "mean" ? (voted > 0 ? sum / voted : 0) : scoring == "max" ? most : scoring == "rank" ? fused : sum;
}

TEST(UserKnn, EveryScoringIsItsFormulaAndSurvivesTheFile) {
  const Dataset data = Odd();
  const SlowKnn slow(data, "log");
  const auto file = std::filesystem::temp_directory_path() / ("segue-user-knn-" + std::to_string(::getpid()));
  for (const std::string scoring : {"sum", "mean", "max", "rank"}) {
    Settings settings = With("log", kListeners);
    settings.user_knn.scoring = scoring;
    settings.user_knn.similarity = "jaccard";
    const auto model = FitKnn("user_knn", data, settings);
    ASSERT_TRUE(model->Save(file).ok());
    const auto loaded = models::Load(file);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    for (uint32_t u = 0; u < kListeners; ++u) {
      if (u == 4 || u == 5) continue;
      const auto likeness = SlowNeighbours(slow, slow.rows[u], static_cast<int>(u), kListeners, 3, "jaccard");
      std::vector<double> expected;
      for (uint32_t i = 0; i < kTracks; ++i) expected.push_back(SlowScore(slow, likeness, scoring, i));
      ExpectScores(*model, ProfileIn(*model, data, u), expected, scoring + " listener " + std::to_string(u));
      EXPECT_EQ(ScoresOf(**loaded, ProfileIn(**loaded, data, u)), ScoresOf(*model, ProfileIn(*model, data, u))) << scoring;
    }
  }
  std::filesystem::remove(file);
}

TEST(UserKnn, AStrangerMayHaveAnyoneForANeighbour) {
  const Dataset data = Odd();
  const SlowKnn slow(data, "log");
  const auto model = FitKnn("user_knn", data, With("log", 5));
  const auto past = SumByTrack(data.EventsOf(UserIx{9}), {});
  for (const char* name : {"", "somebody else"}) {
    History history(past);
    history.listener = name;
    const auto likeness = SlowNeighbours(slow, slow.rows[9], -1, 5, 3);
    EXPECT_GT(likeness[9], 0);
    ExpectScores(*model, model->FoldIn(history), SlowScores(slow, likeness, 2), name);
  }
}

/// What he did since the training counts at once.
TEST(UserKnn, AKnownListenersNewPlaysChangeHisNeighbours) {
  const Dataset data = Odd();
  const SlowKnn slow(data, "log");
  const auto model = FitKnn("user_knn", data, With("log", 5));
  const std::vector<Preference> now = {{TrackIx{2}, 10, 10}, {TrackIx{11}, 4, 4}};
  History history(now);
  history.listener = data.listeners[9];
  SlowKnn::Row row(kTracks, 0.0);
  row[2] = std::log(11);
  row[11] = std::log(5);
  ExpectScores(*model, model->FoldIn(history), SlowScores(slow, SlowNeighbours(slow, row, 9, 5, 3), 2), "new plays");
}

TEST(UserKnn, WhoWantsNothingGetsWhatIsPopular) {
  const Dataset data = Odd();
  const auto model = FitKnn("user_knn", data, With("log", 5));
  const auto newcomer = ScoresOf(*model, model->FoldIn({}));
  EXPECT_EQ(ScoresOf(*model, ProfileIn(*model, data, 4)), newcomer);
  EXPECT_EQ(ScoresOf(*model, ProfileIn(*model, data, 5)), newcomer);
}

TEST(UserKnn, TheOnlyListenerHasNoNeighboursAndGetsWhatIsPopular) {
  Dataset data = Empty(1, 3);
  data.events = {{TrackIx{0}, EventKind::kPlay, 2, -1, 1}, {TrackIx{1}, EventKind::kPlay, 1, -1, 1}};
  data.begin = {0, 2};
  for (const std::string algorithm : {"user_knn", "friends"}) {
    const auto model = FitKnn(algorithm, data, With("log", 5));
    EXPECT_EQ(ScoresOf(*model, ProfileIn(*model, data, 0)), ScoresOf(*model, model->FoldIn({}))) << algorithm;
  }
}

TEST(UserKnn, HugeAndTinyPlayCountsGiveFiniteScores) {
  Dataset data = Empty(4, 3);
  for (const float value : {1e30f, 3e38f, 1e-30f, 1.0f}) {
    for (uint32_t i = 0; i < 3; ++i) data.events.push_back({TrackIx{i}, EventKind::kPlay, value, -1, 1});
    data.begin.push_back(data.events.size());
  }
  for (const std::string weighting : {"none", "log", "binary", "bm25", "tfidf"}) {
    const auto model = FitKnn("user_knn", data, With(weighting, 5));
    for (uint32_t u = 0; u < 4; ++u) {
      for (const float score : ScoresOf(*model, ProfileIn(*model, data, u))) EXPECT_TRUE(std::isfinite(score)) << weighting << " listener " << u;
    }
  }
}

TEST(UserKnn, AnExplanationCountsTheNeighboursWhoPlayIt) {
  Dataset data = Empty(4, 4);
  const auto play = [&](uint32_t track) { data.events.push_back({TrackIx{track}, EventKind::kPlay, 1, -1, 1}); };
  for (uint32_t u = 0; u < 4; ++u) {
    if (u == 3) {
      play(3);  // in nothing like the others
    } else {
      play(0);
      if (u > 0) play(1);
      if (u == 2) play(2);
    }
    data.begin.push_back(data.events.size());
  }
  const auto model = FitKnn("user_knn", data, With("binary", 5));
  const auto profile = ProfileIn(*model, data, 0);
  EXPECT_EQ(model->Explain(profile, TrackIx{1}).general, "2 listeners with tastes like yours play it");
  EXPECT_EQ(model->Explain(profile, TrackIx{2}).general, "1 listener with tastes like yours plays it");
  EXPECT_EQ(model->Explain(profile, TrackIx{3}).general, "popular with other listeners");
}

/// Friendships u - u+1 for u below 20; 20 and above know nobody.
Dataset WithFriends() {
  Dataset data = Odd();
  data.friends.begin.push_back(0);
  for (uint32_t u = 0; u < kListeners; ++u) {
    if (u > 0 && u <= 20) data.friends.of.push_back(UserIx{u - 1});
    if (u < 20) data.friends.of.push_back(UserIx{u + 1});
    data.friends.begin.push_back(data.friends.of.size());
  }
  return data;
}

TEST(Friends, AScoreIsTheFriendsSumWithTasteAboveAFloor) {
  const Dataset data = WithFriends();
  const SlowKnn slow(data, "log");
  const auto model = FitKnn("friends", data, With("log", 5, 3, 1));
  for (const uint32_t u : {0u, 3u, 6u, 13u, 20u}) {
    std::vector<double> likeness(kListeners, 0.0);
    for (const UserIx v : data.friends.Of(UserIx{u})) {
      likeness[Raw(v)] = 0.2 + SlowLikeness("cosine", slow.rows[u], slow.rows[Raw(v)], 0.5, 3);
    }
    ExpectScores(*model, ProfileIn(*model, data, u), SlowScores(slow, likeness, 1), "listener " + std::to_string(u));
  }
}

TEST(Friends, WhoHasNoFriendsHasTheNearestListeners) {
  const Dataset data = WithFriends();
  const auto friends = FitKnn("friends", data, With("log", 5));
  const auto nearest = FitKnn("user_knn", data, With("log", 5));
  EXPECT_NE(ScoresOf(*friends, ProfileIn(*friends, data, 7)), ScoresOf(*nearest, ProfileIn(*nearest, data, 7)));
  EXPECT_EQ(ScoresOf(*friends, ProfileIn(*friends, data, 25)), ScoresOf(*nearest, ProfileIn(*nearest, data, 25)));
  const auto past = SumByTrack(data.EventsOf(UserIx{7}), {});
  EXPECT_EQ(ScoresOf(*friends, friends->FoldIn(past)), ScoresOf(*nearest, nearest->FoldIn(past)));  // a stranger
}

TEST(Friends, ASavedModelKeepsWhoKnowsWhom) {
  const Dataset data = WithFriends();
  const auto model = FitKnn("friends", data, With("log", 5));
  const auto file = std::filesystem::temp_directory_path() / ("segue-friends-" + std::to_string(::getpid()));
  ASSERT_TRUE(model->Save(file).ok());
  const auto loaded = models::Load(file);
  std::filesystem::remove(file);
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_TRUE(SavedBytes(*model) == SavedBytes(**loaded));
  for (uint32_t u = 0; u < kListeners; ++u) {
    EXPECT_EQ(ScoresOf(*model, ProfileIn(*model, data, u)), ScoresOf(**loaded, ProfileIn(**loaded, data, u))) << "listener " << u;
  }
}

}  // namespace
}  // namespace segue::train
