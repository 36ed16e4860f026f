#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "math/bootstrap.h"

namespace segue::evaluate {

// How good predicted classes are. Throughout: label [n], the true class of each
// row; p [n x classes], predicted probabilities row by row; the predicted class
// is that of the largest probability, of equals the first. A ratio 0/0 is 0, as
// scikit-learn's zero_division=0 has it. NaN where a figure is not defined.

/// The predicted class of each row.
std::vector<int32_t> PredictedClasses(std::span<const float> p, size_t classes);

/// counts[t x classes + q]: rows of class t that were taken for q.
struct ConfusionMatrix {
  size_t classes = 0;
  std::vector<uint64_t> counts;
  uint64_t At(size_t is, size_t taken_for) const { return counts[is * classes + taken_for]; }
};
ConfusionMatrix Confusion(std::span<const int32_t> label, std::span<const int32_t> predicted, size_t classes);

struct ClassFigures {
  double precision = 0;   ///< tp / (tp + fp)
  double recall = 0;      ///< tp / (tp + fn)
  double f1 = 0;          ///< 2·tp / (2·tp + fp + fn)
  uint64_t support = 0;   ///< rows of the class
};

/// What a classification report has. Macro: the mean over classes that occur,
/// in truth or prediction; weighted: by support.
struct ClassificationReport {
  std::vector<ClassFigures> of_class;
  double accuracy = 0;
  double balanced_accuracy = 0;   ///< mean recall of the classes that occur
  ClassFigures macro;             ///< support: all rows
  ClassFigures weighted;
};
ClassificationReport Report(const ConfusionMatrix& confusion);

/// Area under the ROC curve (math/auc.h): of class 1 where there are two, else
/// the mean over classes that occur, each against the rest.
double RocAuc(std::span<const int32_t> label, std::span<const float> p, size_t classes);

/// Σ (R_k - R_{k-1})·P_k over the thresholds at distinct scores, from the
/// highest: average precision without interpolation. Of class 1; mean over
/// classes where there are more than two.
double AveragePrecisionOf(std::span<const int32_t> label, std::span<const float> p, size_t classes);

/// Mean of -ln p(label), p at least 1e-15.
double LogLoss(std::span<const int32_t> label, std::span<const float> p, size_t classes);

/// Brier, "Verification of forecasts", 1950: mean of Σ_c (p_c - 1(y = c))², halved
/// for two classes, where it is the usual (p_1 - y)².
double BrierScore(std::span<const int32_t> label, std::span<const float> p, size_t classes);

/// Share of rows whose class is among the k most probable (equals: the first).
double TopAccuracy(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t k);

struct CurvePoint {
  double x = 0, y = 0;
  double threshold = 0;
};
/// From (0, 0) to (1, 1): false positive rate, true positive rate, thresholds
/// falling. `positive`: the class. At most `most` points, evenly chosen, ends kept.
std::vector<CurvePoint> RocCurve(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t positive, size_t most);
/// Recall, precision; thresholds falling. The first point is at the highest threshold.
std::vector<CurvePoint> PrecisionRecallCurve(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t positive,
                                             size_t most);

/// Rows whose probability lies in one of equal intervals of [0, 1].
struct ReliabilityBin {
  double low = 0, high = 0;
  double predicted = 0;   ///< mean probability
  double observed = 0;    ///< share of rows that are so
  uint64_t rows = 0;
};
/// Two classes: the probability of class 1 against how often it is; more: the
/// probability of the predicted class against how often it is right. Empty bins
/// have rows = 0.
std::vector<ReliabilityBin> Reliability(std::span<const int32_t> label, std::span<const float> p, size_t classes, size_t bins = 10);
/// Σ rows/n · |predicted - observed|: expected calibration error. Naeini,
/// Cooper, Hauskrecht, AAAI 2015.
double CalibrationError(std::span<const ReliabilityBin> bins);

}  // namespace segue::evaluate
