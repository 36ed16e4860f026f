#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "models/markov.h"
#include "models/model_file.h"
#include "models/session_knn.h"
#include "train/markov.h"
#include "train/session_knn.h"
#include "train/sessions.h"
#include "train/testing.h"

namespace segue::train {
namespace {

constexpr int64_t kStart = 1'600'000'000;
constexpr int64_t kMinute = 60;
constexpr int64_t kDay = 86'400;

void Play(Dataset& data, uint32_t track, int64_t at) {
  data.events.push_back({TrackIx{track}, EventKind::kPlay, 1, -1, at});
}

void EndListener(Dataset& data) { data.begin.push_back(data.events.size()); }

/// Two listeners; the first has three sessions, the last a day after the others.
Dataset TwoListeners() {
  Dataset data = Empty(2, 6);
  Play(data, 0, kStart);
  Play(data, 1, kStart + 4 * kMinute);
  Play(data, 1, kStart + 8 * kMinute);
  Play(data, 2, kStart + 12 * kMinute);
  Play(data, 3, kStart + 50 * kMinute);  // after a long pause
  Play(data, 0, kStart + kDay);
  Play(data, 2, kStart + kDay + 3 * kMinute);
  EndListener(data);
  Play(data, 0, kStart + kDay);
  Play(data, 1, kStart + kDay + 3 * kMinute);
  EndListener(data);
  return data;
}

std::vector<std::vector<uint32_t>> Cut(const Dataset& data, Sessions* whole = nullptr) {
  const Sessions sessions = CutSessions(data, SumPreferences(data, {}), 30 * kMinute);
  std::vector<std::vector<uint32_t>> lists;
  for (size_t s = 0; s < sessions.size(); ++s) lists.emplace_back(sessions.Of(s).begin(), sessions.Of(s).end());
  if (whole != nullptr) *whole = sessions;
  return lists;
}

TEST(Sessions, AreCutAtLongPausesAndSkipRepeats) {
  Sessions whole;
  const auto lists = Cut(TwoListeners(), &whole);
  const std::vector<std::vector<uint32_t>> expected = {{0, 1, 2}, {3}, {0, 2}, {0, 1}};
  EXPECT_EQ(lists, expected);
  EXPECT_EQ(whole.newest, kStart + kDay + 3 * kMinute);
  EXPECT_FLOAT_EQ(whole.Freshness(3, 1), 1);
  EXPECT_NEAR(whole.Freshness(0, 1), std::exp2(-(1 - 9.0 / 1440)), 1e-6);
}

TEST(Sessions, PlaysOfOneMinuteStayInTheDatasetsOrder) {
  Dataset data = Empty(1, 4);
  for (const uint32_t track : {1, 2, 3}) Play(data, track, kStart);
  Play(data, 0, kStart + kMinute);
  EndListener(data);
  EXPECT_EQ(Cut(data), (std::vector<std::vector<uint32_t>>{{1, 2, 3, 0}}));
}

TEST(Sessions, AListenerWithoutTimesHasOneWithoutAnOrder) {
  Dataset data = Empty(2, 4);
  for (const uint32_t track : {3, 1, 2}) Play(data, track, 0);
  EndListener(data);
  for (const uint32_t track : {2, 0}) Play(data, track, kStart);
  EndListener(data);
  Sessions whole;
  EXPECT_EQ(Cut(data, &whole), (std::vector<std::vector<uint32_t>>{{1, 2, 3}, {0, 2}}));
  EXPECT_EQ(whole.ordered, (std::vector<uint8_t>{0, 0}));
}

TEST(Sessions, WhatIsNotWantedIsNoPartOfThem) {
  Dataset data = TwoListeners();
  data.events[1].kind = EventKind::kSkip;
  data.events[2].kind = EventKind::kDislike;
  EXPECT_EQ(Cut(data).front(), (std::vector<uint32_t>{0, 2}));
}

/// Settings under which only transitions count.
Settings OnlyNext(const char* algorithm) {
  Settings settings = Small();
  SequenceSettings& past = std::string_view(algorithm) == "markov" ? settings.markov.past : settings.session_knn.past;
  past.repeat = 0;
  past.window = 1;
  past.long_term = 0;
  return settings;
}

std::unique_ptr<models::Model> Fit(const char* algorithm, const Dataset& data, const Settings& settings) {
  NoInstruments instruments;
  auto model = (*MakeTrainer(algorithm))->Fit(data, settings, 1, instruments);
  EXPECT_TRUE(model.ok());
  return *std::move(model);
}

/// One who has just played `track`.
models::Profile JustPlayed(const models::Model& model, uint32_t track) {
  const std::vector<Preference> tracks = {{TrackIx{track}, 1, 1, 0, kStart}};
  const std::vector<Played> recent = {{TrackIx{track}, kStart}};
  History history(tracks);
  history.recent = recent;
  return model.FoldIn(history);
}

// 0 is followed by 1 (session 1), 2 at a distance of two (session 1), 2
// (session 3, fresh), 1 (session 4, fresh); shares of popularity are 2, 2, 1, 1
// of 6 pairs, and 0 for the rest.
TEST(MarkovTrainer, CountsTransitionsAsByHand) {
  Settings settings = OnlyNext("markov");
  settings.markov.half_life_days = 1;
  settings.markov.backward = 0;
  settings.markov.smoothing = 2;
  const auto model = Fit("markov", TwoListeners(), settings);
  std::vector<float> scores(6);
  model->Score(JustPlayed(*model, 0), scores);
  const double old = std::exp2(-(1 - 9.0 / 1440));
  const double after1 = old + 1;
  const double after2 = old / 2 + 1;
  const double all = after1 + after2 + 2;
  EXPECT_NEAR(scores[0], (0 + 2 * 2 / 6.0) / all, 1e-3);
  EXPECT_NEAR(scores[1], (after1 + 2 * 2 / 6.0) / all, 1e-3);
  EXPECT_NEAR(scores[2], (after2 + 2 * 1 / 6.0) / all, 1e-3);
  EXPECT_NEAR(scores[3], (0 + 2 * 1 / 6.0) / all, 1e-3);
  EXPECT_EQ(scores[4], models::kNever);
}

TEST(MarkovTrainer, BackwardsCountsLess) {
  Settings settings = OnlyNext("markov");
  settings.markov.backward = 0.25;
  settings.markov.half_life_days = 1e6;
  const auto model = Fit("markov", TwoListeners(), settings);
  // After 2: 1 one step back, 0 two steps and one step back.
  const auto near = model->Similar(TrackIx{2}, 10);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_EQ(Raw(near[0].track), 0u);
  EXPECT_NEAR(near[0].score / near[1].score, 1.5, 1e-4);
}

TEST(MarkovTrainer, WithoutTimesCountsWhatIsHeardByTheSameListeners) {
  Dataset data = Empty(2, 4);
  for (const uint32_t track : {0, 1, 2}) Play(data, track, 0);
  EndListener(data);
  for (const uint32_t track : {0, 1}) Play(data, track, 0);
  EndListener(data);
  const auto model = Fit("markov", data, Small());
  const auto near = model->Similar(TrackIx{0}, 10);
  ASSERT_EQ(near.size(), 2u);
  EXPECT_EQ(Raw(near[0].track), 1u);
  EXPECT_NEAR(near[0].score / near[1].score, (1 / std::sqrt(3.0) + 1 / std::sqrt(2.0)) * std::sqrt(3.0), 1e-4);
}

TEST(MarkovTrainer, KeepsTheBestFollowersOnly) {
  Settings settings = OnlyNext("markov");
  settings.markov.kept = 3;
  const Dataset data = RandomData(50, 40, 3);
  const auto few = Fit("markov", data, settings);
  settings.markov.kept = 1000;
  const auto all = Fit("markov", data, settings);
  for (uint32_t track = 0; track < 40; ++track) {
    const auto kept = few->Similar(TrackIx{track}, 100);
    const auto best = all->Similar(TrackIx{track}, 3);
    ASSERT_EQ(kept.size(), best.size());
    for (size_t i = 0; i < kept.size(); ++i) EXPECT_EQ(kept[i].score, best[i].score);
  }
}

TEST(MarkovTrainer, ASharePlayedLatelyMovesTheAnswerAtOnce) {
  const auto model = Fit("markov", TwoListeners(), OnlyNext("markov"));
  EXPECT_EQ(Raw(model->Top(JustPlayed(*model, 0), 1, {})[0].track), 1u);
  EXPECT_EQ(Raw(model->Top(JustPlayed(*model, 1), 1, std::vector<uint8_t>{1, 0, 0, 0, 0, 0})[0].track), 2u);
  const auto why = model->Explain(JustPlayed(*model, 0), TrackIx{1});
  ASSERT_EQ(why.because.size(), 1u);
  EXPECT_EQ(Raw(why.because[0].track), 0u);
}

TEST(SequenceModels, HabitsBringRepeatsBack) {
  Settings settings = Small();
  settings.markov.past.repeat = 1;
  settings.session_knn.past.repeat = 1;
  Dataset data = Empty(1, 5);
  for (int i = 0; i < 8; ++i) Play(data, 3, kStart + i * kDay);
  Play(data, 1, kStart);
  Play(data, 2, kStart + 7 * kDay + 1);
  std::sort(data.events.begin(), data.events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  EndListener(data);
  for (const char* algorithm : {"markov", "session_knn"}) {
    const auto model = Fit(algorithm, data, settings);
    const auto profile = ProfileIn(*model, data, 0);
    const auto top = model->Top(profile, 5, {});
    ASSERT_EQ(top.size(), 3u) << algorithm;
    EXPECT_EQ(Raw(top[0].track), 3u);
    EXPECT_EQ(Raw(top[1].track), 2u);
    EXPECT_FALSE(model->Explain(profile, TrackIx{3}).general.empty());
  }
}

/// models/session_knn.h, over all sessions as sets, with nothing clever.
std::vector<double> SlowSessionKnn(const Dataset& data, std::span<const models::WeightedTrack> context,
                                   const Settings& settings) {
  const Sessions sessions = CutSessions(data, SumPreferences(data, {}), settings.session_knn.past.gap_minutes * 60);
  std::vector<std::set<uint32_t>> sets;
  std::vector<double> with(data.tracks.size(), 0.0);
  for (size_t s = 0; s < sessions.size(); ++s) {
    sets.emplace_back(sessions.Of(s).begin(), sessions.Of(s).end());
    for (const uint32_t track : sets.back()) ++with[track];
  }
  std::vector<std::pair<double, size_t>> similar;
  for (size_t s = 0; s < sets.size(); ++s) {
    double overlap = 0;
    for (const auto& item : context) {
      if (sets[s].contains(Raw(item.track))) overlap += item.weight * std::log(1 + static_cast<double>(sets.size()) / with[Raw(item.track)]);
    }
    const double fresh = sessions.Freshness(s, settings.session_knn.half_life_days);
    similar.emplace_back(-overlap * fresh / std::sqrt(static_cast<double>(sets[s].size())), s);
  }
  std::sort(similar.begin(), similar.end());
  std::vector<double> votes(data.tracks.size(), 0.0);
  double sum = 0;
  for (size_t k = 0; k < std::min<size_t>(similar.size(), static_cast<size_t>(settings.session_knn.neighbours)); ++k) {
    for (const uint32_t track : sets[similar[k].second]) {
      votes[track] -= similar[k].first;
      sum -= similar[k].first;
    }
  }
  for (double& vote : votes) vote /= sum;
  return votes;
}

TEST(SessionKnn, AnswersAsItsSlowTwin) {
  Dataset data = Empty(40, 60);
  for (uint32_t u = 0; u < 40; ++u) {
    Random random(7, u);
    int64_t at = kStart + static_cast<int64_t>(random.Below(kDay));
    for (int i = 0; i < 60; ++i) {
      at += random.Uniform() < 0.1 ? kDay / 4 : 1 + static_cast<int64_t>(random.Below(600));
      Play(data, static_cast<uint32_t>(random.Below(60)), at);
    }
    EndListener(data);
  }
  Settings settings = Small();
  settings.session_knn.neighbours = 15;
  settings.session_knn.most_sessions = 100'000;
  settings.session_knn.half_life_days = 2.5;
  settings.session_knn.past.repeat = 0;
  const auto model = Fit("session_knn", data, settings);
  const models::SequenceRule rule = SequenceRuleOf(settings.session_knn.past, models::Liked::kAll);
  for (uint32_t u = 0; u < 40; ++u) {
    const auto profile = ProfileIn(*model, data, u);
    const auto expected = SlowSessionKnn(data, models::ContextOf(profile, rule), settings);
    std::vector<float> scores(60);
    model->Score(profile, scores);
    for (size_t i = 0; i < 60; ++i) EXPECT_NEAR(scores[i], expected[i], 2e-4) << "listener " << u << " track " << i;
  }
}

TEST(SessionKnn, KeepsEachTracksNewestSessionsOnly) {
  Dataset data = Empty(1, 12);
  for (uint32_t day = 0; day < 10; ++day) {  // track 0 with another one each day
    Play(data, 0, kStart + day * kDay);
    Play(data, 1 + day, kStart + day * kDay + kMinute);
  }
  EndListener(data);
  Settings settings = OnlyNext("session_knn");
  settings.session_knn.most_sessions = 3;
  settings.session_knn.half_life_days = 1e6;
  const auto model = Fit("session_knn", data, settings);
  std::set<uint32_t> found;
  for (const auto& near : model->Similar(TrackIx{0}, 20)) found.insert(Raw(near.track));
  EXPECT_EQ(found, (std::set<uint32_t>{8, 9, 10}));
}

TEST(SessionKnn, WhatNoNeighbourHasComesByPopularityAfterwards) {
  const Dataset data = RandomData(60, 50, 12);
  Settings settings = OnlyNext("session_knn");
  settings.session_knn.neighbours = 1;
  const auto model = Fit("session_knn", data, settings);
  const auto popular = model->Top(model->FoldIn({}), 50, {});
  const auto top = model->Top(JustPlayed(*model, 5), 50, {});
  ASSERT_EQ(top.size(), popular.size());
  const auto place = [&](TrackIx track) {
    return std::find_if(popular.begin(), popular.end(), [&](const auto& p) { return p.track == track; }) - popular.begin();
  };
  size_t in_order = 0;
  for (size_t i = top.size() - 1; i > 0 && place(top[i].track) > place(top[i - 1].track); --i) ++in_order;
  EXPECT_GT(in_order, 20u);
}

/// The model's artifact with the last four bytes of one section all ones: a
/// row, column or size that cannot be, or a NaN. Its hash is right.
Result<std::unique_ptr<models::Model>> LoadAltered(const models::Model& model, std::span<const std::string_view> sections,
                                                   std::string_view altered) {
  const auto file = std::filesystem::temp_directory_path() / ("segue-altered-" + std::to_string(::getpid()));
  EXPECT_TRUE(model.Save(file).ok());
  models::ModelFileWriter writer;
  {
    const auto whole = models::ModelFile::Map(file);
    EXPECT_TRUE(whole.ok());
    for (const std::string_view name : sections) {
      std::string bytes(*(*whole)->Section(name));
      if (name == altered) std::fill(bytes.end() - 4, bytes.end(), '\xff');
      writer.Add(name, bytes);
    }
  }
  std::filesystem::remove(file);
  EXPECT_TRUE(writer.Write(file).ok());
  auto loaded = models::Load(file);
  std::filesystem::remove(file);
  return loaded;
}

TEST(SequenceModels, AnArtifactWithNumbersThatCannotBeIsRefused) {
  using Names = std::vector<std::string_view>;
  const std::map<std::string, Names> own = {
      {"markov", {"sequence", "next_begin", "next_column", "next_value", "left"}},
      {"session_knn", {"sequence", "sessions_begin", "sessions_column", "index_begin", "index_column", "freshness", "idf"}},
      {"groups", {"wanted_begin", "wanted_column", "wanted_value", "of_listeners_centres", "of_tracks_begin", "of_tracks_typical",
                  "of_listeners_ids", "of_tracks_tags_ends", "listeners_ends"}}};
  for (const auto& [algorithm, names] : own) {
    const auto model = Fit(algorithm.c_str(), RandomData(60, 50, 12), Small());
    Names all = {"algorithm", "popularity", "track_offsets", "track_ids"};
    if (algorithm == "session_knn") all.push_back("session_knn");
    if (algorithm == "groups") {
      for (const char* name : {"ials", "factors", "groups", "listeners", "of_listeners_group_of", "of_listeners_sizes",
                               "of_listeners_begin", "of_listeners_typical", "of_listeners_tags", "of_listeners_tags_ends",
                               "of_tracks_centres", "of_tracks_group_of", "of_tracks_ids", "of_tracks_sizes", "of_tracks_tags"}) {
        all.push_back(name);
      }
    }
    all.insert(all.end(), names.begin(), names.end());
    EXPECT_TRUE(LoadAltered(*model, all, "").ok()) << algorithm;
    for (const std::string_view altered : names) {
      const auto loaded = LoadAltered(*model, all, altered);
      ASSERT_FALSE(loaded.ok()) << algorithm << " " << altered;
      EXPECT_EQ(loaded.error().code, ErrorCode::kCorrupt);
    }
  }
}

TEST(SequenceModels, ANewcomerWhoLikesNothingGetsWhatIsPopular) {
  const Dataset data = RandomData(60, 50, 12);
  for (const char* algorithm : {"markov", "session_knn"}) {
    const auto model = Fit(algorithm, data, Small());
    const std::vector<Preference> skipped = {{TrackIx{3}, 0, 0, 2, kStart}};
    const auto a = model->Top(model->FoldIn({}), 10, {});
    const auto b = model->Top(model->FoldIn(skipped), 10, {});
    for (size_t i = 0; i < 10; ++i) EXPECT_EQ(Raw(a[i].track), Raw(b[i].track));
  }
}

}  // namespace
}  // namespace segue::train
