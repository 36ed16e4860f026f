#include "train/groups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "train/testing.h"

namespace segue::train {
namespace {

constexpr uint32_t kTastes = 4;

/// Listener u has most of the tracks of taste u % 4; tags name the taste.
Dataset Tastes(size_t listeners, size_t tracks, uint64_t seed) {
  Dataset data = Empty(listeners, tracks);
  for (size_t i = 0; i < tracks; ++i) Describe(data, i, i % kTastes);
  data.tags = TagsOf(data.tracks);
  for (size_t u = 0; u < listeners; ++u) {
    Random random(seed, u);
    for (uint32_t i = 0; i < tracks; ++i) {
      if (i % kTastes == u % kTastes && random.Uniform() < 0.7) data.events.push_back({TrackIx{i}, EventKind::kPlay, 1, -1, 0});
    }
    data.begin.push_back(data.events.size());
  }
  return data;
}

std::unique_ptr<models::GroupsModel> Fit(const Dataset& data, const models::GroupsModel* previous = nullptr, uint64_t seed = 1) {
  NoInstruments instruments;
  auto model = FitGroups(data, Small(), seed, previous, instruments);
  EXPECT_TRUE(model.ok());
  return *std::move(model);
}

TEST(Groups, FindsTheTastesThatArePlantedAmongListenersAndTracks) {
  const Dataset data = Tastes(120, 80, 3);
  const auto model = Fit(data);
  ASSERT_EQ(model->of_listeners().groups.size(), kTastes);
  ASSERT_EQ(model->of_tracks().groups.size(), kTastes);
  for (size_t u = 0; u < 120; ++u) {
    EXPECT_EQ(model->of_listeners().group_of[u], model->of_listeners().group_of[u % kTastes]) << "listener " << u;
  }
  for (size_t i = 0; i < 80; ++i) {
    EXPECT_EQ(model->of_tracks().group_of[i], model->of_tracks().group_of[i % kTastes]) << "track " << i;
  }
}

TEST(Groups, SaysWhatIsTypicalOfEach) {
  const Dataset data = Tastes(120, 80, 3);
  const auto model = Fit(data);
  for (uint32_t taste = 0; taste < kTastes; ++taste) {
    const auto& listeners = model->of_listeners().groups[model->of_listeners().group_of[taste]];
    const auto* tracks = model->TrackGroup(TrackIx{taste});
    ASSERT_NE(tracks, nullptr);
    EXPECT_EQ(listeners.size, 30u);
    EXPECT_EQ(tracks->size, 20u);
    EXPECT_EQ(listeners.tags, "group" + std::to_string(taste));
    EXPECT_EQ(tracks->tags, "group" + std::to_string(taste));
    ASSERT_FALSE(listeners.typical.empty() || tracks->typical.empty());
    for (const TrackIx track : listeners.typical) EXPECT_EQ(Raw(track) % kTastes, taste);
    for (const TrackIx track : tracks->typical) EXPECT_EQ(Raw(track) % kTastes, taste);
  }
}

TEST(Groups, AStrangerIsPutWithThoseWhoPlayWhatHePlays) {
  const Dataset data = Tastes(120, 80, 3);
  const auto model = Fit(data);
  const std::vector<Preference> few = {{TrackIx{2}, 1, 1, 0, 0}, {TrackIx{6}, 1, 1, 0, 0}};
  const auto profile = model->FoldIn(few);
  ASSERT_NE(model->GroupOf(profile), nullptr);
  EXPECT_EQ(model->GroupOf(profile)->tags, "group2");
  EXPECT_NE(model->Explain(profile, TrackIx{10}).general.find("group2"), std::string::npos);
  for (const auto& track : model->Top(profile, 10, {})) EXPECT_EQ(Raw(track.track) % kTastes, 2u);
  EXPECT_EQ(model->GroupOf(model->FoldIn({})), nullptr);
}

/// models/groups.h summed as it stands, for a listener whose other groups are
/// far away: the share of his group who want the track, smoothed.
TEST(Groups, ScoresAreSmoothedSharesOfTheGroup) {
  const Dataset data = Tastes(120, 80, 3);
  const auto model = Fit(data);
  std::vector<float> scores(80);
  model->Score(ProfileIn(*model, data, 5), scores);
  std::vector<double> wanted(80, 0.0);
  for (uint32_t u = 1; u < 120; u += kTastes) {
    for (const Event& event : data.EventsOf(UserIx{u})) wanted[Raw(event.track)] += 1;
  }
  for (uint32_t i = 1; i < 80; i += kTastes) {
    const double expected = (wanted[i] + 5 * wanted[i] / 120) / (30 + 5);
    EXPECT_NEAR(scores[i], expected, 0.01 * expected) << "track " << i;
  }
}

TEST(Groups, KeepTheirIdsWhenTastesMove) {
  const auto before = Fit(Tastes(120, 80, 3));
  // A week later: two more listeners, other plays, one who has changed sides;
  // another seed turns the factors' axes.
  Dataset later = Tastes(124, 80, 9);
  for (uint64_t k = later.begin[0]; k < later.begin[1]; ++k) later.events[k].track = TrackIx{Raw(later.events[k].track) + 1};
  const auto after = Fit(later, before.get(), 77);
  ASSERT_EQ(after->of_listeners().groups.size(), kTastes);
  const auto id = [](const models::GroupsModel& model, size_t u) {
    return model.of_listeners().groups[model.of_listeners().group_of[u]].id;
  };
  for (size_t u = 1; u < 120; ++u) EXPECT_EQ(id(*after, u), id(*before, u)) << "listener " << u;
  EXPECT_EQ(id(*after, 0), id(*before, 1)) << "who changed sides is in the other group";
  EXPECT_EQ(id(*after, 123), id(*before, 3));
  for (uint32_t i = 0; i < 80; ++i) EXPECT_EQ(after->TrackGroup(TrackIx{i})->id, before->TrackGroup(TrackIx{i})->id);
}

TEST(Groups, ThoseThatSplitKeepTheIdOfMostAndTheOthersGetNewOnes) {
  constexpr uint32_t kNone = models::Grouping::kNone;
  // Before: 4 and 9. Now: row 0 has most of 9, row 1 the rest of it, row 2 is 4.
  const std::vector<uint32_t> before = {9, 9, 9, 9, 9, 4, 4, kNone, 4};
  const std::vector<uint32_t> now = {1, 0, 0, 0, 1, 2, 2, 1, kNone};
  EXPECT_EQ(MatchedIds(before, now, 3, 10), (std::vector<uint32_t>{9, 10, 4}));
  EXPECT_EQ(MatchedIds({}, {}, 2, 0), (std::vector<uint32_t>{0, 1}));
}

TEST(Groups, WarmAndColdGiveTheSameBytesForAnyNumberOfThreads) {
  NoInstruments instruments;
  const Dataset data = Tastes(90, 60, 4);
  const auto previous = Fit(Tastes(80, 60, 5));
  Settings settings = Small();
  std::string one;
  for (const int64_t threads : {1, 2, 3}) {
    settings.threads = threads;
    const auto model = FitGroups(data, settings, 1, previous.get(), instruments);
    ASSERT_TRUE(model.ok());
    const std::string bytes = SavedBytes(**model);
    if (one.empty()) one = bytes;
    EXPECT_TRUE(bytes == one) << threads << " threads";
  }
}

}  // namespace
}  // namespace segue::train
