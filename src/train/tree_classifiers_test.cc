#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <numeric>
#include <sstream>

#include <gtest/gtest.h>

#include "core/random.h"
#include "math/auc.h"
#include "models/boosting_classifier.h"
#include "models/forest_classifier.h"
#include "models/permutation_importance.h"
#include "store/song_files.h"
#include "train/boosting_classifier.h"
#include "train/forest_classifier.h"

// Random forest, extra trees and gradient boosting: what all three must do.

namespace segue::train {
namespace {

namespace fs = std::filesystem;
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

struct Algorithm {
  std::string name;
  std::unique_ptr<ClassifierTrainer> (*make)();
  Result<std::unique_ptr<models::Classifier>> (*open)(std::shared_ptr<const models::ModelFile>);
};

const Algorithm kAlgorithms[] = {
    {"random_forest", MakeForestTrainer, models::ForestClassifier::Open},
    {"extra_trees", MakeExtraTreesTrainer, models::ForestClassifier::Open},
    {"gradient_boosting", MakeBoostingTrainer, models::BoostingClassifier::Open},
};

class TreeClassifiers : public testing::TestWithParam<Algorithm> {
 protected:
  TreeClassifiers() {
    settings_.forest.trees = settings_.extra_trees.trees = 40;
    settings_.boosting.trees = 60;
    folder_ = fs::temp_directory_path() / ("segue_tree_classifiers_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  ~TreeClassifiers() override { fs::remove_all(folder_); }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, uint64_t seed = 3) {
    return GetParam().make()->Fit(songs, rows, settings_, seed, instruments_);
  }
  std::string Bytes(const models::Classifier& model) {
    EXPECT_TRUE(model.Save(folder_ / "model").ok());
    std::ostringstream bytes;
    bytes << std::ifstream(folder_ / "model", std::ios::binary).rdbuf();
    return bytes.str();
  }

  Settings settings_;
  NoInstruments instruments_;
  fs::path folder_;
};

/// The label is where x lies among `labels` slices of [0, 1), right `sure` of the time;
/// beside it a duration, a column without values and one that is always the same.
SongTable Songs(size_t n, size_t labels, double sure, uint64_t seed) {
  SongTable songs;
  songs.features = {"x", "noise", "duration_ms", "none", "same"};
  for (size_t c = 0; c < labels; ++c) songs.labels.push_back("c" + std::to_string(c));
  Random random(seed);
  for (size_t r = 0; r < n; ++r) {
    const double x = random.Uniform();
    const auto slice = static_cast<int32_t>(x * static_cast<double>(labels));
    songs.label.push_back(random.Uniform() < sure ? slice : static_cast<int32_t>(random.Below(labels)));
    songs.values.insert(songs.values.end(), {random.Uniform() < 0.05 ? kNaN : x, random.Normal(), static_cast<double>(100'000 + random.Below(200'000)), kNaN, 4});
    songs.artist.push_back("artist " + std::to_string(r % 97));
  }
  songs.id.resize(n);
  songs.title.resize(n);
  songs.decade.assign(n, -1);
  songs.files = {"songs.csv"};
  songs.file.assign(n, 0);
  songs.line.assign(n, 1);
  return songs;
}

std::vector<uint32_t> Rows(size_t first, size_t last) {
  std::vector<uint32_t> rows(last - first);
  std::iota(rows.begin(), rows.end(), static_cast<uint32_t>(first));
  return rows;
}

std::vector<float> Floats(const SongTable& songs, std::span<const uint32_t> rows) {
  std::vector<float> x;
  for (const uint32_t r : rows) x.insert(x.end(), songs.Row(r).begin(), songs.Row(r).end());
  return x;
}

double Accuracy(const models::Classifier& model, const SongTable& songs, std::span<const uint32_t> rows) {
  const size_t labels = songs.labels.size();
  std::vector<float> p(rows.size() * labels);
  model.Predict(Floats(songs, rows), p);
  size_t right = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const float* own = p.data() + i * labels;
    EXPECT_NEAR(std::accumulate(own, own + labels, 0.0), 1, 1e-4);
    right += std::max_element(own, own + labels) - own == songs.label[rows[i]] ? 1 : 0;
  }
  return static_cast<double>(right) / static_cast<double>(rows.size());
}

TEST_P(TreeClassifiers, LearnWhatTellsTwoOrMoreLabelsApart) {
  for (const size_t labels : {2, 5}) {
    const SongTable songs = Songs(3000, labels, 0.9, 1);
    auto model = Fit(songs, Rows(0, 2000));
    ASSERT_TRUE(model.ok()) << model.error().message;
    EXPECT_EQ((*model)->algorithm(), GetParam().name);
    EXPECT_EQ((*model)->labels(), songs.labels);
    const double best = 0.9 + 0.1 / static_cast<double>(labels);  // what is left is chance, and 5 % is missing
    EXPECT_GT(Accuracy(**model, songs, Rows(2000, 3000)), best - 0.1) << labels;
  }
}

TEST_P(TreeClassifiers, AreTheSameBytesForAnyNumberOfThreadsAndOthersForAnotherSeed) {
  const SongTable songs = Songs(1500, 3, 0.8, 2);
  settings_.boosting.bags = 2;
  settings_.threads = 1;
  auto one = Fit(songs, Rows(0, 1500));
  ASSERT_TRUE(one.ok());
  const std::string bytes = Bytes(**one);
  settings_.threads = 2;
  EXPECT_EQ(Bytes(**Fit(songs, Rows(0, 1500))), bytes);
  EXPECT_NE(Bytes(**Fit(songs, Rows(0, 1500), 4)), bytes);
}

TEST_P(TreeClassifiers, PredictTheSameFromTheirFileAndOneRowAtATime) {
  for (const size_t labels : {2, 4}) {
    const SongTable songs = Songs(800, labels, 0.8, 3);
    auto model = Fit(songs, Rows(0, 800));
    ASSERT_TRUE(model.ok());
    Bytes(**model);
    auto file = models::ModelFile::Map(folder_ / "model");
    ASSERT_TRUE(file.ok());
    auto opened = GetParam().open(*file);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    EXPECT_EQ((*opened)->algorithm(), GetParam().name);
    const auto x = Floats(songs, Rows(0, 800));
    std::vector<float> a(800 * labels), b(800 * labels), one(labels);
    (*model)->Predict(x, a);
    (*opened)->Predict(x, b);
    EXPECT_EQ(a, b);
    for (size_t r = 0; r < 50; ++r) {
      (*opened)->Predict(std::span(x).subspan(r * 5, 5), one);
      EXPECT_TRUE(std::equal(one.begin(), one.end(), a.begin() + static_cast<std::ptrdiff_t>(r * labels)));
    }
    EXPECT_EQ(Bytes(**opened), Bytes(**model));
  }
}

TEST_P(TreeClassifiers, AFileWhoseNodesPointAstrayIsRefused) {
  const SongTable songs = Songs(300, 2, 0.8, 4);
  auto model = Fit(songs, Rows(0, 300));
  ASSERT_TRUE(model.ok());
  Bytes(**model);
  auto whole = models::ModelFile::Map(folder_ / "model");
  ASSERT_TRUE(whole.ok());
  // Written anew with each section damaged in turn, so that the file's hash is right.
  const std::vector<std::string> sections = {"algorithm", "features", "labels", "bins", "bin_begin", "bin_edges", "bin_rank", "bin_pairs", "tree_roots",
                                             "tree_nodes", "leaf_begin", "leaf_label", "leaf_share", "tree_value", "base", "importance", "forest", "boosting"};
  size_t damaged = 0;
  for (const std::string& victim : sections) {
    if (!(*whole)->Section(victim).ok() || (*whole)->Section(victim)->empty()) continue;
    for (const int how : {0, 1}) {
      models::ModelFileWriter writer;
      for (const std::string& name : sections) {
        const auto bytes = (*whole)->Section(name);
        if (!bytes.ok()) continue;
        std::string copy(*bytes);
        if (name == victim) how == 0 ? copy.resize(copy.size() / 2) : (void)std::fill(copy.begin(), copy.end(), '\xff');
        writer.Add(name, copy);
      }
      ASSERT_TRUE(writer.Write(folder_ / "damaged").ok());
      auto file = models::ModelFile::Map(folder_ / "damaged");
      ASSERT_TRUE(file.ok());
      auto opened = GetParam().open(*file);
      // Names are free text, and a byte of 0xff a rank of none: those may open, but must not read astray.
      if (opened.ok()) {
        std::vector<float> p((*opened)->labels().size());
        (*opened)->Predict(std::vector<float>((*opened)->features().size(), 0.5f), p);
      } else {
        EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt) << victim;
        EXPECT_NE(opened.error().message.find("damaged"), std::string::npos) << opened.error().message;
        ++damaged;
      }
    }
  }
  EXPECT_GE(damaged, 14u);
}

TEST_P(TreeClassifiers, WhatCannotBeLearnedIsRefused) {
  SongTable songs = Songs(50, 2, 1, 5);
  EXPECT_FALSE(Fit(songs, {}).ok());
  std::fill(songs.label.begin(), songs.label.end(), 1);
  auto model = Fit(songs, Rows(0, 50));
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  EXPECT_NE(model.error().message.find("'c1'"), std::string::npos) << model.error().message;
}

TEST_P(TreeClassifiers, TenRowsAndNothingToTellThemApartGiveTheirShares) {
  SongTable songs = Songs(10, 2, 1, 6);
  for (double& value : songs.values) value = 1;
  for (size_t r = 0; r < 10; ++r) songs.label[r] = r < 3 ? 1 : 0;
  auto model = Fit(songs, Rows(0, 10));
  ASSERT_TRUE(model.ok()) << model.error().message;
  std::vector<float> p(2);
  (*model)->Predict(std::vector<float>(5, 1.0f), p);
  EXPECT_NEAR(p[1], 0.3, 0.1);
  (*model)->Predict(std::vector<float>(5, std::nanf("")), p);
  EXPECT_NEAR(p[1], 0.3, 0.1);
  const float inf = std::numeric_limits<float>::infinity();
  (*model)->Predict(std::vector<float>{inf, -inf, inf, -inf, 0}, p);
  EXPECT_NEAR(p[1], 0.3, 0.1);
}

TEST_P(TreeClassifiers, ALabelThatNoRowHasIsAlmostImpossible) {
  SongTable songs = Songs(400, 2, 0.9, 7);
  songs.labels.push_back("never");
  auto model = Fit(songs, Rows(0, 400));
  ASSERT_TRUE(model.ok());
  std::vector<float> p(400 * 3);
  (*model)->Predict(Floats(songs, Rows(0, 400)), p);
  for (size_t r = 0; r < 400; ++r) EXPECT_LT(p[r * 3 + 2], 0.01);
}

TEST_P(TreeClassifiers, LeanOnWhatTellsTheLabelsApartAndOnNothingElse) {
  const SongTable songs = Songs(2000, 2, 0.9, 11);
  auto model = Fit(songs, Rows(0, 1200));
  ASSERT_TRUE(model.ok());
  const std::vector<int32_t> label(songs.label.begin() + 1200, songs.label.end());
  const auto loss = models::PermutationImportance(**model, Floats(songs, Rows(1200, 2000)), label, 3, 1);
  ASSERT_EQ(loss.size(), 5u);
  EXPECT_GT(loss[0].mean, 0.2);
  EXPECT_LT(std::abs(loss[1].mean), 0.1 * loss[0].mean);
  EXPECT_EQ(loss[3].mean, 0) << "nothing changes where all values are missing";
  EXPECT_EQ(loss[4].mean, 0) << "or the same";
}

class Stopped final : public Instruments {
  void Log(LogLevel, std::string_view, std::string_view, const nlohmann::json&) override {}
  void Progress(std::string_view, uint64_t, uint64_t, std::string_view) override {}
  bool Cancelled() const override { return true; }
};

TEST_P(TreeClassifiers, StopWhenAsked) {
  Stopped stopped;
  auto model = GetParam().make()->Fit(Songs(200, 2, 0.9, 8), Rows(0, 200), settings_, 1, stopped);
  ASSERT_FALSE(model.ok());
  EXPECT_EQ(model.error().code, ErrorCode::kCancelled);
}

INSTANTIATE_TEST_SUITE_P(All, TreeClassifiers, testing::ValuesIn(kAlgorithms), [](const auto& of) { return of.param.name; });

TEST(ForestClassifier, WhatIsOutOfBagIsAsGoodAsWhatIsHeldOut) {
  const SongTable songs = Songs(4000, 2, 0.8, 9);
  Settings settings;
  settings.forest.trees = 60;
  NoInstruments instruments;
  auto fitted = FitForest(false, songs, Rows(0, 2000), settings, 1, instruments);
  ASSERT_TRUE(fitted.ok());
  ASSERT_EQ(fitted->out_of_bag.size(), 4000u);
  ASSERT_TRUE(fitted->out_of_bag_auc.has_value());
  EXPECT_NEAR(fitted->out_of_bag_accuracy, Accuracy(*fitted->model, songs, Rows(2000, 4000)), 0.03);
  EXPECT_GT(fitted->model->importance()[0], 0.4);
  EXPECT_EQ(fitted->model->importance()[3], 0);
  EXPECT_EQ(fitted->model->importance()[4], 0);
}

TEST(BoostingClassifier, PairsLetFewTreesSeeADifference) {
  SongTable songs = Songs(4000, 2, 1, 10);
  Random random(4);
  for (size_t r = 0; r < 4000; ++r) {
    double* row = songs.values.data() + r * 5;
    row[0] = random.Uniform();
    row[1] = 50 * random.Uniform() + 7;
    songs.label[r] = row[0] > (row[1] - 7) / 50 ? 1 : 0;
  }
  Settings settings;
  settings.boosting.trees = 20;
  settings.boosting.columns = 1;
  NoInstruments instruments;
  const auto accuracy = [&](int64_t paired) {
    settings.boosting.paired = paired;
    return Accuracy(**MakeBoostingTrainer()->Fit(songs, Rows(0, 2500), settings, 1, instruments), songs, Rows(2500, 4000));
  };
  EXPECT_GT(accuracy(2), 0.98);
  EXPECT_LT(accuracy(0), 0.97);
}

TEST(RowBinner, CdFramesAreSeventyFiveASecond) {
  EXPECT_NEAR(models::CdFrameOffset(1000), 0, 1e-6);
  EXPECT_NEAR(models::CdFrameOffset(173'533), 0.025, 1e-3);  // 13,015 frames are 173,533.33 ms
  EXPECT_NEAR(models::CdFrameOffset(173'540), 0.5, 1e-1);
  EXPECT_TRUE(std::isnan(models::CdFrameOffset(std::nanf(""))));
  const std::vector<std::string> names = {"tempo", "song_duration_ms"};
  EXPECT_EQ(models::DurationColumn(names), std::optional<size_t>(1));
}

/// Hits and flops of six decades; the test part plays no part in any setting.
TEST(TreeClassifiersOnRealSongs, AreAsGoodAsThePublishedForestOrBetter) {
  const char* folder = std::getenv("SEGUE_TEST_DATA");
  if (folder == nullptr) GTEST_SKIP() << "SEGUE_TEST_DATA is not set";
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(fs::path(folder) / "hit_predictor")) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  auto songs = store::ReadSongs(files);
  ASSERT_TRUE(songs.ok()) << songs.error().message;
  std::vector<uint32_t> train, test;
  for (uint32_t r = 0; r < songs->size(); ++r) (Random(42, r).Uniform() < 0.7 ? train : test).push_back(r);
  Settings settings;
  settings.forest.trees = 100;
  NoInstruments instruments;
  std::vector<uint8_t> hit;
  for (const uint32_t r : test) hit.push_back(songs->label[r] == 1 ? 1 : 0);
  const auto auc = [&](const models::Classifier& model) {
    std::vector<float> p(test.size() * 2), ones;
    model.Predict(Floats(*songs, test), p);
    for (size_t i = 0; i < test.size(); ++i) ones.push_back(p[i * 2 + 1]);
    return math::Auc(ones, hit);
  };
  const auto forest = MakeForestTrainer()->Fit(*songs, train, settings, 1, instruments);
  const auto boosting = MakeBoostingTrainer()->Fit(*songs, train, settings, 1, instruments);
  ASSERT_TRUE(forest.ok() && boosting.ok());
  EXPECT_GT(auc(**forest), 0.865);
  EXPECT_GT(auc(**boosting), 0.87);
  EXPECT_GT(Accuracy(**boosting, *songs, test), 0.785);
}

}  // namespace
}  // namespace segue::train
