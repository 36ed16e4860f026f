#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "math/kernels/kernels.h"
#include "models/model_file.h"

namespace segue::models {

/// What a column of a design matrix is made of. x is the value of feature
/// `first`, q(x) its normal score: Φ⁻¹ of the share of training rows below it
/// (ties in the middle), linear between knots, ±the outermost knot's beyond.
enum class ColumnKind : uint32_t {
  kLinear,    ///< (x - offset) · scale;            missing: 0, the mean
  kQuantile,  ///< (q(x) - offset) · scale;         missing: 0, the mean
  kMissing,   ///< (1 where missing - offset) · scale
  kEquals,    ///< (1 where x = value - offset) · scale
  kPart,      ///< (min(1, max(0, (q(x) - value) / width)) - offset) · scale; missing: 0
  kProduct,   ///< (column first · column second - offset) · scale, both before this one
  kOnFrame,   ///< (1 where CdFrameOffset(x) <= value - offset) · scale (models/row_binner.h); missing: 0
};

struct DesignColumn {
  ColumnKind kind = ColumnKind::kLinear;
  uint32_t first = 0;   ///< a feature; of kProduct a column
  uint32_t second = 0;  ///< of kProduct
  float value = 0;
  float width = 1;
  float offset = 0;
  float scale = 1;
};
static_assert(sizeof(DesignColumn) == 28, "no padding: the bytes are the same everywhere");

/// How rows of features become rows that linear models, networks and distances
/// can take: each column with mean 0 and standard deviation 1 over the training
/// rows. train/design.h chooses the columns. kPart is the piecewise-linear
/// encoding of Gorishniy, Rubachev, Babenko, "On Embeddings for Numerical
/// Features in Tabular Deep Learning", NeurIPS 2022, eq. 1, with the bins on
/// normal scores.
struct Design {
  std::vector<DesignColumn> columns;
  std::vector<uint32_t> knots_begin;  ///< [features + 1]
  std::vector<float> knot_x;          ///< ascending in each feature
  std::vector<float> knot_q;          ///< their normal scores

  size_t features() const { return knots_begin.size() - 1; }
  size_t width() const { return columns.size(); }
  /// Floats from one row of the matrix to the next; pads are zero.
  size_t stride() const { return math::PaddedTo(columns.size()); }

  /// rows [n x features], NaN missing -> out [n x stride]. O(n · columns).
  void Apply(std::span<const float> rows, std::span<float> out) const;

  /// Sections <name>, <name>_begin, <name>_x, <name>_q.
  void AddTo(ModelFileWriter& writer, const std::string& name) const;
  /// kCorrupt where columns or knots cannot be.
  static Result<Design> Open(const ModelFile& file, const std::string& name, size_t features);

  /// q of one feature's value.
  float NormalScore(size_t feature, float x) const;
};

}  // namespace segue::models
