#pragma once

#include <memory>
#include <span>
#include <vector>

#include "models/classifier.h"
#include "models/feature_ranges.h"

namespace segue::models {

enum class Calibration : uint32_t { kNone, kPlatt, kIsotonic };
/// "none", "platt", "isotonic"; anything else is none.
Calibration ParseCalibration(std::string_view name);

/// What a class's probability p becomes.
///   kPlatt     1 / (1 + exp(-(a·logit(p) + b)))     Platt, "Probabilistic Outputs for
///              Support Vector Machines", 1999, on the log odds instead of a margin
///   kIsotonic  linear between (x_i, y_i), which ascend; the outermost beyond.
///              Zadrozny, Elkan, KDD 2002
/// train/calibration.h fits them.
struct CalibrationCurve {
  float a = 1, b = 0;
  std::vector<float> x, y;

  float At(Calibration method, float p) const;
};

/// Another classifier with its probabilities put right, and with what its
/// training features looked like: what `segue hits --save` keeps. With two
/// classes the curve of the second is used, with more each class has its own and
/// the results are scaled to sum 1.
class CalibratedClassifier final : public Classifier {
 public:
  static constexpr std::string_view kAlgorithm = "calibrated";

  struct Parts {
    std::unique_ptr<Classifier> inner;
    Calibration method = Calibration::kNone;
    std::vector<CalibrationCurve> curves;  ///< kNone: none; two classes: one; else [labels]
    FeatureRanges ranges;
  };
  static std::unique_ptr<CalibratedClassifier> Make(Parts parts);
  static Result<std::unique_ptr<Classifier>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  void Predict(std::span<const float> rows, std::span<float> out) const override;
  Status Save(const std::filesystem::path& file) const override;

  const Classifier& inner() const { return *parts_.inner; }
  Calibration method() const { return parts_.method; }
  const FeatureRanges& ranges() const { return parts_.ranges; }

 private:
  explicit CalibratedClassifier(Parts parts)
      : Classifier(parts.inner->features(), parts.inner->labels()), parts_(std::move(parts)) {}
  Parts parts_;
};

/// Applies the curves to probabilities [n x labels] in place.
void Calibrate(Calibration method, std::span<const CalibrationCurve> curves, size_t labels, std::span<float> probabilities);

}  // namespace segue::models
