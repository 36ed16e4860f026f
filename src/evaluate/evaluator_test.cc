#include "evaluate/evaluator.h"

#include <atomic>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "evaluate/test_support.h"

namespace segue::evaluate {
namespace {

const std::vector<std::string> kTracks = {"a", "b", "c", "d", "e", "f"};

/// Ranks by row: the first track of the catalogue is the best.
float ByRow(const models::Profile&, uint32_t row) { return -static_cast<float>(row); }

Report Judge(const models::Model& model, const Split& split, const Settings& settings = {}) {
  NoInstruments instruments;
  auto report = Evaluate(model, split, settings, 42, instruments);
  EXPECT_TRUE(report.ok()) << report.error().message;
  return std::move(*report);
}

/// ann heard a, b; wants d (at the mean), e (below). bob heard a; wants c.
Split Example(const Settings& settings = {}) {
  const Dataset train = DatasetBuilder(kTracks)
                            .Add("ann", "a", 0, EventKind::kPlay, 4).Add("ann", "b", 0, EventKind::kPlay, 4)
                            .Add("bob", "a", 0)
                            .Build();
  const Dataset test = DatasetBuilder(kTracks)
                           .Add("ann", "d", 0, EventKind::kPlay, 5).Add("ann", "e", 0, EventKind::kPlay, 3)
                           .Add("bob", "c", 0, EventKind::kPlay, 0.5f)
                           .Build();
  return SplitGiven(train, test, settings);
}

/// Where a table lists these tracks and no others.
Split OnlyListed(Split split, const std::set<std::string>& listed) {
  for (const std::string& id : split.train.tracks.id) split.train.tracks.listed.push_back(listed.contains(id) ? 1 : 0);
  return split;
}

TEST(Evaluate, RanksTheCatalogueWithoutThePast) {
  // ann's list: c d e f, hits at 2 and 3. bob's: b c d e f, a hit at 2.
  const Report report = Judge(GivenModel(kTracks, ByRow), Example());
  EXPECT_EQ(report.listeners, 2u);
  EXPECT_EQ(report.held_out, 3u);
  EXPECT_EQ(report.catalogue, 6u);
  EXPECT_EQ(report.protocol, "discovery");
  EXPECT_EQ(report.algorithm, "given");
  EXPECT_DOUBLE_EQ(report.figures.at("mrr").value, 0.5);
  EXPECT_DOUBLE_EQ(report.figures.at("hit_rate@1").value, 0);
  EXPECT_DOUBLE_EQ(report.figures.at("hit_rate@5").value, 1);
  EXPECT_DOUBLE_EQ(report.figures.at("precision@10").value, (0.2 + 0.1) / 2);
  EXPECT_DOUBLE_EQ(report.figures.at("recall@10").value, 1);
  const double ndcg_ann = (1 / std::log2(3) + 0.5) / (1 + 1 / std::log2(3));
  EXPECT_DOUBLE_EQ(report.figures.at("ndcg@10").value, (ndcg_ann + 1 / std::log2(3)) / 2);
  EXPECT_DOUBLE_EQ(report.figures.at("map@10").value, ((0.5 + 2.0 / 3) / 2 + 0.5) / 2);
  EXPECT_EQ(report.per_listener.at("ndcg@100").size(), 2u);
  EXPECT_DOUBLE_EQ(report.per_listener.at("ndcg@100")[0], ndcg_ann);
}

TEST(Evaluate, OfRecordCountsTracksAtOrAboveTheMeanAndLeavesOutListenersWithoutAny) {
  // ann's d alone counts, at rank 2; bob's c is below his mean.
  const Report report = Judge(GivenModel(kTracks, [](const auto&, uint32_t row) { return static_cast<float>(row == 4) - 0.01f * static_cast<float>(row); }),
                              Example());
  // ann's list is e c d f.
  EXPECT_DOUBLE_EQ(report.figures.at("mrr").value, (1.0 + 1.0 / 3) / 2);
  EXPECT_DOUBLE_EQ(report.figures.at("mrr_of_record").value, 1.0 / 3);
  EXPECT_TRUE(std::isnan(report.per_listener.at("mrr_of_record")[1]));
}

TEST(Evaluate, CoverageIsOfTracksThatAreKnown) {
  // The ten best of both have all but a.
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), Example()).figures.at("coverage@10").value, 5.0 / 6);
  // Heard: a, b; listed: c. Nobody's list has a.
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), OnlyListed(Example(), {"c"})).figures.at("coverage@10").value, 2.0 / 3);
}

TEST(Evaluate, WhatOnlyTheHoldOutKnowsIsInNoListAndStaysRelevant) {
  // No table lists c and d: ann's list is e f, a hit at 1 of her two; bob's b e f, none.
  const Report report = Judge(GivenModel(kTracks, ByRow), OnlyListed(Example(), {"e", "f"}));
  EXPECT_DOUBLE_EQ(report.figures.at("mrr").value, 0.5);
  EXPECT_DOUBLE_EQ(report.figures.at("recall@10").value, 0.25);
  EXPECT_DOUBLE_EQ(report.per_listener.at("mrr")[1], 0);
  // With repeats too: a b e f.
  const Settings next{.protocol = "next"};
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), OnlyListed(Example(next), {"e", "f"}), next).per_listener.at("mrr")[0], 1.0 / 3);
}

TEST(Evaluate, DiversityIsTheShareOfDifferentArtists) {
  Split split = Example();
  split.train.tracks.artist = {"A", "A", "B", "B", "", ""};
  // ann's list is c d e f: one B, two by themselves; bob's b c d e f.
  const Report report = Judge(GivenModel(kTracks, ByRow), split);
  EXPECT_DOUBLE_EQ(report.per_listener.at("diversity@10")[0], 3.0 / 4);
  EXPECT_DOUBLE_EQ(report.per_listener.at("diversity@10")[1], 4.0 / 5);
}

TEST(Evaluate, SegmentsAreByTheTracksOfThePast) {
  Settings settings;
  settings.new_below = 2;
  settings.heavy_from = 3;
  Report report = Judge(GivenModel(kTracks, ByRow), Example(), settings);
  EXPECT_EQ(report.segment, (std::vector<Segment>{Segment::kLight, Segment::kNew}));
  EXPECT_DOUBLE_EQ(MeanOf(report, "mrr", Segment::kLight), report.per_listener.at("mrr")[0]);
  EXPECT_TRUE(std::isnan(MeanOf(report, "mrr", Segment::kHeavy)));
  settings.heavy_from = 2;
  EXPECT_EQ(Judge(GivenModel(kTracks, ByRow), Example(), settings).segment[0], Segment::kHeavy);
}

TEST(Evaluate, NoveltyIsOfTheTrainPart) {
  // Of two listeners: b is had by one, all others of the lists by nobody: 1 bit each.
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), Example()).figures.at("novelty@10").value, 1);
  // With repeats a leads both lists of six: 0 bits.
  const Settings next{.protocol = "next"};
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), Example(next), next).figures.at("novelty@10").value, 5.0 / 6);
}

TEST(Evaluate, NextRanksThePastToo) {
  // Lists are a b c d e f for both: hits at 4, 5 and at 3.
  const Settings next{.protocol = "next"};
  EXPECT_DOUBLE_EQ(Judge(GivenModel(kTracks, ByRow), Example(next), next).figures.at("mrr").value, (1.0 / 4 + 1.0 / 3) / 2);
}

TEST(Evaluate, TracksThatTheModelDoesNotKnowStayRelevant) {
  // A model of other rows: no e, no b, and a z that the data does not have.
  const Report report = Judge(GivenModel({"a", "c", "d", "f", "z"}, ByRow), Example());
  // ann's list: c d f z; d of {d, e}. bob's: c first.
  EXPECT_DOUBLE_EQ(report.per_listener.at("recall@10")[0], 0.5);
  EXPECT_DOUBLE_EQ(report.per_listener.at("mrr")[0], 0.5);
  EXPECT_DOUBLE_EQ(report.per_listener.at("mrr")[1], 1);
  EXPECT_EQ(report.catalogue, 5u);
}

TEST(Evaluate, GivesTheModelThePastInItsOwnRowsWithStrengths) {
  const Dataset train = DatasetBuilder(kTracks)
                            .Add("ann", "b", 0, EventKind::kPlay, 3).Add("ann", "b", 0, EventKind::kSkip, 2)
                            .Add("ann", "d", 0, EventKind::kLike).Add("ann", "e", 0)
                            .Build();
  const Dataset test = DatasetBuilder(kTracks).Add("ann", "f", 0).Build();
  std::atomic<int> wrong{0};
  const GivenModel model({"b", "c", "e", "f"}, [&](const models::Profile& profile, uint32_t row) {
    const auto& history = profile.history;
    const bool right = history.size() == 2 && Raw(history[0].track) == 0 && history[0].strength == 2.5f &&
                       Raw(history[1].track) == 2 && history[1].strength == 1;
    if (!right) ++wrong;
    return -static_cast<float>(row);
  });
  const Settings settings{.skip_weight = 0.25};
  EXPECT_DOUBLE_EQ(Judge(model, SplitGiven(train, test, settings), settings).figures.at("mrr").value, 0.5);
  EXPECT_EQ(wrong.load(), 0);
}

TEST(Evaluate, CutsListsAtTheirLength) {
  Settings settings;
  settings.list_length = 1;
  const Report report = Judge(GivenModel(kTracks, ByRow), Example(), settings);
  EXPECT_EQ(report.figures.at("mrr").value, 0);
  EXPECT_EQ(report.figures.at("recall@100").value, 0);
}

/// 400 listeners with random pasts and futures over 300 tracks.
struct Crowd {
  std::vector<std::string> tracks;
  Split split;
};

Crowd MakeCrowd() {
  Crowd crowd;
  for (int i = 0; i < 300; ++i) crowd.tracks.push_back("t" + std::to_string(1000 + i));
  DatasetBuilder builder(crowd.tracks);
  for (uint64_t u = 0; u < 400; ++u) {
    Random random(5, u);
    const std::string name = "u" + std::to_string(1000 + u);
    for (int64_t at = 1; at <= 25; ++at) builder.Add(name, crowd.tracks[random.Below(300)], at);
  }
  crowd.split = SplitByTime(builder.Build(), Settings{});
  return crowd;
}

/// Any scores that depend on the listener.
float Scrambled(const models::Profile& profile, uint32_t row) {
  const uint64_t who = profile.history.empty() ? 0 : Raw(profile.history[0].track);
  return static_cast<float>(Random(who, row).Uniform());
}

TEST(Evaluate, IsTheSameForAnyNumberOfThreads) {
  const Crowd crowd = MakeCrowd();
  const GivenModel model(crowd.tracks, Scrambled);
  Settings settings;
  settings.bootstrap_samples = 100;
  settings.threads = 1;
  const Report one = Judge(model, crowd.split, settings);
  settings.threads = 4;
  const Report four = Judge(model, crowd.split, settings);
  ASSERT_EQ(one.figures.size(), four.figures.size());
  for (const auto& [name, figure] : one.figures) {
    EXPECT_EQ(figure.value, four.figures.at(name).value) << name;
    EXPECT_EQ(figure.low, four.figures.at(name).low) << name;
    EXPECT_EQ(figure.high, four.figures.at(name).high) << name;
    EXPECT_LE(figure.low, figure.value) << name;
    EXPECT_GE(figure.high, figure.value) << name;
  }
  EXPECT_EQ(one.per_listener.at("mrr"), four.per_listener.at("mrr"));
  EXPECT_LT(one.figures.at("mrr").low, one.figures.at("mrr").high);
}

TEST(Evaluate, KnowingTheFutureIsPerfect) {
  const Crowd crowd = MakeCrowd();
  const GivenModel blind(crowd.tracks, Scrambled);
  // The oracle cannot tell listeners apart, so it is asked about one only.
  Split one = crowd.split;
  one.listeners.resize(1);
  one.begin.resize(2);
  one.held_out.resize(one.begin[1]);
  const GivenModel oracle(crowd.tracks, [&](const models::Profile&, uint32_t row) {
    return static_cast<float>(std::count_if(one.held_out.begin(), one.held_out.end(), [&](const HeldOut& h) { return Raw(h.track) == row; }));
  });
  const Report report = Judge(oracle, one);
  EXPECT_DOUBLE_EQ(report.figures.at("mrr").value, 1);
  EXPECT_DOUBLE_EQ(report.figures.at("ndcg@10").value, 1);
  EXPECT_DOUBLE_EQ(report.figures.at("map@10").value, 1);
  EXPECT_LT(Judge(blind, crowd.split).figures.at("ndcg@10").value, 0.2);
}

TEST(Evaluate, SaysWhyNothingCanBeJudged) {
  NoInstruments instruments;
  const Split split = SplitByTime(DatasetBuilder(kTracks).Add("ann", "a", 1).Build(), Settings{});
  const auto report = Evaluate(GivenModel(kTracks, ByRow), split, Settings{}, 1, instruments);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kInvalid);
  EXPECT_NE(report.error().message.find("nothing is held out"), std::string::npos);
}

TEST(Evaluate, StopsWhenAsked) {
  class Impatient final : public Instruments {
   public:
    void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
    void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
    bool Cancelled() const override { return true; }
  } instruments;
  const auto report = Evaluate(GivenModel(kTracks, ByRow), Example(), Settings{}, 1, instruments);
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kCancelled);
}

// The figures of an independent evaluator, in another language, on a public
// data set (1,892 listeners, 17,632 artists): the popularity list.

struct Row {
  std::string user, item;
  float value = 0;
};

std::vector<Row> ReadCsv(const std::filesystem::path& path) {
  std::ifstream file(path);
  std::vector<Row> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::istringstream fields(line);
    Row row;
    std::string value;
    std::getline(fields, row.user, ',');
    std::getline(fields, row.item, ',');
    std::getline(fields, value, ',');
    row.value = std::stof(value);
    rows.push_back(row);
  }
  return rows;
}

Dataset OfRows(const std::vector<Row>& rows, const std::vector<std::string>& tracks, const std::vector<Row>& everybody) {
  DatasetBuilder builder(tracks);
  for (const Row& row : everybody) builder.Listener(row.user);
  for (const Row& row : rows) builder.Add(row.user, row.item, 0, EventKind::kPlay, row.value);
  return builder.Build();
}

TEST(Evaluate, AgreesWithAnIndependentEvaluatorOnLastfm) {
  const char* data = std::getenv("SEGUE_TEST_DATA");
  const auto folder = std::filesystem::path(data != nullptr ? data : "") / ".." / "splits" / "lastfm-2k";
  if (data == nullptr || !std::filesystem::exists(folder / "train.csv")) {
    GTEST_SKIP() << "SEGUE_TEST_DATA is not set, or has no splits/lastfm-2k beside it";
  }
  const auto train_rows = ReadCsv(folder / "train.csv");
  const auto test_rows = ReadCsv(folder / "test.csv");
  auto all = train_rows;
  all.insert(all.end(), test_rows.begin(), test_rows.end());
  std::vector<std::string> tracks;
  for (const Row& row : all) tracks.push_back(row.item);
  std::sort(tracks.begin(), tracks.end());
  tracks.erase(std::unique(tracks.begin(), tracks.end()), tracks.end());
  std::map<std::string, float> listeners;
  for (const Row& row : train_rows) ++listeners[row.item];

  const Split split = SplitGiven(OfRows(train_rows, tracks, all), OfRows(test_rows, tracks, all), Settings{});
  const GivenModel popularity(tracks, [&](const models::Profile&, uint32_t row) {
    const auto found = listeners.find(tracks[row]);
    return found == listeners.end() ? 0 : found->second;
  });
  Settings settings;
  settings.bootstrap_samples = 200;
  const Report report = Judge(popularity, split, settings);
  const std::map<std::string, double> expected = {
      {"hit_rate@10", .405}, {"mrr", .201}, {"ndcg@10", .0761}, {"ndcg@100", .1521},
      {"recall@20", .1014}, {"recall@50", .1753}, {"map@10", .0322}};
  for (const auto& [name, value] : expected) {
    const double last_digit = name == "hit_rate@10" || name == "mrr" ? 5e-4 : 5e-5;
    EXPECT_NEAR(report.figures.at(name).value, value, last_digit * 1.001) << name;
  }
  // It counts coverage over train and test tracks; Segue over those played in train.
  EXPECT_NEAR(report.figures.at("coverage@10").value * static_cast<double>(listeners.size()) /
                  static_cast<double>(tracks.size()), .001, 5e-4);
  // NDCG@10's standard error there is .0044 for a good model: the interval is of that order.
  const Figure& ndcg = report.figures.at("ndcg@10");
  EXPECT_GT(ndcg.high - ndcg.low, 0.005);
  EXPECT_LT(ndcg.high - ndcg.low, 0.02);
}

}  // namespace
}  // namespace segue::evaluate
