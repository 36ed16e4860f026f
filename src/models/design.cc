#include "models/design.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "models/row_binner.h"

namespace segue::models {
namespace {

float Value(const DesignColumn& column, const float* x, const float* q, const float* done) {
  const float v = column.kind == ColumnKind::kProduct ? 0 : x[column.first];
  switch (column.kind) {
    case ColumnKind::kLinear: return std::isnan(v) ? column.offset : v;
    case ColumnKind::kQuantile: return std::isnan(v) ? column.offset : q[column.first];
    case ColumnKind::kMissing: return std::isnan(v) ? 1 : 0;
    case ColumnKind::kEquals: return v == column.value ? 1 : 0;
    case ColumnKind::kPart: return std::isnan(v) ? column.offset : std::clamp((q[column.first] - column.value) / column.width, 0.0f, 1.0f);
    case ColumnKind::kOnFrame: return std::isnan(v) ? column.offset : CdFrameOffset(v) <= column.value ? 1 : 0;
    case ColumnKind::kProduct: return done[column.first] * done[column.second];
  }
  return 0;
}

bool Possible(const DesignColumn& column, size_t at, size_t features) {
  if (!std::isfinite(column.value) || !std::isfinite(column.offset) || !std::isfinite(column.scale)) return false;
  if (!(column.width > 0) || !std::isfinite(column.width)) return false;
  if (column.kind > ColumnKind::kOnFrame) return false;
  if (column.kind == ColumnKind::kProduct) return column.first < at && column.second < at;
  return column.first < features;
}

}  // namespace

float Design::NormalScore(size_t feature, float x) const {
  const uint32_t begin = knots_begin[feature], end = knots_begin[feature + 1];
  if (begin == end) return 0;
  const auto above = std::lower_bound(knot_x.begin() + begin, knot_x.begin() + end, x);
  const auto at = static_cast<size_t>(above - knot_x.begin());
  if (at == end) return knot_q[end - 1];
  if (at == begin || *above == x) return knot_q[at];
  const float share = (x - knot_x[at - 1]) / (knot_x[at] - knot_x[at - 1]);
  return knot_q[at - 1] + share * (knot_q[at] - knot_q[at - 1]);
}

void Design::Apply(std::span<const float> rows, std::span<float> out) const {
  const size_t f = features(), pitch = stride();
  const size_t n = rows.size() / f;
  SEGUE_CHECK(rows.size() == n * f && out.size() >= n * pitch);
  std::vector<float> q(f);
  for (size_t r = 0; r < n; ++r) {
    const float* x = rows.data() + r * f;
    float* to = out.data() + r * pitch;
    for (size_t k = 0; k < f; ++k) q[k] = std::isnan(x[k]) ? 0 : NormalScore(k, x[k]);
    for (size_t c = 0; c < columns.size(); ++c) {
      to[c] = (Value(columns[c], x, q.data(), to) - columns[c].offset) * columns[c].scale;
    }
    std::fill(to + columns.size(), to + pitch, 0.0f);
  }
}

void Design::AddTo(ModelFileWriter& writer, const std::string& name) const {
  writer.AddArray<DesignColumn>(name, columns);
  writer.AddArray<uint32_t>(name + "_begin", knots_begin);
  writer.AddArray<float>(name + "_x", knot_x);
  writer.AddArray<float>(name + "_q", knot_q);
}

Result<Design> Design::Open(const ModelFile& file, const std::string& name, size_t features) {
  Design design;
  SEGUE_TRY(const std::string_view bytes, file.Section(name));
  SEGUE_TRY(const auto columns, file.Array<DesignColumn>(name, bytes.size() / sizeof(DesignColumn)));
  SEGUE_TRY(const auto begin, file.Array<uint32_t>(name + "_begin", features + 1));
  const bool ordered = begin.front() == 0 && std::is_sorted(begin.begin(), begin.end());
  SEGUE_TRY(const auto x, file.Array<float>(name + "_x", begin.back()));
  SEGUE_TRY(const auto q, file.Array<float>(name + "_q", begin.back()));
  bool possible = ordered && !columns.empty();
  for (size_t c = 0; possible && c < columns.size(); ++c) possible = Possible(columns[c], c, features);
  for (size_t f = 0; possible && f < features; ++f) {
    for (size_t k = begin[f]; k < begin[f + 1]; ++k) {
      possible = possible && std::isfinite(x[k]) && std::isfinite(q[k]) && (k == begin[f] || x[k - 1] < x[k]);
    }
  }
  if (!possible) {
    return Error{ErrorCode::kCorrupt, "model file " + file.path().string() + " is damaged: its columns '" + name + "' cannot be"};
  }
  design.columns.assign(columns.begin(), columns.end());
  design.knots_begin.assign(begin.begin(), begin.end());
  design.knot_x.assign(x.begin(), x.end());
  design.knot_q.assign(q.begin(), q.end());
  return design;
}

}  // namespace segue::models
