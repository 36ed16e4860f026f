#include "models/knn_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "models/classifier_file.h"

namespace segue::models {
namespace {

constexpr float kPriorWeight = 1;

struct Header {
  uint64_t rows;
  uint32_t neighbours;
  float power;
};
static_assert(sizeof(Header) == 16, "no padding: the bytes are the same everywhere");

}  // namespace

std::vector<float> ClassShares(std::span<const int32_t> label, size_t classes) {
  std::vector<float> shares(classes, 0.0f);
  for (const int32_t c : label) shares[static_cast<size_t>(c)] += 1;
  for (float& share : shares) share /= static_cast<float>(std::max<size_t>(1, label.size()));
  return shares;
}

void Vote(std::span<const math::NearRow> near, std::span<const int32_t> label, std::span<const float> prior, float power,
          std::span<float> out) {
  const float h = std::sqrt(near.back().square);
  for (size_t c = 0; c < prior.size(); ++c) out[c] = kPriorWeight * prior[c];
  float sum = kPriorWeight;
  for (const math::NearRow& row : near) {
    const float d = std::max(std::sqrt(row.square), h / 1000);
    const float weight = h > 0 ? std::pow(h / d, power) : 1;
    out[static_cast<size_t>(label[row.row])] += weight;
    sum += weight;
  }
  for (size_t c = 0; c < prior.size(); ++c) out[c] /= sum;
}

std::unique_ptr<KnnClassifier> KnnClassifier::Make(Parts parts) {
  const size_t n = parts.label.size();
  SEGUE_CHECK(parts.rows.size() == n * parts.design.stride() && parts.neighbours > 0 && parts.neighbours <= n);
  auto model = std::unique_ptr<KnnClassifier>(new KnnClassifier(std::move(parts.features), std::move(parts.labels)));
  model->design_ = std::move(parts.design);
  model->own_rows_ = std::move(parts.rows);
  model->own_label_ = std::move(parts.label);
  model->rows_ = model->own_rows_;
  model->label_ = model->own_label_;
  model->prior_ = ClassShares(model->label_, model->labels().size());
  model->neighbours_ = parts.neighbours;
  model->power_ = parts.power;
  return model;
}

Result<std::unique_ptr<Classifier>> KnnClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(ClassifierNames names, ReadClassifierNames(*file));
  SEGUE_TRY(const auto header, file->Array<Header>("knn", 1));
  const Header& h = header[0];
  if (h.rows == 0 || h.rows > UINT32_MAX || h.neighbours == 0 || h.neighbours > h.rows || !(h.power >= 0) || !std::isfinite(h.power)) {
    return DamagedClassifier(*file, "its neighbours cannot be");
  }
  auto model = std::unique_ptr<KnnClassifier>(new KnnClassifier(std::move(names.features), std::move(names.labels)));
  SEGUE_TRY(model->design_, Design::Open(*file, "design", model->features().size()));
  SEGUE_TRY(model->rows_, file->Array<float>("rows", h.rows * model->design_.stride()));
  SEGUE_TRY(model->label_, file->Array<int32_t>("label", h.rows));
  const auto classes = static_cast<int32_t>(model->labels().size());
  if (!std::all_of(model->label_.begin(), model->label_.end(), [&](int32_t c) { return c >= 0 && c < classes; }) ||
      !std::all_of(model->rows_.begin(), model->rows_.end(), [](float v) { return std::isfinite(v); })) {
    return DamagedClassifier(*file, "its rows cannot be");
  }
  model->prior_ = ClassShares(model->label_, model->labels().size());
  model->neighbours_ = h.neighbours;
  model->power_ = h.power;
  model->file_ = std::move(file);
  return std::unique_ptr<Classifier>(std::move(model));
}

void KnnClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  const size_t n = rows.size() / features().size(), classes = labels().size();
  SEGUE_CHECK(out.size() == n * classes);
  std::vector<float> x(n * design_.stride());
  design_.Apply(rows, x);
  std::vector<math::NearRow> near(n * neighbours_);
  math::NearestRows(rows_.data(), label_.size(), x.data(), n, design_.stride(), neighbours_, near);
  for (size_t r = 0; r < n; ++r) {
    Vote({near.data() + r * neighbours_, neighbours_}, label_, prior_, power_, out.subspan(r * classes, classes));
  }
}

Status KnnClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  const Header header{label_.size(), neighbours_, power_};
  writer.AddArray<Header>("knn", {&header, 1});
  design_.AddTo(writer, "design");
  writer.AddArray<float>("rows", rows_);
  writer.AddArray<int32_t>("label", label_);
  return writer.Write(file);
}

}  // namespace segue::models
