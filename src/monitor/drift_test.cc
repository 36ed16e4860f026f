#include "monitor/drift.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "core/random.h"
#include "monitor/testing.h"
#include "store/song_files.h"

namespace segue::monitor {
namespace {

using nlohmann::json;
using Columns = std::map<std::string, std::vector<double>>;

json Quality(const Columns& tracks, const json& rules = json::array()) {
  json quality = {{"rows", {{"in", 1000}}}, {"rules", rules}};
  size_t rows = 0;
  for (const auto& [name, values] : tracks) {
    rows = values.size();
    quality["profile"]["tracks"]["columns"][name] = ProfileJson(values);
  }
  quality["profile"]["tracks"]["rows"] = rows;
  return quality;
}

const ColumnDrift& Of(const std::vector<ColumnDrift>& columns, const std::string& name) {
  static const ColumnDrift kNone{.column = "there is none"};
  const auto it = std::find_if(columns.begin(), columns.end(), [&](const ColumnDrift& c) { return c.column == name; });
  EXPECT_NE(it, columns.end()) << name;
  return it == columns.end() ? kNone : *it;
}

std::vector<double> Normals(uint64_t seed, size_t n, double mean = 0) {
  Random random(seed);
  std::vector<double> values(n);
  for (double& value : values) value = mean + random.Normal();
  return values;
}

std::vector<std::string> InState(const std::vector<ColumnDrift>& columns, DriftState state) {
  std::vector<std::string> names;
  for (const auto& column : columns) {
    if (column.state == state) names.push_back(column.column);
  }
  return names;
}

TEST(Drift, AColumnThatMovedIsNamedAndOthersAreSteady) {
  const auto before = Quality({{"a", Normals(1, 3000)}, {"b", Normals(2, 3000)}});
  const auto now = Quality({{"a", Normals(3, 3000)}, {"b", Normals(4, 3000, 0.8)}});
  const auto columns = CompareQuality(before, now, {});
  EXPECT_EQ(Of(columns, "tracks.a").state, DriftState::kSteady) << Of(columns, "tracks.a").why;
  EXPECT_EQ(Of(columns, "tracks.b").state, DriftState::kDrifted);
  EXPECT_NE(Named(columns, DriftState::kDrifted, 5).find("tracks.b (Wasserstein 0.8"), std::string::npos) << Named(columns, DriftState::kDrifted, 5);
}

TEST(Drift, ColumnsOfWhichTheSameIsToBeSaidShareASentence) {
  const std::vector<ColumnDrift> columns = {{.column = "a", .state = DriftState::kDrifted, .why = "gone"}, {.column = "b", .why = "gone"},
                                            {.column = "c", .state = DriftState::kDrifted, .why = "PSI 1"},
                                            {.column = "d", .state = DriftState::kDrifted, .why = "gone"}};
  EXPECT_EQ(Named(columns, DriftState::kDrifted, 5), "a, d (gone); c (PSI 1)");
  EXPECT_EQ(Named(columns, DriftState::kDrifted, 1), "a, d (gone) and 1 more");
  EXPECT_EQ(Named(columns, DriftState::kUndefined, 5), "");
}

TEST(Drift, AFewRowsAreNotJudgedAndSmallSamplesHaveToDriftMore) {
  const auto before = Quality({{"a", Normals(1, 3000)}});
  EXPECT_EQ(Of(CompareQuality(before, Quality({{"a", Normals(2, 150, 3)}}), {}), "tracks.a").state, DriftState::kTooFew);
  const DriftSettings any_size{.min_rows = 1};
  const auto few = CompareQuality(before, Quality({{"a", Normals(2, 40, 0.2)}}), any_size);
  EXPECT_NE(Of(few, "tracks.a").state, DriftState::kDrifted) << "0.2 standard deviations of 40 rows are chance";
  EXPECT_GT(Of(few, "tracks.a").wasserstein->value, any_size.max_wasserstein) << "though they are above the limit";
  const auto many = CompareQuality(before, Quality({{"a", Normals(2, 9000, 0.2)}}), any_size);
  EXPECT_EQ(Of(many, "tracks.a").state, DriftState::kDrifted);
}

TEST(Drift, WhatWasAlwaysThereAndIsMissingNowIsUndefinedData) {
  auto values = Normals(5, 2000);
  const auto before = Quality({{"a", Normals(1, 2000)}});
  for (size_t i = 0; i < 15; ++i) values[i] = std::nan("");
  EXPECT_EQ(Of(CompareQuality(before, Quality({{"a", values}}), {}), "tracks.a").state, DriftState::kSteady) << "0.75 % is let pass";
  for (size_t i = 0; i < 60; ++i) values[i] = std::nan("");
  const auto columns = CompareQuality(before, Quality({{"a", values}}), {});
  EXPECT_EQ(Of(columns, "tracks.a").state, DriftState::kUndefined);
  EXPECT_EQ(Of(columns, "tracks.a").why, "3.0 % missing, before 0.0 %");
  // Where a third was always missing, 3 % more is a change like others.
  auto gaps = Normals(6, 2000), more = Normals(7, 2000);
  for (size_t i = 0; i < 660; ++i) gaps[i] = std::nan("");
  for (size_t i = 0; i < 860; ++i) more[i] = std::nan("");
  EXPECT_EQ(Of(CompareQuality(Quality({{"a", gaps}}), Quality({{"a", more}}), {}), "tracks.a").state, DriftState::kDrifted);
}

TEST(Drift, AnotherSchemaAndValuesThatAreNoNumbersAreUndefinedData) {
  const auto before = Quality({{"a", Normals(1, 500)}, {"b", Normals(2, 500)}});
  const auto columns = CompareQuality(before, Quality({{"a", Normals(1, 500)}, {"c", Normals(2, 500)}}), {});
  EXPECT_EQ(InState(columns, DriftState::kUndefined), (std::vector<std::string>{"tracks.b", "tracks.c"}));
  EXPECT_EQ(Of(columns, "tracks.b").why, "the column is gone");
  json other = before;
  other["profile"]["tracks"]["columns"]["a"]["type"] = "VARCHAR";
  other["profile"]["tracks"]["columns"]["b"]["max"] = json();
  EXPECT_EQ(InState(CompareQuality(before, other, {}), DriftState::kUndefined), (std::vector<std::string>{"tracks.a", "tracks.b"}));
}

TEST(Drift, RowsThatCleaningCouldNotUseAreUndefinedDataOnceTheyAreMoreThanBefore) {
  const auto rule = [](const char* name, int removed) { return json{{"rule", name}, {"removed", removed}, {"changed", 0}}; };
  const Columns tracks = {{"a", Normals(1, 500)}};
  const auto before = Quality(tracks, {rule("unknown_kind", 2), rule("impossible_tempo", 40), rule("duplicate_row", 0)});
  const auto now = Quality(tracks, {rule("unknown_kind", 50), rule("impossible_tempo", 45), rule("duplicate_row", 900), rule("unreadable", 30)});
  EXPECT_EQ(InState(CompareQuality(before, now, {}), DriftState::kUndefined),
            (std::vector<std::string>{"rules.unknown_kind", "rules.unreadable"}));
}

TEST(Drift, NothingIsSaidOfDatasetsWithoutProfiles) {
  EXPECT_TRUE(CompareQuality(json::object(), Quality({{"a", Normals(1, 500)}}), {}).empty());
  EXPECT_TRUE(CompareQuality(Quality({{"a", Normals(1, 500)}}), json(), {}).empty());
}

TEST(Drift, CategoriesAreComparedByTheirShares) {
  const auto quality = [](int64_t play, int64_t skip) {
    const json column = {{"type", "VARCHAR"}, {"nulls", 0}, {"top", {{{"value", "play"}, {"rows", play}}, {{"value", "skip"}, {"rows", skip}}}}};
    return json{{"profile", {{"interactions", {{"rows", play + skip}, {"columns", {{"kind", column}, {"listener", column}}}}}}}};
  };
  const auto columns = CompareQuality(quality(900, 100), quality(400, 600), {});
  EXPECT_EQ(Of(columns, "interactions.kind").state, DriftState::kDrifted);
  EXPECT_FALSE(Of(columns, "interactions.kind").wasserstein.has_value());
  EXPECT_EQ(Of(columns, "interactions.listener").state, DriftState::kNotJudged);
}

/// Songs with their measured features, two halves of one table.
class RealSongs : public testing::Test {
 protected:
  void SetUp() override {
    const char* data = std::getenv("SEGUE_TEST_DATA");
    if (data == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
    data_ = data;
    const std::array<std::filesystem::path, 1> files = {data_ / "hit_predictor" / "dataset-of-90s.csv"};
    const auto songs = store::ReadSongs(files);
    ASSERT_TRUE(songs.ok()) << songs.error().message;
    Random random(7);
    for (size_t row = 0; row < songs->size(); ++row) {
      Columns& half = random.Uniform() < 0.5 ? before_ : now_;
      for (size_t f = 0; f < songs->features.size(); ++f) half[songs->features[f]].push_back(songs->Row(row)[f]);
    }
  }

  std::filesystem::path data_;
  Columns before_, now_;
};

TEST_F(RealSongs, TwoHalvesOfOneTableDoNotDrift) {
  const auto columns = CompareQuality(Quality(before_), Quality(now_), {});
  EXPECT_GE(columns.size(), 14U);
  EXPECT_EQ(Named(columns, DriftState::kDrifted, 20), "");
  EXPECT_EQ(Named(columns, DriftState::kUndefined, 20), "");
}

TEST_F(RealSongs, EachFeatureThatIsScaledByAThousandIsNamed) {
  for (const auto& [name, values] : before_) {
    if (name == "mode" || name == "instrumentalness") continue;  // mostly 0, which stays 0: below
    Columns poisoned = now_;
    for (double& value : poisoned[name]) value *= 1000;
    EXPECT_EQ(InState(CompareQuality(Quality(before_), Quality(poisoned), {}), DriftState::kDrifted), std::vector<std::string>{"tracks." + name});
  }
  Columns poisoned = now_;
  for (const char* name : {"mode", "instrumentalness"}) {
    for (double& value : poisoned[name]) value *= 1000;
  }
  EXPECT_EQ(InState(CompareQuality(Quality(before_), Quality(poisoned), {}), DriftState::kDrifted),
            (std::vector<std::string>{"tracks.instrumentalness", "tracks.mode"}));
}

TEST_F(RealSongs, ColumnsInEachOthersPlaceAreNamed) {
  for (const auto& [one, other] : {std::pair{"danceability", "acousticness"}, {"energy", "speechiness"}, {"tempo", "sections"}}) {
    Columns poisoned = now_;
    std::swap(poisoned[one], poisoned[other]);
    std::vector<std::string> both = {std::string("tracks.") + one, std::string("tracks.") + other};
    std::sort(both.begin(), both.end());
    EXPECT_EQ(InState(CompareQuality(Quality(before_), Quality(poisoned), {}), DriftState::kDrifted), both);
  }
}

TEST_F(RealSongs, RatingsThatAreAllEqualAreNamed) {
  std::ifstream file(data_ / "ml-100k" / "u.data");
  std::vector<double> before, now;
  double user = 0, item = 0, rating = 0, at = 0;
  while (file >> user >> item >> rating >> at) (before.size() > 50'000 ? now : before).push_back(rating);
  ASSERT_GT(now.size(), 10'000U);
  EXPECT_EQ(Named(CompareQuality(Quality({{"value", before}}), Quality({{"value", now}}), {}), DriftState::kDrifted, 5), "");
  const auto columns = CompareQuality(Quality({{"value", before}}), Quality({{"value", std::vector<double>(now.size(), 5.0)}}), {});
  EXPECT_EQ(Of(columns, "tracks.value").state, DriftState::kDrifted);
}

}  // namespace
}  // namespace segue::monitor
