#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "math/bin_pairs.h"
#include "math/bins.h"
#include "models/model_file.h"

namespace segue::models {

/// How far a duration is from a whole number of frames of a compact disc, in
/// frames (1/75 second): 0 ... 0.5. A master made for CD is a whole number of
/// frames long; one made for files alone mostly is not, so this tells where a
/// recording comes from, not how it sounds. NaN of NaN.
float CdFrameOffset(float duration_ms);
/// The column that has a song's duration: `duration_ms`, or a name that ends so.
std::optional<size_t> DurationColumn(std::span<const std::string> features);

/// How rows of features become the bytes that trees see. Columns:
///   the features;
///   where frames is on, CdFrameOffset of the duration;
///   pairs of the former (math/bin_pairs.h)
struct RowBinner {
  size_t features = 0;
  std::optional<uint32_t> duration;  ///< feature whose frame offset is a column
  math::BinEdges edges;              ///< of the features and the offset
  std::vector<uint8_t> rank;         ///< where there are pairs
  std::vector<math::BinPair> pairs;

  size_t columns() const { return features + (duration ? 1 : 0); }  ///< without the pairs
  size_t width() const { return columns() + pairs.size(); }

  /// Edges for these rows [n x features], no pairs.
  static RowBinner Of(std::span<const float> rows, std::span<const std::string> names, bool frames);
  /// Adds pairs of columns, ranked by these rows.
  void Pair(std::span<const float> rows, std::vector<math::BinPair> of);
  /// bins [n x width] of rows [n x features], NaN missing.
  std::vector<uint8_t> Bin(std::span<const float> rows) const;
  /// [features] what columns were worth [width], by the features that they are
  /// made of (half each of a pair), as shares of the sum; 0 where that is 0.
  std::vector<float> ByFeature(std::span<const double> worth) const;

  /// Sections bins, bin_begin, bin_edges, bin_rank, bin_pairs.
  void AddTo(ModelFileWriter& writer) const;
  /// kCorrupt where they cannot be.
  static Result<RowBinner> Open(const ModelFile& file, size_t features);
};

}  // namespace segue::models
