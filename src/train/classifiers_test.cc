#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>

#include <gtest/gtest.h>

#include "core/random.h"
#include "models/classifier_file.h"
#include "train/calibration.h"
#include "train/classifier_search.h"
#include "train/classifier_trainer.h"
#include "train/labelled_rows.h"
#include "train/song_folds.h"

// One test body over every classifier.

namespace segue::train {
namespace {

/// A song is of the second class where x and y lie in the same half: no line
/// parts them. `noise` is a feature that says nothing, `same` is constant,
/// `nothing` always missing, `holes` missing in every fifth song.
SongTable Checkerboard(size_t n, uint64_t seed, int32_t classes = 2) {
  SongTable songs;
  songs.features = {"x", "y", "noise", "same", "nothing", "holes"};
  for (int32_t c = 0; c < classes; ++c) songs.labels.push_back(std::string(1, static_cast<char>('a' + c)));
  Random random(seed);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (size_t i = 0; i < n; ++i) {
    const double x = random.Uniform(), y = random.Uniform();
    songs.label.push_back(classes == 2 ? ((x < 0.5) == (y < 0.5) ? 1 : 0) : std::min(classes - 1, static_cast<int32_t>(x * classes)));
    songs.values.insert(songs.values.end(), {x, y, random.Normal(), 3.0, nan, i % 5 == 0 ? nan : x});
    songs.id.push_back(std::to_string(i));
    songs.title.push_back("");
    songs.artist.push_back("artist" + std::to_string(i / 4));
    songs.decade.push_back(-1);
    songs.file.push_back(0);
    songs.line.push_back(i + 2);
  }
  songs.files = {"songs.csv"};
  return songs;
}

std::vector<uint32_t> Rows(size_t first, size_t last) {
  std::vector<uint32_t> rows;
  for (size_t i = first; i < last; ++i) rows.push_back(static_cast<uint32_t>(i));
  return rows;
}

/// Quick settings under which each can learn the checkerboard.
Settings Quick() {
  Settings settings;
  settings.logistic.parts = 4;
  settings.logistic.interactions = "pairs";
  settings.mlp.networks = 2;
  settings.mlp.epochs = 20;
  settings.mlp.batch = 32;
  settings.mlp.hidden = settings.mlp.hidden2 = 32;
  settings.forest.trees = settings.extra_trees.trees = 50;
  settings.boosting.trees = 100;
  settings.boosting.learning_rate = 0.1;
  settings.ensemble.members = "knn(scales=equal),mlp";
  settings.ensemble.folds = 2;
  return settings;
}

double Accuracy(const models::Classifier& model, const SongTable& songs, std::span<const uint32_t> rows) {
  const size_t classes = model.labels().size();
  std::vector<float> p(rows.size() * classes);
  model.Predict(GatherFeatures(songs, rows), p);
  double right = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto row = std::span<const float>(p).subspan(i * classes, classes);
    float sum = 0;
    for (const float v : row) {
      EXPECT_TRUE(v >= 0 && v <= 1) << v;
      sum += v;
    }
    EXPECT_NEAR(sum, 1, 1e-4);
    right += std::max_element(row.begin(), row.end()) - row.begin() == songs.label[rows[i]] ? 1 : 0;
  }
  return right / static_cast<double>(rows.size());
}

class EveryClassifier : public testing::TestWithParam<std::string> {
 protected:
  EveryClassifier() {
    folder_ = std::filesystem::temp_directory_path() / ("segue_classifier_" + GetParam() + std::to_string(::getpid()));
    std::filesystem::create_directories(folder_);
  }
  ~EveryClassifier() override { std::filesystem::remove_all(folder_); }

  Result<std::unique_ptr<models::Classifier>> Fit(const SongTable& songs, std::span<const uint32_t> rows, const Settings& settings) const {
    NoInstruments quiet;
    return (*MakeClassifierTrainer(GetParam()))->Fit(songs, rows, settings, 7, quiet);
  }
  std::string Bytes(const models::Classifier& model, const char* name) const {
    EXPECT_TRUE(model.Save(folder_ / name).ok());
    std::ifstream in(folder_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  std::filesystem::path folder_;
};

TEST_P(EveryClassifier, FindsTheCheckerboardAmongFeaturesThatSayNothing) {
  const SongTable songs = Checkerboard(3000, 1);
  const auto model = Fit(songs, Rows(0, 2000), Quick());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ((*model)->features(), songs.features);
  EXPECT_GT(Accuracy(**model, songs, Rows(2000, 3000)), 0.85);
}

TEST_P(EveryClassifier, TellsSeveralClassesApart) {
  const SongTable songs = Checkerboard(1500, 2, 4);
  const auto model = Fit(songs, Rows(0, 1000), Quick());
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_GT(Accuracy(**model, songs, Rows(1000, 1500)), 0.8);
}

TEST_P(EveryClassifier, GivesTheSameBytesForAnyNumberOfThreads) {
  const SongTable songs = Checkerboard(600, 3);
  Settings one = Quick(), many = Quick();
  one.threads = 1;
  many.threads = 0;
  EXPECT_EQ(Bytes(**Fit(songs, Rows(0, 600), one), "one"), Bytes(**Fit(songs, Rows(0, 600), many), "many"));
}

TEST_P(EveryClassifier, ComesBackFromItsFileAsItWas) {
  const SongTable songs = Checkerboard(500, 4);
  const auto model = Fit(songs, Rows(0, 400), Quick());
  ASSERT_TRUE((*model)->Save(folder_ / "model").ok());
  const auto loaded = models::LoadClassifier(folder_ / "model");
  ASSERT_TRUE(loaded.ok()) << loaded.error().message;
  EXPECT_EQ((*loaded)->algorithm(), GetParam());
  const auto rows = GatherFeatures(songs, Rows(400, 500));
  std::vector<float> before(200), after(200);
  (*model)->Predict(rows, before);
  (*loaded)->Predict(rows, after);
  EXPECT_EQ(before, after);
}

TEST_P(EveryClassifier, RefusesOneClassAloneAndSaysSo) {
  SongTable songs = Checkerboard(50, 5);
  std::fill(songs.label.begin(), songs.label.end(), 1);
  const auto model = Fit(songs, Rows(0, 50), Quick());
  ASSERT_FALSE(model.ok());
  EXPECT_NE(model.error().message.find("all 50 songs to learn from are 'b'"), std::string::npos) << model.error().message;
}

TEST_P(EveryClassifier, RefusesNoRowsAndFeaturesThatNeverVary) {
  SongTable songs = Checkerboard(50, 6);
  EXPECT_EQ(Fit(songs, {}, Quick()).error().code, ErrorCode::kInvalid);
  std::fill(songs.values.begin(), songs.values.end(), 1.0);
  // Trees then know the classes' shares; the others have nothing to hold on to.
  const auto model = Fit(songs, Rows(0, 50), Quick());
  if (!model.ok()) {
    EXPECT_EQ(model.error().code, ErrorCode::kInvalid);
  } else {
    Accuracy(**model, songs, Rows(0, 50));
  }
}

TEST_P(EveryClassifier, LearnsFromTenSongs) {
  const SongTable songs = Checkerboard(10, 8);
  const auto model = Fit(songs, Rows(0, 10), Quick());
  ASSERT_TRUE(model.ok()) << model.error().message;
  Accuracy(**model, songs, Rows(0, 10));  // probabilities are probabilities
}

TEST_P(EveryClassifier, ADamagedFileIsRefused) {
  const SongTable songs = Checkerboard(100, 9);
  const std::string bytes = Bytes(**Fit(songs, Rows(0, 100), Quick()), "whole");
  for (const size_t at : {size_t{70}, bytes.size() / 2, bytes.size() - 1}) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 1);
    std::ofstream(folder_ / "damaged", std::ios::binary) << damaged;
    EXPECT_FALSE(models::LoadClassifier(folder_ / "damaged").ok()) << at;
  }
  std::ofstream(folder_ / "damaged", std::ios::binary) << bytes.substr(0, bytes.size() / 2);
  EXPECT_FALSE(models::LoadClassifier(folder_ / "damaged").ok());
}

std::vector<std::string> Names() {
  std::vector<std::string> names;
  for (const std::string_view name : KnownClassifiers()) names.emplace_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(, EveryClassifier, testing::ValuesIn(Names()), [](const auto& param) { return param.param; });

TEST(Classifiers, AnUnknownNameIsToldTheKnownOnes) {
  const auto trainer = MakeClassifierTrainer("forrest");
  ASSERT_FALSE(trainer.ok());
  EXPECT_NE(trainer.error().message.find("gradient_boosting, knn, logistic, mlp, ensemble"), std::string::npos);
}

TEST(Classifiers, TheSettingsOfOneAreItsOwnAndAnEnsemblesAreEverybodys) {
  Settings other;
  other.boosting.trees += 1;
  other.algorithms = "popularity";
  EXPECT_NE(SettingsOfClassifier("gradient_boosting", other), SettingsOfClassifier("gradient_boosting", {}));
  EXPECT_NE(SettingsOfClassifier("ensemble", other), SettingsOfClassifier("ensemble", {}));
  EXPECT_EQ(SettingsOfClassifier("extra_trees", other), SettingsOfClassifier("extra_trees", {}));
  other.seed += 1;
  EXPECT_NE(SettingsOfClassifier("extra_trees", other), SettingsOfClassifier("extra_trees", {}));
}

TEST(SongFolds, AnArtistsSongsStayTogetherAndFoldsAreAboutEven) {
  const SongTable songs = Checkerboard(400, 10);
  const auto fold_of = SongFolds(songs, Rows(0, 400), 5, FoldsBy::kArtist, 1);
  std::vector<size_t> size(5, 0);
  for (size_t i = 0; i < 400; ++i) {
    EXPECT_EQ(fold_of[i], fold_of[i / 4 * 4]);
    ++size[fold_of[i]];
  }
  for (const size_t n : size) EXPECT_EQ(n, 80u);
}

TEST(Calibration, IsotonicPoolsWhatDoesNotAscend) {
  // Means 0, (1 + 0)/2, 1 in order of the score; ends drawn inward by half a song.
  const auto curve = FitIsotonic(std::vector<float>{0.1f, 0.2f, 0.4f, 0.9f, 0.1f}, std::vector<uint8_t>{0, 1, 0, 1, 0});
  ASSERT_EQ(curve.x.size(), 3u);
  EXPECT_FLOAT_EQ(curve.y[0], 0.25f);
  EXPECT_FLOAT_EQ(curve.y[1], 0.5f);
  EXPECT_FLOAT_EQ(curve.x[1], 0.3f);
  EXPECT_FLOAT_EQ(curve.y[2], 0.5f);
}

TEST(Calibration, PlattFindsHowMuchTooSureTheScoresAre) {
  // Log odds that are twice what they should be: a = 1/2, b = 0.
  Random random(11);
  std::vector<float> score;
  std::vector<uint8_t> positive;
  for (int i = 0; i < 40'000; ++i) {
    const double odds = random.Normal();
    positive.push_back(random.Uniform() < 1 / (1 + std::exp(-odds)) ? 1 : 0);
    score.push_back(static_cast<float>(1 / (1 + std::exp(-2 * odds))));
  }
  const auto curve = FitPlatt(score, positive);
  EXPECT_NEAR(curve.a, 0.5, 0.02);
  EXPECT_NEAR(curve.b, 0, 0.02);
}

TEST(Calibration, AnyScoresGiveACurveAlsoOnesThatAreAllAlike) {
  const auto curve = FitPlatt(std::vector<float>(8, 0.5f), std::vector<uint8_t>{1, 1, 1, 1, 1, 1, 0, 0});
  EXPECT_NEAR(curve.At(models::Calibration::kPlatt, 0.5f), 0.72, 0.05);
  EXPECT_EQ(FitIsotonic(std::vector<float>(8, 0.5f), std::vector<uint8_t>(8, 1)).x.size(), 1u);
}

TEST(Calibration, AKeptModelBringsItsCurveAndItsTrainedRangesBack) {
  const SongTable songs = Checkerboard(300, 14);
  NoInstruments quiet;
  const auto file = std::filesystem::temp_directory_path() / ("segue_calibrated" + std::to_string(::getpid()));
  for (const auto method : {models::Calibration::kNone, models::Calibration::kPlatt, models::Calibration::kIsotonic}) {
    const auto kept = FitCalibrated(**MakeClassifierTrainer("logistic"), songs, Rows(0, 300), method, 3, FoldsBy::kSong, Quick(), 1, quiet);
    ASSERT_TRUE(kept.ok()) << kept.error().message;
    ASSERT_TRUE((*kept)->Save(file).ok());
    const auto loaded = models::LoadClassifier(file);
    ASSERT_TRUE(loaded.ok()) << loaded.error().message;
    const auto& back = dynamic_cast<const models::CalibratedClassifier&>(**loaded);
    EXPECT_EQ(back.method(), method);
    EXPECT_EQ(back.ranges()[0].least, (*kept)->ranges()[0].least);
    EXPECT_EQ(back.ranges()[3].median, 3);
    const auto rows = GatherFeatures(songs, Rows(0, 300));
    std::vector<float> before(600), after(600);
    (*kept)->Predict(rows, before);
    back.Predict(rows, after);
    EXPECT_EQ(before, after);
  }
  std::filesystem::remove(file);
}

TEST(Search, TheSameSeedAndTrialsFindTheSame) {
  const SongTable songs = Checkerboard(200, 12);
  NoInstruments quiet;
  const auto trainer = *MakeClassifierTrainer("logistic");
  const auto search = [&] {
    return *SearchSettings(*trainer, songs, Rows(0, 200), Settings{}, {.trials = 8}, 2, FoldsBy::kSong, 3, [] { return 0.0; }, quiet);
  };
  const auto a = search(), b = search();
  EXPECT_EQ(a.trials.size(), 8u);
  EXPECT_TRUE(a.trials[0].settings.empty());
  EXPECT_EQ(a.best, b.best);
  EXPECT_EQ(a.trials[a.best].settings, b.trials[b.best].settings);
  for (const Trial& trial : a.trials) EXPECT_LE(trial.auc, a.trials[a.best].auc);
}

TEST(Search, AnEnsembleIsSearchedInTheSettingsOfItsMembers) {
  Settings settings;
  settings.ensemble.members = "logistic,knn(neighbours=5),extra_trees";
  const auto ranges = SearchRanges("ensemble", settings);
  EXPECT_EQ(ranges.size(), SearchRanges("logistic", settings).size() + SearchRanges("knn", settings).size() + SearchRanges("extra_trees", settings).size());
  for (const auto algorithm : {"random_forest", "extra_trees", "gradient_boosting", "mlp"}) {
    for (const SearchRange& range : SearchRanges(algorithm, settings)) {
      Settings with;
      if (!range.choices.empty()) continue;
      for (const double value : {range.least, range.most}) {
        const std::string text = range.whole ? std::to_string(static_cast<int64_t>(value)) : std::to_string(value);
        EXPECT_TRUE(Set(with, range.setting, text).ok()) << range.setting;
      }
    }
  }
}

TEST(Search, ABudgetOfSecondsEndsItAfterTheTrialAtHand) {
  const SongTable songs = Checkerboard(100, 13);
  NoInstruments quiet;
  double clock = 0;
  const auto found = SearchSettings(**MakeClassifierTrainer("logistic"), songs, Rows(0, 100), Settings{}, {.trials = 100, .seconds = 25}, 2,
                                    FoldsBy::kSong, 3, [&] { return clock += 5; }, quiet);
  EXPECT_LT(found->trials.size(), 6u);
  EXPECT_GE(found->trials.size(), 1u);
}

}  // namespace
}  // namespace segue::train
