#include "songs/specification.h"

#include <cmath>
#include <cstdlib>
#include <filesystem>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.h"
#include "math/parallel.h"
#include "songs/reports.h"
#include "store/song_files.h"

namespace segue::songs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Songs of the given columns; ids and artists are unknown.
SongTable Table(const std::vector<std::pair<std::string, std::vector<double>>>& columns, const std::vector<int32_t>& label,
                std::vector<std::string> labels = {"0", "1"}) {
  SongTable songs;
  for (const auto& column : columns) songs.features.push_back(column.first);
  for (size_t row = 0; row < label.size(); ++row) {
    for (const auto& column : columns) songs.values.push_back(column.second[row]);
  }
  songs.label = label;
  songs.labels = std::move(labels);
  songs.files = {"made.csv"};
  songs.file.assign(label.size(), 0);
  songs.decade.assign(label.size(), -1);
  for (size_t row = 0; row < label.size(); ++row) songs.line.push_back(row + 2);
  songs.id.resize(label.size());
  songs.title.resize(label.size());
  songs.artist.resize(label.size());
  return songs;
}

/// Two features that differ a little by class, over three decades, with gaps.
SongTable Made(size_t rows, size_t classes = 2) {
  std::vector<double> energy(rows), tempo(rows);
  std::vector<int32_t> label(rows);
  std::vector<std::string> labels;
  for (size_t c = 0; c < classes; ++c) labels.push_back("class " + std::to_string(c));
  Random random(3);
  for (size_t row = 0; row < rows; ++row) {
    label[row] = static_cast<int32_t>(random.Below(classes));
    energy[row] = 0.5 + 0.1 * random.Normal() + 0.05 * label[row];
    tempo[row] = random.Below(10) == 0 ? kNan : 120 + 30 * random.Normal();
  }
  SongTable songs = Table({{"energy", energy}, {"tempo", tempo}}, label, labels);
  for (size_t row = 0; row < rows; ++row) songs.decade[row] = 1960 + 10 * static_cast<int32_t>(row % 3);
  return songs;
}

std::string NotesOf(const Specification& specification) {
  std::string all;
  for (const std::string& note : specification.notes) all += note + "\n";
  return all;
}

/// All three reports can be made, and say nothing that is no number.
void ExpectReports(const Specification& specification) {
  const std::string json = ToJson(specification).dump();
  EXPECT_FALSE(nlohmann::json::parse(json).empty());
  const std::string html = page::Render(ToPage(specification));
  for (const std::string& text : {ToText(specification), html}) {
    EXPECT_EQ(text.find("nan"), std::string::npos) << text.substr(text.find("nan") > 40 ? text.find("nan") - 40 : 0, 80);
    EXPECT_EQ(text.find("inf"), std::string::npos);
  }
}

TEST(Specification, ADecadeIsComparedAsIfItsSongsWereAll) {
  const SongTable songs = Made(600);
  const Specification whole = Specify(songs, "kind");
  ASSERT_EQ(whole.decades.size(), 3u);
  std::vector<uint32_t> rows;
  SongTable alone = songs;
  alone.values.clear();
  alone.label.clear();
  for (uint32_t row = 1; row < 600; row += 3) {
    const auto values = songs.Row(row);
    alone.values.insert(alone.values.end(), values.begin(), values.end());
    alone.label.push_back(songs.label[row]);
  }
  for (uint32_t row = 0; row < alone.size(); ++row) rows.push_back(row);
  const Comparison expected = Compare(alone, rows);
  EXPECT_EQ(whole.decades[1].decade, 1970);
  EXPECT_EQ(whole.decades[1].comparison.differences[0].student.t, expected.differences[0].student.t);
  EXPECT_EQ(whole.decades[1].comparison.differences[1].ranks.u, expected.differences[1].ranks.u);
}

TEST(Specification, IsTheSameForAnyNumberOfThreads) {
  const SongTable songs = Made(3000);
  const auto on = [&](int threads) { return ToJson(math::WithThreads(threads, [&] { return Specify(songs, "kind"); })).dump(); };
  EXPECT_EQ(on(1), on(2));
}

TEST(Specification, MissingValuesAreLeftOutAndCounted) {
  const Specification s = Specify(Table({{"energy", {1, kNan, 3, 5, 9, kNan}}}, {0, 0, 0, 1, 1, 1}), "target");
  EXPECT_EQ(s.features[0].missing, 2u);
  EXPECT_EQ(s.all.differences[0].second.mean, 7);
  EXPECT_EQ(s.all.differences[0].first.n, 2u);
  EXPECT_NEAR(s.all.differences[0].student.t, 5 / std::sqrt(5.0), 1e-15);
  EXPECT_EQ(s.all.differences[0].ranks.u, 4);
}

TEST(Specification, AConstantOrEmptyFeatureHasNoTestAndThatIsSaid) {
  const Specification s = Specify(Table({{"mode", {1, 1, 1, 1}}, {"gain", {kNan, kNan, kNan, kNan}}, {"energy", {.1, .2, .3, .4}}}, {0, 0, 1, 1}), "target");
  EXPECT_TRUE(std::isnan(s.all.differences[0].student.t));
  EXPECT_TRUE(std::isnan(s.all.differences[1].d.value));
  EXPECT_FALSE(std::isnan(s.all.differences[2].student.t));
  EXPECT_EQ(s.all.differences[2].student_q.p, s.all.differences[2].student.p.p) << "tests that are not defined count among the tests";
  EXPECT_NE(NotesOf(s).find("'mode' is 1 in every row"), std::string::npos) << NotesOf(s);
  EXPECT_NE(NotesOf(s).find("'gain' has no value at all"), std::string::npos);
  EXPECT_NE(NotesOf(s).find("only 4 labelled rows"), std::string::npos);
  EXPECT_TRUE(ToJson(s)["all"]["tests"]["mode"]["student"]["t"].is_null());
  EXPECT_EQ(ByEffect(s.all).front(), 2u);
  ExpectReports(s);
}

TEST(Specification, OneClassNoLabelAndOneRowAreDefined) {
  const Specification one = Specify(Table({{"energy", {.1, .2}}}, {0, 0}, {"1"}), "target");
  EXPECT_TRUE(one.all.differences.empty());
  EXPECT_NE(NotesOf(one).find("of one class ('1')"), std::string::npos) << NotesOf(one);
  ExpectReports(one);
  const Specification none = Specify(Table({{"energy", {.1, .2}}}, {-1, -1}, {}), "");
  EXPECT_NE(NotesOf(none).find("no classes to compare"), std::string::npos);
  ExpectReports(none);
  const Specification single = Specify(Table({{"energy", {.1}}}, {1}), "target");
  EXPECT_TRUE(std::isnan(single.all.differences[0].student.t));
  ExpectReports(single);
}

TEST(Specification, MoreThanTwoClassesAreComparedByAnalysisOfVariance) {
  const Specification s = Specify(Made(500, 5), "genre");
  EXPECT_TRUE(s.all.differences.empty());
  ASSERT_EQ(s.all.spreads.size(), 2u);
  EXPECT_GT(s.all.spreads[0].anova.eta_squared, 0.15);
  EXPECT_EQ(s.all.spreads[0].anova.df_between, 4);
  EXPECT_LT(s.all.spreads[1].anova.eta_squared, 0.05);
  ExpectReports(s);
}

TEST(Specification, ValuesThatCannotBeAreCountedWithTheirPlace) {
  const Specification s = Specify(Table({{"tempo", {120, 0, 0, 500}}, {"loudness", {-5, 1, -70, -8}}, {"energy", {0.5, 1.5, 0, 1}}, {"own", {-1, 0, 0, 0}}}, {0, 1, 0, 1}), "target");
  ASSERT_EQ(s.features[0].impossible.size(), 2u);
  EXPECT_EQ(s.features[0].impossible[0].count, 2u);
  EXPECT_EQ(s.features[0].impossible[0].line, 3u);
  EXPECT_EQ(s.features[1].impossible.size(), 2u);
  EXPECT_EQ(s.features[2].impossible[0].example, 1.5);
  EXPECT_TRUE(s.features[3].impossible.empty());
}

TEST(Specification, AColumnInAnotherUnitIsToldAndNotMended) {
  const Specification s = Specify(Table({{"duration_ms", {180, 200, 240, 210}}, {"loudness", {5, 7, 9, 3}}, {"energy", {50, 80, 20, 99}}}, {0, 1, 0, 1}), "target");
  EXPECT_NE(NotesOf(s).find("looks like seconds, not milliseconds"), std::string::npos) << NotesOf(s);
  EXPECT_NE(NotesOf(s).find("the sign is lost"), std::string::npos);
  EXPECT_NE(NotesOf(s).find("looks like percent"), std::string::npos);
  EXPECT_EQ(s.features[0].all.mean, 207.5);
}

TEST(Specification, DuplicatesAreCountedAndContradictionsTakenOut) {
  SongTable songs = Table({{"energy", {1, 1, 2, 3, kNan, kNan, 9}}}, {0, 0, 0, 1, 1, 1, 1});
  songs.id = {"a", "a", "b", "b", "", "", "a2"};
  std::vector<uint32_t> left;
  const Duplicates found = FindDuplicates(songs, left);
  EXPECT_EQ(found.whole_rows, 2u);  // a's second row, and the second one without an id
  EXPECT_EQ(found.ids, 2u);
  EXPECT_EQ(found.ids_in_several, 1u);
  EXPECT_EQ(left, (std::vector<uint32_t>{0, 4, 6}));
}

TEST(Specification, HistogramsHoldEveryLabelledValue) {
  const Specification s = Specify(Made(1000), "kind");
  for (const FeatureReport& feature : s.features) {
    uint64_t held = 0;
    for (const auto& counts : feature.counts) {
      for (const uint64_t count : counts) held += count;
    }
    EXPECT_EQ(held, feature.all.n);
  }
}

TEST(Specification, TheFiguresOfTheHitPredictorAreThoseThatWerePublished) {
  const char* data = std::getenv("SEGUE_TEST_DATA");
  if (data == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  std::vector<std::filesystem::path> files;
  for (const char* decade : {"60", "70", "80", "90", "00", "10"}) {
    files.push_back(std::filesystem::path(data) / "hit_predictor" / ("dataset-of-" + std::string(decade) + "s.csv"));
  }
  const auto songs = store::ReadSongs(files);
  ASSERT_TRUE(songs.ok()) << songs.error().message;
  const Specification s = Specify(*songs, "target");
  struct Published {
    const char* feature;
    double t, p;
  };
  const Published published[] = {{"danceability", 74.7901595835779, 0},
                                 {"energy", 36.49114636517893, 5.987111564095718e-287},
                                 {"loudness", 60.51944378914344, 0},
                                 {"speechiness", -8.285943324340233, 1.206807801225774e-16},
                                 {"acousticness", -51.46355964028172, 0},
                                 {"instrumentalness", -90.50610383659532, 0},
                                 {"liveness", -10.443862406965835, 1.6824912751669193e-25},
                                 {"valence", 52.603756520146916, 0},
                                 {"tempo", 6.622784650102702, 3.5682852808286016e-11},
                                 {"duration_ms", -15.007206361516776, 8.980976712179482e-51},
                                 {"chorus_hit", -9.419065151555587, 4.779192361662327e-21},
                                 {"sections", -12.185826684530705, 4.235949580734437e-34}};
  for (const Published& expected : published) {
    size_t f = 0;
    while (f < s.features.size() && s.features[f].name != expected.feature) ++f;
    ASSERT_LT(f, s.features.size()) << expected.feature;
    const math::TTest& test = s.all.differences[f].student;
    EXPECT_NEAR(test.t, expected.t, std::fabs(expected.t) * 1e-13) << expected.feature;
    EXPECT_NEAR(test.p.p, expected.p, expected.p * 1e-10) << expected.feature;
    EXPECT_EQ(test.df, 41'104);
    EXPECT_TRUE(expected.p > 0 || test.p.log10 < -320) << expected.feature;
  }
  EXPECT_EQ(s.duplicates.whole_rows, 420u);
  EXPECT_EQ(s.duplicates.ids, 546u);
  EXPECT_EQ(s.duplicates.ids_in_several, 26u);
  EXPECT_EQ(s.decades.size(), 6u);
  ExpectReports(s);
}

}  // namespace
}  // namespace segue::songs
