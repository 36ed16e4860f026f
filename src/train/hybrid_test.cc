#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "math/parallel.h"
#include "models/hit_chance.h"
#include "models/hybrid.h"
#include "train/ensemble_selection.h"
#include "train/hybrid_lists.h"
#include "train/content_map.h"
#include "train/hybrid_members.h"
#include "train/testing.h"

namespace segue::train {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<std::string> NamesOf(std::string_view text, const Dataset& data) {
  Settings settings = Small();
  settings.hybrid.members = text;
  std::vector<std::string> names;
  const auto members = ReadHybridMembers(settings, data);
  if (!members.ok()) return {"error: " + members.error().message};
  for (const HybridMember& member : *members) names.push_back(member.name);
  return names;
}

TEST(HybridMembers, SettingsInBracketsAreTheMembersOwn) {
  Settings settings = Small();
  settings.hybrid.members = "ials, ials( factors=3; alpha=7 ), ease";
  const auto members = ReadHybridMembers(settings, Checkerboard(8));
  ASSERT_TRUE(members.ok()) << members.error().message;
  ASSERT_EQ(members->size(), 3u);
  EXPECT_EQ((*members)[0].settings.ials.factors, settings.ials.factors);
  EXPECT_EQ((*members)[1].algorithm, "ials");
  EXPECT_EQ((*members)[1].settings.ials.factors, 3);
  EXPECT_EQ((*members)[1].settings.ials.alpha, 7);
}

TEST(HybridMembers, WhatTheDataCannotTellApartIsLeftOut) {
  const Dataset full = Checkerboard(8);  // plays, tags and features, nobody's friends
  EXPECT_EQ(NamesOf("ials,friends,ials(liked=all)", full), std::vector<std::string>{"ials"});
  Dataset tagged = full;
  std::fill(tagged.tracks.features.begin(), tagged.tracks.features.end(), kNaN);
  Dataset bare = tagged;
  std::fill(bare.tracks.tags.begin(), bare.tracks.tags.end(), "");
  bare.tags = {};
  EXPECT_EQ(NamesOf("ials,ials_content,ials_content(factors=3),popularity,content_text,content_audio,content", bare),
            (std::vector<std::string>{"ials", "ials_content(factors=3)", "popularity"}));
  EXPECT_EQ(NamesOf("ials,ials_content,popularity,content_text,content_audio,content", tagged),
            (std::vector<std::string>{"ials", "ials_content", "popularity", "content_text", "content"}));
  EXPECT_EQ(NamesOf("ials_content,popularity,content_audio", full), (std::vector<std::string>{"ials_content", "popularity", "content_audio"}));
}

TEST(HybridMembers, ContentFromTheFactorsBeforeItIsContentFittedAlone) {
  const Dataset data = Checkerboard(12);
  Settings settings = Small();
  settings.hybrid.members = "ials,ials_content,ials_content(factors=3)";
  auto members = ReadHybridMembers(settings, data);
  ASSERT_TRUE(members.ok());
  NoInstruments instruments;
  const auto models = FitMembers(data, *members, 5, instruments);
  ASSERT_TRUE(models.ok());
  ASSERT_EQ(models->size(), 3u);
  for (const size_t m : {1u, 2u}) {
    const auto alone = MakeIalsContentTrainer()->Fit(data, (*members)[m].settings, 5, instruments);
    ASSERT_TRUE(alone.ok());
    EXPECT_TRUE(SavedBytes(*(*models)[m]) == SavedBytes(**alone)) << (*members)[m].name;
  }
}

TEST(HybridMembers, AnErrorNamesTheSettingAndWhatIsWrong) {
  const Dataset data = Checkerboard(8);
  for (const auto& [text, what] : std::vector<std::pair<std::string, std::string>>{
           {"hybrid", "cannot be a member of itself"}, {"jazz", "unknown algorithm 'jazz'"}, {"ials(factors=3", "closing bracket"},
           {"ials(factors)", "KEY=VALUE"}, {"ials(factors=-1)", "factors"}, {"", "none"}, {"friends", "none"}}) {
    const std::string message = NamesOf(text, data).at(0);
    EXPECT_NE(message.find("error: hybrid.members"), std::string::npos) << message;
    EXPECT_NE(message.find(what), std::string::npos) << message;
  }
}

/// Lists of ten rows, one of them wanted; columns: noise, the truth in half of
/// the lists (of even number), the truth in the others.
RankingData TwoExperts(size_t lists) {
  RankingData data;
  data.width = 3;
  Random random(1, 0);
  for (size_t list = 0; list < lists; ++list) {
    const uint64_t wanted = random.Below(10);
    for (uint64_t r = 0; r < 10; ++r) {
      const bool is_wanted = r == wanted;
      data.relevant.push_back(is_wanted ? 1 : 0);
      data.features.push_back(static_cast<float>(random.Normal()));
      for (const size_t half : {size_t{0}, size_t{1}}) data.features.push_back(list % 2 == half && is_wanted ? 3.0f : 0.1f * static_cast<float>(random.Normal()));
    }
    data.missing.push_back(0);
    data.begin.push_back(data.relevant.size());
  }
  return data;
}

TEST(EnsembleSelection, BothExpertsCountAndNoiseHardly) {
  const auto weights = SelectEnsemble(TwoExperts(200), 1);
  ASSERT_EQ(weights.size(), 3u);
  EXPECT_NEAR(weights[0] + weights[1] + weights[2], 1, 1e-5);
  EXPECT_LT(weights[0], 0.1f);
  EXPECT_GT(weights[1], 0.3f);
  EXPECT_GT(weights[2], 0.3f);
}

/// Lists of forty rows, one of them wanted; the first column knows it, more or
/// less; the other eleven are noise.
RankingData OneExpert(size_t lists, uint64_t seed) {
  RankingData data;
  data.width = 12;
  Random random(seed, 0);
  for (size_t list = 0; list < lists; ++list) {
    const uint64_t wanted = random.Below(40);
    for (uint64_t r = 0; r < 40; ++r) {
      data.relevant.push_back(r == wanted ? 1 : 0);
      for (size_t c = 0; c < data.width; ++c) data.features.push_back((c == 0 && r == wanted ? 2.0f : 0.0f) + static_cast<float>(random.Normal()));
    }
    data.missing.push_back(0);
    data.begin.push_back(data.relevant.size());
  }
  return data;
}

double Sum(const std::vector<double>& values) { return std::accumulate(values.begin(), values.end(), 0.0); }

/// What a selection on a dozen lists takes for knowledge is noise in others.
TEST(EnsembleSelection, OneColumnGainsOnlyWhereNoMeanIsBetterOnOtherLists) {
  const RankingData some = OneExpert(12, 8), others = OneExpert(12, 9);
  EXPECT_EQ(GainsOfOne(some, others, 1).size(), 12u);
  EXPECT_GT(Sum(GainsOfOne(some, others, 1)) + Sum(GainsOfOne(others, some, 1)), 0);
  EXPECT_EQ(BestColumn(some)[0], 1.0f);
  EXPECT_LT(Sum(GainsOfOne(TwoExperts(100), TwoExperts(100), 1)), 0) << "each knows half";
  EXPECT_TRUE(GainsOfOne(some, RankingData{.width = 12}, 1).empty()) << "nothing to judge on";
}

TEST(EnsembleSelection, IsTheSameForAnyNumberOfThreads) {
  const RankingData data = TwoExperts(60);
  const auto one = math::WithThreads(1, [&] { return SelectEnsemble(data, 5); });
  EXPECT_EQ(one, math::WithThreads(3, [&] { return SelectEnsemble(data, 5); }));
}

TEST(EnsembleSelection, WithoutListsTheFirstColumnStandsAlone) {
  RankingData data;
  data.width = 2;
  EXPECT_EQ(SelectEnsemble(data, 1), (std::vector<float>{1, 0}));
}

TEST(Ranker, AMeanIsOfWhatIsKnown) {
  const std::vector<float> weights = {0.5f, 0.25f, 0.25f};
  const std::vector<float> all = {1, 2, 4}, some = {kNaN, 2, 4}, none = {kNaN, kNaN, kNaN};
  EXPECT_FLOAT_EQ(models::MeanOfKnown(weights, all.data()), 2);
  EXPECT_FLOAT_EQ(models::MeanOfKnown(weights, some.data()), 3);
  EXPECT_FLOAT_EQ(models::MeanOfKnown(weights, none.data()), models::kUnknown);
}

TEST(Ranker, WarmthGoesFromFewToManyByTheLogarithm) {
  models::Ranker ranker;
  ranker.many_wanted = 80;
  EXPECT_EQ(ranker.Warmth(0), 0);
  EXPECT_EQ(ranker.Warmth(5), 0);
  EXPECT_FLOAT_EQ(ranker.Warmth(20), 0.5f);
  EXPECT_EQ(ranker.Warmth(80), 1);
  EXPECT_EQ(ranker.Warmth(100'000), 1);
  const std::vector<float> few = {1, 0}, many = {0, 1};
  ranker.few = few;
  ranker.many = many;
  EXPECT_EQ(ranker.WeightsAt(0.25f), (std::vector<float>{0.75f, 0.25f}));
}

/// Two members; candidates 0..3: heard 0, of member 0: 1 and 2, of member 1: 2 and 3.
models::Candidates Four() {
  models::Candidates four;
  four.members = 2;
  four.wanted = 1;
  four.heard = {1, 0, 0, 0};
  four.votes = {0, 1, 3, 2};
  four.popularity = {9, 5, 4, 3};
  for (uint32_t i = 0; i < 4; ++i) four.tracks.push_back(TrackIx{i});
  four.scores = {9, 90, 1, 10, 2, 20, 3, models::kNever};
  return four;
}

TEST(Candidates, OfOneMemberAreThoseItVotedFor) {
  const std::vector<size_t> second = {1};
  const auto only = Four().Only(second);
  ASSERT_EQ(only.tracks.size(), 3u);  // the heard stays
  EXPECT_EQ(Raw(only.tracks[1]), 2u);
  EXPECT_EQ(only.scores, (std::vector<float>{90, 20, models::kNever}));
  EXPECT_EQ(only.votes, (std::vector<uint64_t>{0, 1, 1}));
  EXPECT_EQ(Four().Unheard().tracks.size(), 3u);
}

TEST(Candidates, StandardScoresDoNotDependOnWhatIsHeard) {
  const auto all = models::StandardScores(Four());
  const auto unheard = models::StandardScores(Four().Unheard());
  for (size_t k = 0; k < 5; ++k) EXPECT_EQ(all[2 + k], unheard[k]);
  EXPECT_TRUE(std::isnan(all[7]) && std::isnan(unheard[5]));
  EXPECT_NEAR(unheard[0] + unheard[2] + unheard[4], 0, 1e-5);  // mean 0 of a member's
}

TEST(HybridLists, FewShowsFiveOfTheWantedAndTheSameHoldOut) {
  const Dataset data = Checkerboard(40);
  const InnerSplit split = SplitInside(data, models::Liked::kAll, 1, 0);
  NoInstruments instruments;
  Settings settings = Small();
  settings.hybrid.members = "ials,popularity";
  auto members = ReadHybridMembers(settings, data);
  ASSERT_TRUE(members.ok());
  const auto models = FitMembers(split.train, *members, 1, instruments);
  ASSERT_TRUE(models.ok()) << models.error().message;
  const HybridLists lists = MakeHybridLists(split, *models, {}, 1);
  ASSERT_FALSE(lists.many.empty());
  ASSERT_EQ(lists.many.size(), lists.few.size());
  for (size_t i = 0; i < lists.many.size(); ++i) {
    EXPECT_GT(lists.many[i].candidates.wanted, 5u);
    EXPECT_EQ(lists.few[i].candidates.wanted, 5u);
    const auto held = [](const HybridList& list) {
      return list.missing + static_cast<uint32_t>(std::count(list.relevant.begin(), list.relevant.end(), 1));
    };
    EXPECT_EQ(held(lists.many[i]), held(lists.few[i]));
    EXPECT_EQ(lists.many[i].fifth, lists.few[i].fifth);
    EXPECT_EQ(lists.many[i].listener, lists.few[i].listener);
  }
}

TEST(HybridMembers, HitChancesTakePartOnlyWhereAModelOfHitsHasLooked) {
  Settings settings = Small();
  settings.hybrid.members = "ials,hit_chance";
  Dataset data = Checkerboard(20);
  EXPECT_EQ(ReadHybridMembers(settings, data)->size(), 2u);
  data.hit_chance.clear();
  EXPECT_EQ(ReadHybridMembers(settings, data)->size(), 1u);
}

TEST(Hybrid, KeepsHitChancesOnlyWhereListsAreBetterWithThem) {
  Settings settings = Small();
  settings.hybrid.members = "popularity,hit_chance";
  NoInstruments instruments;
  for (const bool says : {true, false}) {
    // What sounds like a hit is what people come to later; or they go on as they were.
    Dataset data = Empty(60, 80);
    Random random(5, says ? 1 : 2);
    for (size_t i = 0; i < 80; ++i) data.hit_chance[i] = says && i % 4 == 0 ? 0.9f : 0.1f + 0.01f * static_cast<float>(random.Below(10));
    for (size_t u = 0; u < 60; ++u) {
      for (uint32_t k = 0; k < 20; ++k) {
        const double skewed = 80 * std::pow(random.Uniform(), 2);
        const auto track = static_cast<uint32_t>(says && k >= 16 ? 4 * random.Below(20) : static_cast<uint64_t>(skewed));
        data.events.push_back({TrackIx{track}, EventKind::kPlay, 1, -1, 1'600'000'000 + 600 * static_cast<int64_t>(k)});
      }
      data.begin.push_back(data.events.size());
    }
    auto model = (*MakeTrainer("hybrid"))->Fit(data, settings, 1, instruments);
    ASSERT_TRUE(model.ok()) << model.error().message;
    bool kept = false;
    for (const auto& member : dynamic_cast<const models::HybridModel&>(**model).members()) kept = kept || member->algorithm() == "hit_chance";
    EXPECT_EQ(kept, says);
  }
}

TEST(HitChance, ScoresAreLogOddsAndTheReasonSaysTheChance) {
  const std::vector<float> chances = {0.8f, std::nanf(""), 0.5f, 1.0f};
  const auto model = models::HitChanceModel::Make(std::vector<std::string>{"a", "b", "c", "d"}, chances);
  std::vector<float> scores(4);
  model->Score(model->FoldIn({}), scores);
  EXPECT_NEAR(scores[0], std::log(4), 1e-6);
  EXPECT_EQ(scores[1], models::kNever);
  EXPECT_EQ(scores[2], 0);
  EXPECT_NEAR(scores[3], std::log(1e6), 1e-3) << "certain is not infinite";
  EXPECT_EQ(model->Explain({}, TrackIx{0}).general, "sounds like a hit (80 %)");
}

TEST(HybridLists, NoCandidateIsATrackThatOnlyTheHeldOutPartKnows) {
  Dataset data = Checkerboard(40);
  data.tracks.listed.assign(40, 0);
  data.tracks.listed[4] = 1;
  for (auto& event : data.events) {
    if (Raw(event.track) == 5) event.track = TrackIx{7};  // nobody ever heard 5
  }
  const InnerSplit split = SplitInside(data, models::Liked::kAll, 1, 0);
  NoInstruments instruments;
  Settings settings = Small();
  settings.hybrid.members = "content_text,popularity";
  auto members = ReadHybridMembers(settings, data);
  ASSERT_TRUE(members.ok());
  const auto models = FitMembers(split.train, *members, 1, instruments);
  ASSERT_TRUE(models.ok()) << models.error().message;
  const auto unknown = UnknownTracks(split.train);
  EXPECT_EQ(unknown[5], 1);
  EXPECT_EQ(unknown[4], 0);
  for (const HybridList& list : MakeHybridLists(split, *models, {}, 1).many) {
    for (const TrackIx track : list.candidates.tracks) EXPECT_EQ(unknown[Raw(track)], 0) << Raw(track);
  }
}

}  // namespace
}  // namespace segue::train
