#include "models/logistic_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/parallel.h"
#include "models/classifier_file.h"
#include "models/softmax.h"

namespace segue::models {
namespace {

constexpr size_t kRows = 256;  ///< that are predicted together

}  // namespace

std::unique_ptr<LogisticClassifier> LogisticClassifier::Make(Parts parts) {
  const size_t classes = math::PaddedTo(parts.labels.size());
  SEGUE_CHECK(parts.weights.size() == parts.design.stride() * classes && parts.bias.size() == classes);
  return std::unique_ptr<LogisticClassifier>(new LogisticClassifier(std::move(parts)));
}

Result<std::unique_ptr<Classifier>> LogisticClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(ClassifierNames names, ReadClassifierNames(*file));
  Parts parts{std::move(names.features), std::move(names.labels), {}, {}, {}};
  SEGUE_TRY(parts.design, Design::Open(*file, "design", parts.features.size()));
  const size_t classes = math::PaddedTo(parts.labels.size());
  SEGUE_TRY(const auto weights, file->Array<float>("weights", parts.design.stride() * classes));
  SEGUE_TRY(const auto bias, file->Array<float>("bias", classes));
  const auto finite = [](float v) { return std::isfinite(v); };
  if (!std::all_of(weights.begin(), weights.end(), finite) || !std::all_of(bias.begin(), bias.end(), finite)) {
    return DamagedClassifier(*file, "a weight is not a number");
  }
  parts.weights.assign(weights.begin(), weights.end());
  parts.bias.assign(bias.begin(), bias.end());
  return std::unique_ptr<Classifier>(Make(std::move(parts)));
}

void LogisticClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  const size_t f = features().size(), classes = labels().size(), padded = math::PaddedTo(classes);
  const size_t n = rows.size() / f, stride = parts_.design.stride();
  SEGUE_CHECK(out.size() == n * classes);
  math::ParallelRanges(n, kRows, [&](size_t first, size_t last) {
    std::vector<float> z((last - first) * stride), sums((last - first) * padded);
    parts_.design.Apply(rows.subspan(first * f, (last - first) * f), z);
    math::BestKernels().products(z.data(), last - first, stride, parts_.weights.data(), padded, sums.data());
    for (size_t r = first; r < last; ++r) {
      float* to = out.data() + r * classes;
      for (size_t c = 0; c < classes; ++c) to[c] = sums[(r - first) * padded + c] + parts_.bias[c];
      Softmax(to, classes);
    }
  });
}

Status LogisticClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  parts_.design.AddTo(writer, "design");
  writer.AddArray<float>("weights", parts_.weights);
  writer.AddArray<float>("bias", parts_.bias);
  return writer.Write(file);
}

}  // namespace segue::models
