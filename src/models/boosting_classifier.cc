#include "models/boosting_classifier.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "math/parallel.h"
#include "models/classifier_file.h"
#include "models/softmax.h"

namespace segue::models {
namespace {

constexpr size_t kBlock = 2048;  ///< rows that go through a tree before the next has its turn

struct Header {
  uint64_t trees;
  uint64_t nodes;
  uint64_t leaves;
};
static_assert(sizeof(Header) == 24, "no padding: the bytes are the same everywhere");

bool AllFinite(std::span<const float> values) {
  return std::all_of(values.begin(), values.end(), [](float v) { return std::isfinite(v); });
}

}  // namespace

std::unique_ptr<BoostingClassifier> BoostingClassifier::Make(Parts parts) {
  auto model = std::unique_ptr<BoostingClassifier>(new BoostingClassifier(std::move(parts.features), std::move(parts.labels)));
  model->binner_ = std::move(parts.binner);
  model->own_trees_ = std::move(parts.trees);
  model->own_value_ = std::move(parts.value);
  model->own_base_ = std::move(parts.base);
  model->own_importance_ = std::move(parts.importance);
  model->trees_ = model->own_trees_;
  model->value_ = model->own_value_;
  model->base_ = model->own_base_;
  model->importance_ = model->own_importance_;
  SEGUE_CHECK(model->base_.size() == model->outputs() && model->importance_.size() == model->features().size());
  return model;
}

Result<std::unique_ptr<Classifier>> BoostingClassifier::Open(std::shared_ptr<const ModelFile> file) {
  SEGUE_TRY(ClassifierNames names, ReadClassifierNames(*file));
  SEGUE_TRY(const auto header, file->Array<Header>("boosting", 1));
  const Header& h = header[0];
  constexpr uint64_t kMost = math::BinnedNode::kLeaf;
  if (h.trees > h.nodes || h.nodes > kMost || h.leaves > h.nodes) {
    return DamagedClassifier(*file, "it says " + std::to_string(h.trees) + " trees of " + std::to_string(h.nodes) + " nodes");
  }
  auto model = std::unique_ptr<BoostingClassifier>(new BoostingClassifier(std::move(names.features), std::move(names.labels)));
  SEGUE_TRY(model->binner_, RowBinner::Open(*file, model->features().size()));
  SEGUE_TRY(model->trees_.roots, file->Array<uint32_t>("tree_roots", h.trees));
  SEGUE_TRY(model->trees_.nodes, file->Array<math::BinnedNode>("tree_nodes", h.nodes));
  SEGUE_TRY(model->value_, file->Array<float>("tree_value", h.leaves));
  SEGUE_TRY(model->base_, file->Array<float>("base", model->outputs()));
  SEGUE_TRY(model->importance_, file->Array<float>("importance", model->features().size()));
  if (!model->trees_.Sound(model->binner_.width(), h.leaves)) return DamagedClassifier(*file, "its trees point nowhere");
  if (!AllFinite(model->value_) || !AllFinite(model->base_) || !AllFinite(model->importance_)) {
    return DamagedClassifier(*file, "its leaves have no meaning");
  }
  model->file_ = std::move(file);
  return std::unique_ptr<Classifier>(std::move(model));
}

void BoostingClassifier::Predict(std::span<const float> rows, std::span<float> out) const {
  const size_t n = rows.size() / features().size(), classes = labels().size(), wide = outputs();
  SEGUE_CHECK(out.size() == n * classes);
  const std::vector<uint8_t> bins = binner_.Bin(rows);
  const size_t width = binner_.width();
  math::ParallelRanges(n, kBlock, [&](size_t first, size_t last) {
    const size_t block = last - first;
    std::vector<float> sums(block * wide);
    for (size_t i = 0; i < sums.size(); ++i) sums[i] = base_[i % wide];
    std::vector<uint32_t> leaves(block == 1 ? trees_.size() : block);
    if (block == 1) {
      math::LeavesOfRow(trees_, std::span(bins).subspan(first * width, width), leaves);
      for (size_t t = 0; t < trees_.size(); ++t) sums[t % wide] += value_[leaves[t]];
    } else {
      for (size_t t = 0; t < trees_.size(); ++t) {
        math::LeavesOfRows(trees_, t, std::span(bins).subspan(first * width, block * width), width, leaves);
        for (size_t r = 0; r < block; ++r) sums[r * wide + t % wide] += value_[leaves[r]];
      }
    }
    for (size_t r = 0; r < block; ++r) {
      float* p = out.data() + (first + r) * classes;
      if (wide == 1) {
        p[1] = 1 / (1 + std::exp(-sums[r]));
        p[0] = 1 - p[1];
      } else {
        std::copy_n(sums.begin() + static_cast<std::ptrdiff_t>(r * wide), wide, p);
        Softmax(p, wide);
      }
    }
  });
}

Status BoostingClassifier::Save(const std::filesystem::path& file) const {
  ModelFileWriter writer;
  AddClassifier(writer, *this);
  const Header header{trees_.size(), trees_.nodes.size(), value_.size()};
  writer.AddArray<Header>("boosting", {&header, 1});
  binner_.AddTo(writer);
  writer.AddArray<uint32_t>("tree_roots", trees_.roots);
  writer.AddArray<math::BinnedNode>("tree_nodes", trees_.nodes);
  writer.AddArray<float>("tree_value", value_);
  writer.AddArray<float>("base", base_);
  writer.AddArray<float>("importance", importance_);
  return writer.Write(file);
}

}  // namespace segue::models
