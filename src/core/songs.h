#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/dataset.h"

namespace segue {

/// Songs as rows of numbers and one label: what `segue stats` describes and
/// what classifiers (hit or not, genre) learn from. Built by store/song_files.h
/// from CSV files and from a dataset's tracks by the pipeline.
struct SongTable {
  std::vector<std::string> features;     ///< names of the numeric columns, in this order everywhere
  std::vector<double> values;            ///< [rows x features] row by row; NaN missing
  std::vector<std::string> id;           ///< [rows] as the source names it (a URI); "" unknown
  std::vector<std::string> title;        ///< [rows] "" unknown
  std::vector<std::string> artist;       ///< [rows] "" unknown
  std::vector<int32_t> decade;           ///< [rows] 1960 for the sixties; -1 unknown
  std::vector<int32_t> label;            ///< [rows] of `labels`; -1 unlabelled
  std::vector<std::string> labels;       ///< hits: {"0", "1"} as the column has them, in ascending order
  std::vector<std::string> files;        ///< the files that were read
  std::vector<uint32_t> file;            ///< [rows] of `files`
  std::vector<uint64_t> line;            ///< [rows] in its file, the header is line 1

  size_t size() const { return label.size(); }
  std::span<const double> Row(size_t row) const { return {values.data() + row * features.size(), features.size()}; }
};

/// Tracks as songs: the audio features and "duration_ms", unknown ones NaN;
/// labels {"0", "1"} by Tracks::hit. Row for row the same order.
SongTable SongsOf(const Tracks& tracks);

}  // namespace segue
