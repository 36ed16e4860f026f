#include "models/forest_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "models/classifier_file.h"

namespace segue::models {
namespace {

struct Header {
  uint64_t trees;
  uint64_t nodes;
  uint64_t leaves;
  uint64_t shares;
};
static_assert(sizeof(Header) == 32, "no padding: the bytes are the same everywhere");

}  // namespace

std::unique_ptr<ForestClassifier> ForestClassifier::Make(Parts parts) {
  auto model = std::unique_ptr<ForestClassifier>(new ForestClassifier(std::move(parts.features), std::move(parts.labels)));
  model->random_cuts_ = parts.random_cuts;
  model->binner_ = std::move(parts.binner);
  model->own_ = std::move(parts.forest);
  model->own_importance_ = std::move(parts.importance);
  model->trees_ = model->own_.trees;
  model->leaves_ = model->own_.leaves();
  model->importance_ = model->own_importance_;
  SEGUE_CHECK(model->importance_.size() == model->features().size() && model->trees_.size() > 0);
  return model;
}

Result<std::unique_ptr<Classifier>> ForestClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(ClassifierNames names, ReadClassifierNames(*file));
  SEGUE_TRY(const std::string_view algorithm, file->Section("algorithm"));
  SEGUE_TRY(const auto header, file->Array<Header>("forest", 1));
  const Header& h = header[0];
  constexpr uint64_t kMost = math::BinnedNode::kLeaf;
  if (h.trees == 0 || h.trees > h.nodes || h.nodes > kMost || h.leaves > kMost || h.shares > UINT32_MAX) {
    return DamagedClassifier(*file, "it says " + std::to_string(h.trees) + " trees of " + std::to_string(h.nodes) + " nodes");
  }
  auto model = std::unique_ptr<ForestClassifier>(new ForestClassifier(std::move(names.features), std::move(names.labels)));
  model->random_cuts_ = algorithm == kExtraTrees;
  SEGUE_TRY(model->binner_, RowBinner::Open(*file, model->features().size()));
  SEGUE_TRY(model->trees_.roots, file->Array<uint32_t>("tree_roots", h.trees));
  SEGUE_TRY(model->trees_.nodes, file->Array<math::BinnedNode>("tree_nodes", h.nodes));
  SEGUE_TRY(model->leaves_.begin, file->Array<uint32_t>("leaf_begin", h.leaves + 1));
  SEGUE_TRY(model->leaves_.label, file->Array<uint16_t>("leaf_label", h.shares));
  SEGUE_TRY(model->leaves_.share, file->Array<float>("leaf_share", h.shares));
  SEGUE_TRY(model->importance_, file->Array<float>("importance", model->features().size()));
  if (!model->trees_.Sound(model->binner_.width(), h.leaves) || !model->leaves_.Sound(model->labels().size())) {
    return DamagedClassifier(*file, "its trees point nowhere");
  }
  if (!std::all_of(model->importance_.begin(), model->importance_.end(), [](float share) { return share >= 0 && share <= 1; })) {
    return DamagedClassifier(*file, "its features' importance cannot be");
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Classifier>(std::move(model));
}

void ForestClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  SEGUE_CHECK(out.size() == rows.size() / features().size() * labels().size());
  math::PredictForest(trees_, leaves_, binner_.Bin(rows), binner_.width(), labels().size(), out);
}

Status ForestClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  const Header header{trees_.size(), trees_.nodes.size(), leaves_.leaves(), leaves_.label.size()};
  writer.AddArray<Header>("forest", {&header, 1});
  binner_.AddTo(writer);
  writer.AddArray<uint32_t>("tree_roots", trees_.roots);
  writer.AddArray<math::BinnedNode>("tree_nodes", trees_.nodes);
  writer.AddArray<uint32_t>("leaf_begin", leaves_.begin);
  writer.AddArray<uint16_t>("leaf_label", leaves_.label);
  writer.AddArray<float>("leaf_share", leaves_.share);
  writer.AddArray<float>("importance", importance_);
  return writer.Write(file);
}

}  // namespace segue::models
