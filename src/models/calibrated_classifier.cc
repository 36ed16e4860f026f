#include "models/calibrated_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "models/classifier_file.h"

namespace segue::models {
namespace {

constexpr float kSurest = 1e-6f;

size_t CurvesOf(Calibration method, size_t labels) { return method == Calibration::kNone ? 0 : labels == 2 ? 1 : labels; }

bool Possible(Calibration method, const CalibrationCurve& curve) {
  const auto probability = [](float v) { return v >= 0 && v <= 1; };
  if (!std::isfinite(curve.a) || !std::isfinite(curve.b) || curve.x.size() != curve.y.size()) return false;
  if (method == Calibration::kIsotonic && curve.x.empty()) return false;
  return std::all_of(curve.x.begin(), curve.x.end(), probability) && std::all_of(curve.y.begin(), curve.y.end(), probability) &&
         std::adjacent_find(curve.x.begin(), curve.x.end(), std::greater_equal<>()) == curve.x.end() &&
         std::is_sorted(curve.y.begin(), curve.y.end());
}

struct Header {
  uint32_t method;
  uint32_t curves;
};

}  // namespace

Calibration ParseCalibration(std::string_view name) {
  return name == "isotonic" ? Calibration::kIsotonic : name == "platt" ? Calibration::kPlatt : Calibration::kNone;
}

float CalibrationCurve::At(Calibration method, float p) const {
  if (method == Calibration::kNone) return p;
  if (method == Calibration::kPlatt) {
    const float q = std::clamp(p, kSurest, 1 - kSurest);
    return 1 / (1 + std::exp(-(a * std::log(q / (1 - q)) + b)));
  }
  const auto above = static_cast<size_t>(std::lower_bound(x.begin(), x.end(), p) - x.begin());
  if (above == x.size()) return y.back();
  if (above == 0) return y.front();
  return y[above - 1] + (p - x[above - 1]) / (x[above] - x[above - 1]) * (y[above] - y[above - 1]);
}

void Calibrate(Calibration method, std::span<const CalibrationCurve> curves, size_t labels, std::span<float> probabilities) {
  if (method == Calibration::kNone) return;
  for (size_t r = 0; r + labels <= probabilities.size(); r += labels) {
    float* p = probabilities.data() + r;
    if (labels == 2) {
      p[1] = curves[0].At(method, p[1]);
      p[0] = 1 - p[1];
      continue;
    }
    float sum = 0;
    for (size_t c = 0; c < labels; ++c) sum += p[c] = std::max(curves[c].At(method, p[c]), kSurest);
    for (size_t c = 0; c < labels; ++c) p[c] /= sum;
  }
}

std::unique_ptr<CalibratedClassifier> CalibratedClassifier::Make(Parts parts) {
  SEGUE_CHECK(parts.inner != nullptr && parts.curves.size() == CurvesOf(parts.method, parts.inner->labels().size()));
  SEGUE_CHECK(parts.ranges.size() == parts.inner->features().size());
  for (const CalibrationCurve& curve : parts.curves) SEGUE_CHECK(Possible(parts.method, curve));
  return std::unique_ptr<CalibratedClassifier>(new CalibratedClassifier(std::move(parts)));
}

Result<std::unique_ptr<Classifier>> CalibratedClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(const ClassifierNames names, ReadClassifierNames(*file));
  Parts parts;
  SEGUE_TRY(auto inside, ModelFile::Inside(file, "inner"));
  SEGUE_TRY(const std::string_view algorithm, inside->Section("algorithm"));
  // Else a file could nest without end.
  if (algorithm == kAlgorithm) return DamagedClassifier(*file, "it corrects what is corrected already");
  SEGUE_TRY(parts.inner, OpenClassifier(std::move(inside)));
  if (parts.inner->features() != names.features || parts.inner->labels() != names.labels) {
    return DamagedClassifier(*file, "what it corrects knows other features or labels");
  }
  SEGUE_TRY(const auto header, file->Array<Header>("calibration", 1));
  parts.method = static_cast<Calibration>(header[0].method);
  if (header[0].method > 2 || header[0].curves != CurvesOf(parts.method, names.labels.size())) {
    return DamagedClassifier(*file, "its calibration cannot be");
  }
  for (size_t c = 0; c < header[0].curves; ++c) {
    const std::string name = "curve_" + std::to_string(c);
    SEGUE_TRY(const std::string_view bytes, file->Section(name));
    const size_t floats = bytes.size() / sizeof(float);
    SEGUE_TRY(const auto curve, file->Array<float>(name, floats));
    if (floats < 2 || floats % 2 != 0) return DamagedClassifier(*file, "a calibration curve is cut short");
    const size_t knots = floats / 2 - 1;
    CalibrationCurve one{curve[0], curve[1], {}, {}};
    one.x.assign(curve.begin() + 2, curve.begin() + 2 + static_cast<std::ptrdiff_t>(knots));
    one.y.assign(curve.begin() + 2 + static_cast<std::ptrdiff_t>(knots), curve.end());
    if (!Possible(parts.method, one)) return DamagedClassifier(*file, "a calibration curve does not ascend");
    parts.curves.push_back(std::move(one));
  }
  SEGUE_TRY(const auto ranges, file->Array<FeatureRange>("ranges", names.features.size()));
  parts.ranges.assign(ranges.begin(), ranges.end());
  return std::unique_ptr<Classifier>(Make(std::move(parts)));
}

void CalibratedClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  parts_.inner->Predict(rows, out);
  Calibrate(parts_.method, parts_.curves, labels().size(), out);
}

Status CalibratedClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  const Header header{static_cast<uint32_t>(parts_.method), static_cast<uint32_t>(parts_.curves.size())};
  writer.AddArray<Header>("calibration", {&header, 1});
  for (size_t c = 0; c < parts_.curves.size(); ++c) {
    const CalibrationCurve& curve = parts_.curves[c];
    std::vector<float> all = {curve.a, curve.b};
    all.insert(all.end(), curve.x.begin(), curve.x.end());
    all.insert(all.end(), curve.y.begin(), curve.y.end());
    writer.AddArray<float>("curve_" + std::to_string(c), all);
  }
  writer.AddArray<FeatureRange>("ranges", parts_.ranges);
  SEGUE_RETURN_IF_ERROR(AddInside(writer, "inner", *parts_.inner, file));
  return writer.Write(file);
}

}  // namespace segue::models
