#include "train/labelled_rows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace segue::train {
namespace {

Error Unusable(const std::string& what) { return {ErrorCode::kInvalid, "nothing can be learned: " + what}; }

std::string Place(const SongTable& songs, uint32_t row) {
  if (row >= songs.line.size() || songs.file[row] >= songs.files.size()) return "row " + std::to_string(row + 1);
  return songs.files[songs.file[row]] + " line " + std::to_string(songs.line[row]);
}

}  // namespace

std::vector<float> GatherFeatures(const SongTable& songs, std::span<const uint32_t> rows) {
  std::vector<float> x;
  x.reserve(rows.size() * songs.features.size());
  for (const uint32_t row : rows) {
    for (const double value : songs.Row(row)) x.push_back(static_cast<float>(value));
  }
  return x;
}

Result<LabelledRows> GatherRows(const SongTable& songs, std::span<const uint32_t> rows) {
  if (songs.features.empty()) return Unusable("the songs have no numeric columns");
  if (rows.empty()) return Unusable("there are no labelled songs");
  LabelledRows data{songs.features, songs.labels, {}, {}};
  std::set<int32_t> seen;
  for (const uint32_t row : rows) {
    const int32_t label = songs.label[row];
    if (label < 0 || static_cast<size_t>(label) >= songs.labels.size()) return Unusable(Place(songs, row) + " has no label");
    seen.insert(label);
    data.y.push_back(label);
  }
  if (seen.size() < 2) {
    return Unusable("all " + std::to_string(rows.size()) + " songs to learn from are '" + songs.labels[static_cast<size_t>(*seen.begin())] +
                    "'; give songs of two classes or more");
  }
  data.x = GatherFeatures(songs, rows);
  for (size_t i = 0; i < data.x.size(); ++i) {
    if (!std::isinf(data.x[i])) continue;
    return Unusable(Place(songs, rows[i / songs.features.size()]) + ": '" + songs.features[i % songs.features.size()] + "' is not finite");
  }
  return data;
}

}  // namespace segue::train
