#include "models/mlp_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/parallel.h"
#include "models/classifier_file.h"
#include "models/softmax.h"

namespace segue::models {
namespace {

constexpr size_t kRows = 256;  ///< that are predicted together
constexpr uint32_t kWidest = 1 << 16;

bool Possible(const MlpShape& shape, const Design& design, size_t classes) {
  for (const uint32_t width : shape.hidden) {
    if (width == 0 || width > kWidest || width % math::kLane != 0) return false;
  }
  return shape.inputs == design.stride() && shape.classes == classes;
}

}  // namespace

void DenseLayer(const float* x, size_t n, size_t inputs, const float* weights, const float* bias, size_t outputs, bool relu,
                float* out) {
  math::BestKernels().products(x, n, inputs, weights, outputs, out);
  for (size_t r = 0; r < n; ++r) {
    float* to = out + r * outputs;
    if (relu) {
      for (size_t c = 0; c < outputs; ++c) to[c] = std::max(0.0f, to[c] + bias[c]);
    } else {
      for (size_t c = 0; c < outputs; ++c) to[c] += bias[c];
    }
  }
}

std::unique_ptr<MlpClassifier> MlpClassifier::Make(Parts parts) {
  SEGUE_CHECK(Possible(parts.shape, parts.design, parts.labels.size()));
  SEGUE_CHECK(!parts.weights.empty() && parts.weights.size() % parts.shape.size() == 0);
  return std::unique_ptr<MlpClassifier>(new MlpClassifier(std::move(parts)));
}

Result<std::unique_ptr<Classifier>> MlpClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(ClassifierNames names, ReadClassifierNames(*file));
  Parts parts{std::move(names.features), std::move(names.labels), {}, {}, {}};
  SEGUE_TRY(parts.design, Design::Open(*file, "design", parts.features.size()));
  SEGUE_TRY(const auto shape, file->Array<MlpShape>("mlp", 1));
  parts.shape = shape[0];
  if (!Possible(parts.shape, parts.design, parts.labels.size())) return DamagedClassifier(*file, "its network cannot be");
  SEGUE_TRY(const std::string_view bytes, file->Section("weights"));
  const size_t networks = bytes.size() / sizeof(float) / parts.shape.size();
  SEGUE_TRY(const auto weights, file->Array<float>("weights", networks * parts.shape.size()));
  if (networks == 0 || !std::all_of(weights.begin(), weights.end(), [](float v) { return std::isfinite(v); })) {
    return DamagedClassifier(*file, "a weight is not a number");
  }
  parts.weights.assign(weights.begin(), weights.end());
  return std::unique_ptr<Classifier>(Make(std::move(parts)));
}

void MlpClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  const MlpShape& shape = parts_.shape;
  const size_t f = features().size(), classes = labels().size(), n = rows.size() / f;
  SEGUE_CHECK(out.size() == n * classes);
  math::ParallelRanges(n, kRows, [&](size_t first, size_t last) {
    const size_t count = last - first;
    std::vector<float> z(count * shape.inputs), one(count * shape.hidden[0]), two(count * shape.hidden[1]), top(count * shape.padded());
    parts_.design.Apply(rows.subspan(first * f, count * f), z);
    std::fill_n(out.data() + first * classes, count * classes, 0.0f);
    for (size_t k = 0; k < networks(); ++k) {
      const float* w = parts_.weights.data() + k * shape.size();
      DenseLayer(z.data(), count, shape.inputs, w + shape.w1(), w + shape.b1(), shape.hidden[0], true, one.data());
      DenseLayer(one.data(), count, shape.hidden[0], w + shape.w2(), w + shape.b2(), shape.hidden[1], true, two.data());
      DenseLayer(two.data(), count, shape.hidden[1], w + shape.w3(), w + shape.b3(), shape.padded(), false, top.data());
      for (size_t r = 0; r < count; ++r) {
        float* p = top.data() + r * shape.padded();
        Softmax(p, classes);
        for (size_t c = 0; c < classes; ++c) out[(first + r) * classes + c] += p[c] / static_cast<float>(networks());
      }
    }
  });
}

Status MlpClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  parts_.design.AddTo(writer, "design");
  writer.AddArray<MlpShape>("mlp", {&parts_.shape, 1});
  writer.AddArray<float>("weights", parts_.weights);
  return writer.Write(file);
}

}  // namespace segue::models
