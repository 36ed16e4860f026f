#include "models/row_binner.h"

#include <cmath>
#include <limits>

#include "math/parallel.h"
#include "models/classifier_file.h"

namespace segue::models {
namespace {

constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
constexpr uint64_t kMostPairs = 1 << 15;

struct Header {
  uint64_t edges;
  uint64_t pairs;
  uint32_t duration;  ///< kNone: no column of frame offsets
  uint32_t reserved;
};
static_assert(sizeof(Header) == 24, "no padding: the bytes are the same everywhere");

template <typename T>
std::vector<T> Copied(std::span<const T> of) {
  return {of.begin(), of.end()};
}

/// rows [n x features] with one more column where a duration is given.
std::vector<float> WithFrames(std::span<const float> rows, size_t features, uint32_t duration) {
  const size_t n = rows.size() / features;
  std::vector<float> wider(n * (features + 1));
  for (size_t r = 0; r < n; ++r) {
    const float* row = rows.data() + r * features;
    std::copy_n(row, features, wider.begin() + static_cast<std::ptrdiff_t>(r * (features + 1)));
    wider[r * (features + 1) + features] = CdFrameOffset(row[duration]);
  }
  return wider;
}

}  // namespace

float CdFrameOffset(float duration_ms) {
  const double frames = static_cast<double>(duration_ms) * 0.075;
  if (!std::isfinite(frames)) return std::numeric_limits<float>::quiet_NaN();
  return static_cast<float>(std::abs(frames - std::round(frames)));
}

std::optional<size_t> DurationColumn(std::span<const std::string> features) {
  constexpr std::string_view kName = "duration_ms";
  for (size_t f = 0; f < features.size(); ++f) {
    if (features[f] == kName || features[f].ends_with("_" + std::string(kName))) return f;
  }
  return std::nullopt;
}

RowBinner RowBinner::Of(std::span<const float> rows, std::span<const std::string> names, bool frames) {
  RowBinner binner;
  binner.features = names.size();
  if (const auto duration = DurationColumn(names); duration && frames) binner.duration = static_cast<uint32_t>(*duration);
  binner.edges = binner.duration ? math::FindEdges(WithFrames(rows, names.size(), *binner.duration), names.size() + 1)
                                 : math::FindEdges(rows, names.size());
  return binner;
}

void RowBinner::Pair(std::span<const float> rows, std::vector<math::BinPair> of) {
  pairs.clear();
  rank = of.empty() ? std::vector<uint8_t>{} : math::RanksOfBins(Bin(rows), columns());
  pairs = std::move(of);
}

std::vector<uint8_t> RowBinner::Bin(std::span<const float> rows) const {
  const size_t n = rows.size() / features;
  std::vector<uint8_t> bins(n * columns());
  if (duration) {
    math::BinRows(edges.view(), WithFrames(rows, features, *duration), bins);
  } else {
    math::BinRows(edges.view(), rows, bins);
  }
  if (pairs.empty()) return bins;
  std::vector<uint8_t> wider(n * width());
  math::BinPairsView{rank, pairs}.Append(bins, columns(), wider);
  return wider;
}

std::vector<float> RowBinner::ByFeature(std::span<const double> worth) const {
  std::vector<double> of(columns(), 0.0);
  for (size_t c = 0; c < columns(); ++c) of[c] = worth[c];
  for (size_t p = 0; p < pairs.size(); ++p) {
    of[pairs[p].first] += worth[columns() + p] / 2;
    of[pairs[p].second] += worth[columns() + p] / 2;
  }
  if (duration) of[*duration] += of[features];
  double sum = 0;
  for (size_t f = 0; f < features; ++f) sum += of[f];
  std::vector<float> shares(features, 0.0f);
  for (size_t f = 0; f < features && sum > 0; ++f) shares[f] = static_cast<float>(of[f] / sum);
  return shares;
}

void RowBinner::AddTo(ModelFileWriter& writer) const {
  const Header header{edges.edges.size(), pairs.size(), duration.value_or(kNone), 0};
  writer.AddArray<Header>("bins", {&header, 1});
  writer.AddArray<uint32_t>("bin_begin", edges.begin);
  writer.AddArray<float>("bin_edges", edges.edges);
  writer.AddArray<uint8_t>("bin_rank", rank);
  writer.AddArray<math::BinPair>("bin_pairs", pairs);
}

Result<RowBinner> RowBinner::Open(const ModelFile& file, size_t features) {
  SEGUE_TRY(const auto header, file.Array<Header>("bins", 1));
  const Header& h = header[0];
  RowBinner binner;
  binner.features = features;
  if (h.duration != kNone) binner.duration = h.duration;
  if ((binner.duration && h.duration >= features) || h.pairs > kMostPairs || h.edges > binner.columns() * math::kMostBins) {
    return DamagedClassifier(file, "its bins cannot be");
  }
  SEGUE_TRY(const auto begin, file.Array<uint32_t>("bin_begin", binner.columns() + 1));
  SEGUE_TRY(const auto edges, file.Array<float>("bin_edges", h.edges));
  SEGUE_TRY(const auto rank, file.Array<uint8_t>("bin_rank", h.pairs == 0 ? 0 : binner.columns() * math::kBinSlots));
  SEGUE_TRY(const auto pairs, file.Array<math::BinPair>("bin_pairs", h.pairs));
  if (!math::BinEdgesView{begin, edges}.Sound() || (h.pairs != 0 && !math::BinPairsView{rank, pairs}.Sound(binner.columns()))) {
    return DamagedClassifier(file, "its bins cannot be");
  }
  binner.edges = {Copied(begin), Copied(edges)};
  binner.rank = Copied(rank);
  binner.pairs = Copied(pairs);
  return binner;
}

}  // namespace segue::models
