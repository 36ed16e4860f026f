#include "train/design.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace segue::train {
namespace {

using models::ColumnKind;
using models::Design;
using models::DesignColumn;

constexpr size_t kKnots = 256;        ///< most of one feature
constexpr size_t kMostIndicators = 16;
constexpr float kOnFrame = 0.0376f;   ///< frames: what rounding to a whole millisecond can do

/// A feature's known values, ascending, and whether some are missing.
struct Known {
  std::vector<float> sorted;
  std::vector<float> distinct;
  bool missing = false;
};

Known KnownOf(std::span<const float> rows, size_t features, size_t feature) {
  Known known;
  for (size_t i = feature; i < rows.size(); i += features) {
    if (std::isnan(rows[i])) {
      known.missing = true;
    } else {
      known.sorted.push_back(rows[i]);
    }
  }
  std::sort(known.sorted.begin(), known.sorted.end());
  known.distinct = known.sorted;
  known.distinct.erase(std::unique(known.distinct.begin(), known.distinct.end()), known.distinct.end());
  return known;
}

/// Knots at up to kKnots of the values, with the normal score of each one's midrank.
void AddKnots(const Known& known, Design& design) {
  const size_t n = known.sorted.size();
  std::vector<float> at = known.distinct;
  if (at.size() > kKnots) {
    at.clear();
    for (size_t k = 0; k < kKnots; ++k) at.push_back(known.sorted[k * (n - 1) / (kKnots - 1)]);
    at.erase(std::unique(at.begin(), at.end()), at.end());
  }
  for (const float x : at) {
    const auto low = std::lower_bound(known.sorted.begin(), known.sorted.end(), x) - known.sorted.begin();
    const auto high = std::upper_bound(known.sorted.begin(), known.sorted.end(), x) - known.sorted.begin();
    design.knot_x.push_back(x);
    design.knot_q.push_back(static_cast<float>(NormalQuantile(static_cast<double>(low + high) / 2 / static_cast<double>(n))));
  }
  design.knots_begin.push_back(static_cast<uint32_t>(design.knot_x.size()));
}

void AddParts(const Design& design, uint32_t feature, const Known& known, int64_t parts, std::vector<DesignColumn>& columns) {
  // Edges at equal shares of the rows, in normal scores; equal edges are one.
  std::set<float> edges;
  for (int64_t k = 0; k <= parts; ++k) {
    const size_t at = static_cast<size_t>(k) * (known.sorted.size() - 1) / static_cast<size_t>(parts);
    edges.insert(design.NormalScore(feature, known.sorted[at]));
  }
  for (auto edge = edges.begin(); std::next(edge) != edges.end(); ++edge) {
    columns.push_back({.kind = ColumnKind::kPart, .first = feature, .value = *edge, .width = *std::next(edge) - *edge});
  }
}

bool OfKnownValues(ColumnKind kind) { return kind == ColumnKind::kLinear || kind == ColumnKind::kQuantile || kind == ColumnKind::kPart ||
         kind == ColumnKind::kOnFrame; }

/// Mean 0 and deviation 1 for the columns from `first` on; those that do not vary go.
void Standardise(std::span<const float> rows, size_t features, size_t first, Design& design) {
  const size_t n = rows.size() / features;
  std::vector<float> z(n * design.stride());
  design.Apply(rows, z);
  std::vector<DesignColumn> kept(design.columns.begin(), design.columns.begin() + static_cast<std::ptrdiff_t>(first));
  for (size_t c = first; c < design.width(); ++c) {
    DesignColumn column = design.columns[c];
    double sum = 0, squares = 0, count = 0;
    const auto known = [&](size_t r) { return !OfKnownValues(column.kind) || !std::isnan(rows[r * features + column.first]); };
    for (size_t r = 0; r < n; ++r) {
      if (!known(r)) continue;
      sum += z[r * design.stride() + c];
      count += 1;
    }
    const double mean = count > 0 ? sum / count : 0;
    for (size_t r = 0; r < n; ++r) {
      if (!known(r)) continue;
      const double off = z[r * design.stride() + c] - mean;
      squares += off * off;
    }
    const double deviation = count > 0 ? std::sqrt(squares / count) : 0;
    if (!(deviation > 1e-6 * std::abs(mean)) || !std::isfinite(deviation)) continue;
    column.offset = static_cast<float>(mean);
    column.scale = static_cast<float>(1 / deviation);
    kept.push_back(column);
  }
  design.columns = std::move(kept);
}

}  // namespace

double NormalQuantile(double p) {
  double low = -40, high = 40;
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (0.5 * std::erfc(-middle / std::sqrt(2.0)) < p ? low : high) = middle;
  }
  return (low + high) / 2;
}

Result<Design> MakeDesign(std::span<const float> rows, size_t features, const DesignChoices& choices) {
  Design design;
  design.knots_begin.push_back(0);
  std::vector<DesignColumn> columns;
  for (uint32_t f = 0; f < features; ++f) {
    const Known known = KnownOf(rows, features, f);
    const bool varies = known.distinct.size() > 1;
    if (varies) {
      AddKnots(known, design);
    } else {
      design.knots_begin.push_back(static_cast<uint32_t>(design.knot_x.size()));
    }
    if (varies && choices.linear) columns.push_back({.kind = ColumnKind::kLinear, .first = f});
    if (varies && choices.quantile) columns.push_back({.kind = ColumnKind::kQuantile, .first = f});
    if (varies && choices.parts > 1) AddParts(design, f, known, choices.parts, columns);
    if (choices.equals && known.distinct.size() > 2 && known.distinct.size() <= kMostIndicators) {
      for (const float value : known.distinct) columns.push_back({.kind = ColumnKind::kEquals, .first = f, .value = value});
    }
    if (choices.duration == f) columns.push_back({.kind = ColumnKind::kOnFrame, .first = f, .value = kOnFrame});
    if (known.missing && !known.sorted.empty()) columns.push_back({.kind = ColumnKind::kMissing, .first = f});
  }
  design.columns = std::move(columns);
  if (!design.columns.empty()) Standardise(rows, features, 0, design);
  if (design.columns.empty()) {
    return Error{ErrorCode::kInvalid, "nothing can be learned: each of the " + std::to_string(features) +
                                          " features is missing or the same in all songs to learn from"};
  }
  if (!choices.pairs) return design;
  const ColumnKind of = choices.quantile ? ColumnKind::kQuantile : ColumnKind::kLinear;
  const auto single = static_cast<uint32_t>(design.width());
  for (uint32_t a = 0; a < single; ++a) {
    for (uint32_t b = a + 1; b < single; ++b) {
      if (design.columns[a].kind != of || design.columns[b].kind != of) continue;
      design.columns.push_back({.kind = ColumnKind::kProduct, .first = a, .second = b});
    }
  }
  Standardise(rows, features, single, design);
  return design;
}

}  // namespace segue::train
