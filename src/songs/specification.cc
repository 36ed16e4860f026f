#include "songs/specification.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "core/text.h"
#include "math/parallel.h"

namespace segue::songs {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr size_t kBins = 25;
constexpr size_t kMostValuesAsBins = 24;

/// Edges of bins for ascending values. Whole numbers of few kinds get a bin each;
/// else steps of 1, 2 or 5 times a power of ten, over what the middle 99 % span
/// where single values lie far out.
std::vector<double> Edges(const std::vector<double>& sorted) {
  if (sorted.empty()) return {};
  double low = sorted.front(), high = sorted.back();
  const bool whole = std::all_of(sorted.begin(), sorted.end(), [](double v) { return v == std::floor(v); });
  std::vector<double> edges;
  if (whole && high - low < static_cast<double>(kMostValuesAsBins)) {
    for (double edge = low - 0.5; edge <= high + 0.5; ++edge) edges.push_back(edge);
    return edges;
  }
  const double inner_low = math::Quantile(sorted, 0.005), inner_high = math::Quantile(sorted, 0.995);
  if (high - low > 1.5 * (inner_high - inner_low) && inner_high > inner_low) low = inner_low, high = inner_high;
  if (!(low < high)) {
    const double room = low == 0 ? 0.5 : std::fabs(low) * 0.05;
    return {low - room, low + room};
  }
  const double raw = (high - low) / static_cast<double>(kBins);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  const double factor = raw <= power ? 1 : raw <= 2 * power ? 2 : raw <= 5 * power ? 5 : 10;
  const double step = whole ? std::max(1.0, factor * power) : factor * power;
  const auto first = std::floor(low / step + 1e-9), last = std::ceil(high / step - 1e-9);
  for (double k = first; k <= last; ++k) edges.push_back(k * step);
  return edges;
}

FeatureReport Report(const SongTable& songs, size_t f) {
  FeatureReport report;
  report.name = songs.features[f];
  std::vector<double> column(songs.size()), values;
  std::vector<std::vector<double>> by_label(songs.labels.size());
  for (size_t row = 0; row < songs.size(); ++row) {
    column[row] = songs.Row(row)[f];
    if (std::isnan(column[row])) continue;
    values.push_back(column[row]);
    if (songs.label[row] >= 0) by_label[static_cast<size_t>(songs.label[row])].push_back(column[row]);
  }
  report.missing = songs.size() - values.size();
  report.all = math::Describe(values);
  for (const auto& part : by_label) report.by_label.push_back(math::Describe(part));
  std::sort(values.begin(), values.end());
  for (size_t q = 0; q < kQuantiles.size(); ++q) report.quantiles[q] = math::Quantile(values, kQuantiles[q]);
  report.edges = Edges(values);
  report.impossible = FindImpossible(report.name, column);
  for (Impossible& impossible : report.impossible) {
    impossible.file = songs.files[songs.file[impossible.row]];
    impossible.line = songs.line[impossible.row];
  }
  if (report.edges.empty()) return report;
  const size_t bins = report.edges.size() - 1;
  for (const auto& part : by_label) {
    std::vector<uint64_t>& counts = report.counts.emplace_back(bins, 0);
    for (const double value : part) {
      const auto above = std::upper_bound(report.edges.begin(), report.edges.end(), value) - report.edges.begin();
      ++counts[static_cast<size_t>(std::clamp<std::ptrdiff_t>(above - 1, 0, static_cast<std::ptrdiff_t>(bins) - 1))];
    }
  }
  report.below = static_cast<uint64_t>(std::count_if(values.begin(), values.end(), [&](double v) { return v < report.edges.front(); }));
  report.above = static_cast<uint64_t>(std::count_if(values.begin(), values.end(), [&](double v) { return v > report.edges.back(); }));
  return report;
}

/// Both correlations of every pair of features.
void Correlate(const SongTable& songs, Specification& out) {
  const size_t features = songs.features.size();
  out.pearson.assign(features * features, kNan);
  out.spearman.assign(features * features, kNan);
  std::vector<std::vector<double>> columns(features, std::vector<double>(songs.size())), ranks(features);
  std::vector<math::Moments> of_columns(features), of_ranks(features);
  math::ParallelFor(features, [&](size_t f) {
    for (size_t row = 0; row < songs.size(); ++row) columns[f][row] = songs.Row(row)[f];
    if (out.features[f].missing > 0) return;
    ranks[f] = math::Ranks(columns[f]);
    of_columns[f] = math::Describe(columns[f]);
    of_ranks[f] = math::Describe(ranks[f]);
  });
  math::ParallelFor(features * features, [&](size_t i) {
    const size_t a = i / features, b = i % features;
    if (a > b) return;
    double pearson = kNan, spearman = kNan;
    if (out.features[a].missing == 0 && out.features[b].missing == 0) {
      pearson = math::Correlation(columns[a], of_columns[a], columns[b], of_columns[b]);
      spearman = math::Correlation(ranks[a], of_ranks[a], ranks[b], of_ranks[b]);
    } else {
      std::vector<double> of_a, of_b;
      for (size_t row = 0; row < songs.size(); ++row) {
        if (std::isnan(columns[a][row]) || std::isnan(columns[b][row])) continue;
        of_a.push_back(columns[a][row]);
        of_b.push_back(columns[b][row]);
      }
      pearson = math::Correlation(of_a, of_b);
      spearman = math::Correlation(math::Ranks(of_a), math::Ranks(of_b));
    }
    out.pearson[a * features + b] = out.pearson[b * features + a] = pearson;
    out.spearman[a * features + b] = out.spearman[b * features + a] = spearman;
  });
}

void ByDecade(const SongTable& songs, Specification& out) {
  std::map<int32_t, std::vector<uint32_t>> rows;
  for (uint32_t row = 0; row < songs.size(); ++row) {
    if (songs.decade[row] >= 0) rows[songs.decade[row]].push_back(row);
  }
  std::vector<double> counts;
  for (const auto& [decade, of] : rows) {
    out.decades.push_back({decade, Compare(songs, of)});
    for (const uint64_t n : out.decades.back().comparison.class_rows) counts.push_back(static_cast<double>(n));
  }
  out.label_by_decade = math::ChiSquared(counts, rows.size(), songs.labels.size());
}

Artists LookAtArtists(const SongTable& songs) {
  struct Seen {
    int32_t label;
    uint32_t songs;
    bool several;
  };
  std::unordered_map<std::string_view, Seen> seen;
  for (size_t row = 0; row < songs.size(); ++row) {
    if (songs.artist[row].empty() || songs.label[row] < 0) continue;
    const auto [artist, added] = seen.try_emplace(songs.artist[row], Seen{songs.label[row], 0, false});
    ++artist->second.songs;
    artist->second.several = artist->second.several || artist->second.label != songs.label[row];
  }
  Artists artists;
  artists.artists = seen.size();
  for (const auto& [name, artist] : seen) {
    artists.with_several += artist.songs > 1 ? 1 : 0;
    artists.of_one_class += artist.songs > 1 && !artist.several ? 1 : 0;
  }
  return artists;
}

std::string Count(uint64_t n, const char* one, const char* many) { return WithCommas(static_cast<int64_t>(n)) + " " + (n == 1 ? one : many); }

void Note(Specification& out) {
  auto& notes = out.notes;
  if (out.unlabelled > 0) notes.push_back(Count(out.unlabelled, "row has", "rows have") + " no label and is left out of the comparison of classes");
  size_t used = 0;
  for (const uint64_t n : out.all.class_rows) used += n > 0 ? 1 : 0;
  if (out.label.empty()) notes.push_back("no column of labels was named, so there are no classes to compare");
  else if (used == 0) notes.push_back("no row has a label, so there are no classes to compare");
  else if (used == 1) notes.push_back("all labelled rows are of one class ('" + out.labels.front() + "'), so there is nothing to compare");
  if (out.all.rows > 0 && out.all.rows < 30) notes.push_back("only " + Count(out.all.rows, "labelled row", "labelled rows") + ": p values and intervals that lean on large samples are rough");
  for (const FeatureReport& feature : out.features) {
    if (feature.all.n == 0) notes.push_back("'" + feature.name + "' has no value at all");
    else if (feature.all.n > 1 && feature.quantiles.front() == feature.quantiles.back()) notes.push_back("'" + feature.name + "' is " + Significant(feature.quantiles.front(), 6) + " in every row, so that no test is defined");
    if (const std::string unit = OtherUnit(feature); !unit.empty()) notes.push_back(unit);
  }
  const Duplicates& twice = out.duplicates;
  if (twice.ids_in_several > 0) notes.push_back(Count(twice.ids_in_several, "id is", "ids are") + " found under more than one label: the label is not certain");
  if (twice.whole_rows > 0 || twice.ids > 0) {
    std::string text = Count(twice.whole_rows, "row is", "rows are") + " there twice";
    if (twice.has_ids) text += ", " + Count(twice.ids, "id", "ids") + " too";
    notes.push_back(text + ": a random split puts some songs into both train and test");
  }
  const Artists& artists = out.artists;
  if (used == 2 && artists.with_several >= 20 && static_cast<double>(artists.of_one_class) >= 0.8 * static_cast<double>(artists.with_several)) {
    notes.push_back("of " + Count(artists.with_several, "artist", "artists") + " with several songs, " + WithCommas(static_cast<int64_t>(artists.of_one_class)) +
                    " have songs of one class only: the artist's name tells the label; judge a classifier on artists it has not seen");
  }
}

}  // namespace

Specification Specify(const SongTable& songs, const std::string& label) {
  Specification out;
  out.files = songs.files;
  out.label = label;
  out.labels = songs.labels;
  out.rows = songs.size();
  out.unlabelled = static_cast<uint64_t>(std::count_if(songs.label.begin(), songs.label.end(), [](int32_t l) { return l < 0; }));
  out.features.resize(songs.features.size());
  math::ParallelFor(songs.features.size(), [&](size_t f) { out.features[f] = Report(songs, f); });
  std::vector<uint32_t> rows(songs.size());
  std::iota(rows.begin(), rows.end(), 0u);
  out.all = Compare(songs, rows);
  out.duplicates = FindDuplicates(songs, rows);
  out.distinct = Compare(songs, rows);
  Correlate(songs, out);
  ByDecade(songs, out);
  out.artists = LookAtArtists(songs);
  Note(out);
  return out;
}

}  // namespace segue::songs
