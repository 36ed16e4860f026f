#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "core/songs.h"
#include "math/hypothesis.h"

/// What songs with labels look like, and what sets their classes apart: the
/// song-specification report of `segue stats`.
namespace segue::songs {

/// How the classes differ in one feature, where there are two: the second label
/// (hits, "1") minus the first. NaN where it is not defined.
struct Difference {
  math::Moments second, first;
  math::TTest student, welch;
  math::Effect d;
  math::RankTest ranks;
  math::PValue student_q, rank_q;  ///< after Benjamini and Hochberg, over the features
};

/// The same where there are more than two (genres).
struct Spread {
  math::VarianceTest anova;
  math::RankVarianceTest kruskal;
  math::PValue anova_q, kruskal_q;
};

/// Some of the songs, compared by class.
struct Comparison {
  uint64_t rows = 0;                    ///< labelled ones
  std::vector<uint64_t> class_rows;     ///< [labels]
  std::vector<Difference> differences;  ///< [features] of two labels, else empty
  std::vector<Spread> spreads;          ///< [features] of more than two, else empty
};

inline constexpr std::array<double, 9> kQuantiles = {0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1};

/// Values that a measure of sound cannot have, or that stand for "not found".
struct Impossible {
  std::string what;    ///< "is 0: no beat was found"
  uint64_t count = 0;
  double example = 0;  ///< the first one
  uint64_t row = 0;    ///< where that is: in the table,
  std::string file;    ///< and as it was read
  uint64_t line = 0;
};

struct FeatureReport {
  std::string name;
  uint64_t missing = 0;
  math::Moments all;
  std::array<double, kQuantiles.size()> quantiles{};
  std::vector<math::Moments> by_label;          ///< [labels]
  std::vector<double> edges;                    ///< of the histogram; empty where there is no value
  std::vector<std::vector<uint64_t>> counts;    ///< [labels][bins]; the outermost hold what lies beyond them
  uint64_t below = 0, above = 0;                ///< values beyond the edges
  std::vector<Impossible> impossible;
};

struct Duplicates {
  uint64_t whole_rows = 0;      ///< rows that are equal in every column read to an earlier one
  bool has_ids = false;
  uint64_t ids = 0;             ///< rows whose id an earlier one has
  uint64_t ids_in_several = 0;  ///< ids that are found under more than one label
  uint64_t rows_left = 0;
};

/// Does the artist's name tell the label?
struct Artists {
  uint64_t artists = 0;
  uint64_t with_several = 0;  ///< artists with two labelled songs or more
  uint64_t of_one_class = 0;  ///< of those, artists whose songs are all of one class
};

struct DecadeReport {
  int32_t decade = 0;
  Comparison comparison;
};

struct Specification {
  std::vector<std::string> files;
  std::string label;                   ///< the column
  std::vector<std::string> labels;
  uint64_t rows = 0, unlabelled = 0;
  std::vector<FeatureReport> features;
  Comparison all;
  Duplicates duplicates;
  Comparison distinct;                 ///< without duplicates
  std::vector<double> pearson;         ///< [features x features]; pairs without missing
  std::vector<double> spearman;
  std::vector<DecadeReport> decades;   ///< ascending; empty where no decade is known
  math::ContingencyTest label_by_decade{};
  Artists artists;
  std::vector<std::string> notes;      ///< what the reader must know before he believes the figures
};

/// Everything above. `distinct` has the first row of each id (without ids: of equal
/// rows) and leaves out ids of several labels, whose label nobody knows.
/// Same result for any number of threads. O(features · rows · log rows + features² · rows).
///   label  the column's name, for the report
Specification Specify(const SongTable& songs, const std::string& label);

/// Rows by class and by feature, for those of `rows`.
Comparison Compare(const SongTable& songs, const std::vector<uint32_t>& rows);

/// Values of one feature that cannot be, by what Spotify's documentation of
/// its audio features says of it; nothing of a feature it does not know. File and
/// line are left to the caller.
///   values [rows], NaN missing
std::vector<Impossible> FindImpossible(const std::string& feature, const std::vector<double>& values);
/// "looks like seconds, not milliseconds"; "" where nothing does. Told, never mended.
std::string OtherUnit(const FeatureReport& feature);

Duplicates FindDuplicates(const SongTable& songs, std::vector<uint32_t>& rows_left);

/// Features from the largest effect to the smallest, undefined ones last.
std::vector<size_t> ByEffect(const Comparison& comparison);

}  // namespace segue::songs
