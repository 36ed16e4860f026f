#pragma once

#include <memory>
#include <span>

#include "models/calibrated_classifier.h"
#include "train/classifier_trainer.h"
#include "train/song_folds.h"

namespace segue::train {

/// Isotonic regression: the ascending y with the least Σ (y_i - t_i)² over the
/// scores in order, by pooling adjacent violators; a knot a pool, at its mean
/// score. Ayer et al., Ann. Math. Stat. 1955; Zadrozny, Elkan, KDD 2002. Equal
/// scores are one. Pools of one kind only are drawn a little from 0 and 1 (half
/// a song of the other kind added), so that nothing is ever impossible.
///   score, positive  [n], n > 0
models::CalibrationCurve FitIsotonic(std::span<const float> score, std::span<const uint8_t> positive);

/// Platt's a and b: logistic regression on the log odds of the score, with his
/// targets (n₊ + 1)/(n₊ + 2) and 1/(n₋ + 2), by Newton's method. Platt 1999;
/// Lin, Lin, Weng, "A Note on Platt's Probabilistic Outputs", 2007.
models::CalibrationCurve FitPlatt(std::span<const float> score, std::span<const uint8_t> positive);

/// The trainer's model fitted on all `rows`, with curves from out-of-fold
/// predictions of the same rows and the features' trained ranges: ready to be
/// saved. kNone: no folds, no curves. Errors of Fit.
Result<std::unique_ptr<models::CalibratedClassifier>> FitCalibrated(const ClassifierTrainer& trainer, const SongTable& songs,
                                                                    std::span<const uint32_t> rows, models::Calibration method,
                                                                    size_t folds, FoldsBy by, const Settings& settings, uint64_t seed,
                                                                    Instruments& instruments);

}  // namespace segue::train
