#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "core/songs.h"
#include "evaluate/classification.h"
#include "evaluate/classification_tests.h"
#include "evaluate/song_split.h"
#include "models/calibrated_classifier.h"
#include "train/classifier_search.h"

// What the files of `segue hits` share: hits_data.cc reads, hits_verb.cc fits
// and judges, hits_report.cc prints, hits_page.cc draws, hits_predict.cc
// predicts from a saved model.

namespace segue::cli {

/// The songs as the flags want them: labelled by --by, grouped, with decade.
struct HitsData {
  SongTable songs;
  std::vector<std::string> notes;   ///< what was left out, for people
};
Result<HitsData> ReadHitsData(const HitsFlags& flags);

/// With one more feature, values [rows].
SongTable WithFeature(const SongTable& songs, const std::string& name, const std::vector<double>& values);

/// The decade of each song as a number, NaN where it is not known.
std::vector<double> DecadesOf(const SongTable& songs);

/// A leak, said so wherever it is used: each song's artist's share of hits among
/// the training songs, the song itself not counted; NaN where there are no others.
std::vector<double> ArtistHitRate(const SongTable& songs, std::span<const uint32_t> train);

/// The group of a genre ("deep-house": "electronic"), "other" where no group has it.
std::string GenreGroup(std::string_view genre);

struct LearningPoint {
  uint64_t songs = 0;
  double accuracy = 0, auc = 0;
};

/// One model on one split.
struct Outcome {
  std::string name;                       ///< as asked for: "mlp(networks=4)"
  std::unique_ptr<models::CalibratedClassifier> model;
  std::optional<train::SearchResult> search;
  std::vector<float> p;                   ///< [test x labels]
  evaluate::ConfusionMatrix confusion;
  evaluate::ClassificationReport report;
  evaluate::FigureIntervals intervals;
  double auc = 0, average_precision = 0, log_loss = 0, brier = 0, top3 = 0;
  std::vector<evaluate::ReliabilityBin> reliability;
  double calibration_error = 0;
  double accuracy_unknown = 0;            ///< of the test songs that do not stand in train; NaN where there are none
  double auc_unknown = 0;
  double fit_seconds = 0, predict_seconds = 0;
  std::vector<evaluate::FeatureImportance> importance;
  std::vector<LearningPoint> learning;
};

/// One split with what each model made of it.
struct SplitOutcome {
  evaluate::SongSplit split;
  size_t train = 0, test = 0, known = 0;  ///< known: test songs that stand in train too
  std::vector<int32_t> label;             ///< [test]
  std::vector<Outcome> models;
};

struct HitsResult {
  HitsFlags flags;
  std::vector<std::string> features, labels;
  size_t songs = 0;
  std::vector<SplitOutcome> splits;       ///< one a seed
};

std::string HitsText(const HitsResult& result);
std::string HitsJson(const HitsResult& result);
Status WriteHitsPage(const HitsResult& result, const std::string& file);

int PredictHits(const Common& common, const HitsFlags& flags);

}  // namespace segue::cli
