#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include "core/text.h"
#include "page/charts.h"
#include "songs/reports.h"

namespace segue::songs {
namespace {

using page::Html;

constexpr size_t kMostClassesAsLines = 4;

std::string Whole(uint64_t n) { return WithCommas(static_cast<int64_t>(n)); }

std::string Unit(const std::string& feature) {
  if (feature == "tempo") return " (BPM)";
  if (feature == "loudness") return " (dB)";
  if (feature == "duration_ms") return " (ms)";
  if (feature == "chorus_hit") return " (s)";
  return "";
}

std::string Interval(const math::Effect& d) {
  return std::isnan(d.value) ? "–" : Fixed(d.low, 2) + " to " + Fixed(d.high, 2);
}

Html Effects(const Specification& s) {
  page::DotPlot chart;
  chart.frame = {.title = "Effect of each feature: Cohen's d with its 95 % interval",
                 .description = "A dot for each feature, the largest effect on top; right of the line " + ClassName(s, 1) + " has the higher values, left of it the lower.",
                 .width = 820};
  chart.axis.title = "← lower in " + ClassName(s, 1) + " · standard deviations · higher in " + ClassName(s, 1) + " →";
  for (const size_t f : ByEffect(s.all)) {
    const math::Effect& d = s.all.differences[f].d;
    chart.rows.push_back({s.features[f].name, {{d.value, d.low, d.high, d.value < 0 ? 1 : 0}}, Fixed(d.value, 2)});
  }
  return Draw(chart);
}

Html DifferenceTable(const Specification& s) {
  page::Table table;
  table.columns = {{"Feature", false},
                   {"Mean, " + ClassName(s, 1)},
                   {"Mean, " + ClassName(s, 0)},
                   {"d", true, "Cohen's d: the difference in pooled standard deviations"},
                   {"95 % interval"},
                   {"t", true, "Student's t with pooled variance"},
                   {"p", true, "of t, two-sided"},
                   {"q", true, "p after Benjamini and Hochberg, over the features"},
                   {"Welch t", true, "without the assumption of equal variances"},
                   {"Rank r", true, "rank-biserial correlation of Mann and Whitney's U"}};
  for (const size_t f : ByEffect(s.all)) {
    const Difference& x = s.all.differences[f];
    table.rows.push_back({s.features[f].name, Significant(x.second.mean, 4), Significant(x.first.mean, 4), Fixed(x.d.value, 2), Interval(x.d), Fixed(x.student.t, 2),
                          FromLog10(x.student.p.log10), FromLog10(x.student_q.log10), Fixed(x.welch.t, 2), Fixed(x.ranks.rank_biserial, 2)});
    table.strong.push_back(std::fabs(x.d.value) >= 0.5 ? 1 : 0);
  }
  return Draw(table);
}

page::Section TwoClasses(const Specification& s) {
  const auto order = ByEffect(s.all);
  std::string lead = "Mean of " + ClassName(s, 1) + " minus mean of " + ClassName(s, 0) + ".";
  const Difference& first = s.all.differences[order.front()];
  if (!std::isnan(first.d.value)) {
    lead += " The largest difference is in " + s.features[order.front()].name + ": " + Significant(first.second.mean, 3) + " against " + Significant(first.first.mean, 3) + ", " +
            Fixed(std::fabs(first.d.value), 2) + " standard deviations " + (first.d.value < 0 ? "lower" : "higher") + ". With many songs a small effect is significant too: look at d, not at p.";
  }
  return {"What sets " + ClassName(s, 1) + " apart", lead, {Effects(s), DifferenceTable(s)}};
}

page::Section ManyClasses(const Specification& s) {
  page::BarChart bars;
  bars.frame = {.title = "Share of each feature's variance that lies between the classes (eta²)", .width = 820};
  bars.axis = {.low = 0, .percent = true};
  page::Table table;
  table.columns = {{"Feature", false}, {"eta²"}, {"F"}, {"p"}, {"q"}, {"epsilon²", true, "the same of ranks: H/(n − 1)"}, {"H", true, "Kruskal and Wallis"}, {"p of H"}};
  for (const size_t f : ByEffect(s.all)) {
    const Spread& x = s.all.spreads[f];
    bars.bars.push_back({s.features[f].name, x.anova.eta_squared, Fixed(x.anova.eta_squared * 100, 1) + " %"});
    table.rows.push_back({s.features[f].name, Fixed(x.anova.eta_squared, 3), Fixed(x.anova.f, 2), FromLog10(x.anova.p.log10), FromLog10(x.anova_q.log10), Fixed(x.kruskal.epsilon_squared, 3),
                          Fixed(x.kruskal.h, 1), FromLog10(x.kruskal.p.log10)});
  }
  page::HeatMap map;
  map.frame = {.title = "Each class's mean, in standard deviations from the mean of all songs", .width = 980};
  map.full = 2;
  for (const size_t f : ByEffect(s.all)) map.columns.push_back(s.features[f].name);
  for (size_t label = 0; label < s.labels.size(); ++label) {
    map.rows.push_back(s.labels[label]);
    for (const size_t f : ByEffect(s.all)) {
      const FeatureReport& feature = s.features[f];
      const double sd = feature.all.StandardDeviation();
      map.values.push_back(sd > 0 ? (feature.by_label[label].mean - feature.all.mean) / sd : std::nan(""));
    }
  }
  std::vector<Html> parts = {Draw(bars), Draw(table)};
  parts.push_back(s.labels.size() <= 20 ? Draw(map) : page::Folded("All " + std::to_string(s.labels.size()) + " classes", Draw(map)));
  return {"What sets the classes of " + s.label + " apart", "One-way analysis of variance of each feature, and Kruskal and Wallis' test of its ranks.", parts};
}

page::Section Distributions(const Specification& s) {
  const bool by_class = !s.labels.empty() && s.labels.size() <= kMostClassesAsLines;
  std::vector<Html> charts;
  std::vector<size_t> order = ByEffect(s.all);
  for (size_t f = 0; order.size() < s.features.size(); ++f) order.push_back(f);
  for (const size_t f : order) {
    const FeatureReport& feature = s.features[f];
    if (feature.edges.empty() || feature.counts.empty()) continue;
    page::Histogram chart;
    std::string beyond;
    if (feature.below + feature.above > 0) beyond = "; the outermost bins hold " + Whole(feature.below + feature.above) + " values beyond them";
    chart.frame = {.title = feature.name + Unit(feature.name), .description = "Histogram of " + feature.name + " by class" + beyond + ".", .width = 330, .height = 210};
    chart.y.title = "";
    chart.edges = feature.edges;
    std::vector<uint64_t> total(feature.edges.size() - 1, 0);
    for (size_t label = s.labels.size(); label-- > 0;) {
      uint64_t n = 0;
      std::vector<double> shares;
      for (size_t bin = 0; bin < total.size(); ++bin) n += feature.counts[label][bin], total[bin] += feature.counts[label][bin];
      for (const uint64_t count : feature.counts[label]) shares.push_back(n > 0 ? static_cast<double>(count) / static_cast<double>(n) : std::nan(""));
      // The second of two classes has the colour that it has in the chart of effects.
      if (by_class) chart.series.push_back({ClassName(s, label), shares, s.labels.size() == 2 ? 1 - static_cast<int>(label) : static_cast<int>(label)});
    }
    if (!by_class) {
      const auto n = static_cast<double>(std::accumulate(total.begin(), total.end(), uint64_t{0}));
      std::vector<double> shares;
      for (const uint64_t count : total) shares.push_back(n > 0 ? static_cast<double>(count) / n : std::nan(""));
      chart.series.push_back({"", shares, 0});
    }
    charts.push_back(Draw(chart));
  }
  return {"Distributions", "Share of each class's songs in each bin, the features with the largest effect first. Where values lie far out, the outermost bins hold them.",
          {page::SideBySide(charts, 300)}};
}

page::Section Decades(const Specification& s) {
  const bool two = s.labels.size() == 2;
  page::HeatMap map;
  map.frame = {.title = two ? "Cohen's d by decade" : "eta² by decade", .description = "A row for each feature, a column for each decade.", .width = 820};
  map.full = two ? 1 : 0.6;
  map.diverging = two;
  for (const DecadeReport& decade : s.decades) map.columns.push_back(std::to_string(decade.decade) + "s");
  for (const size_t f : ByEffect(s.all)) {
    map.rows.push_back(s.features[f].name);
    for (const DecadeReport& decade : s.decades) {
      map.values.push_back(two ? decade.comparison.differences[f].d.value : decade.comparison.spreads[f].anova.eta_squared);
    }
  }
  std::vector<Html> parts = {Draw(map)};
  if (two) {
    page::Table table;
    table.columns = {{"Decade", false}, {"Songs"}, {ClassName(s, 1)}, {ClassName(s, 0)}, {"Largest effect", false}, {"d"}, {"t"}, {"p"}};
    for (const DecadeReport& decade : s.decades) {
      const size_t f = ByEffect(decade.comparison).front();
      const Difference& x = decade.comparison.differences[f];
      table.rows.push_back({std::to_string(decade.decade) + "s", Whole(decade.comparison.rows), Whole(decade.comparison.class_rows[1]), Whole(decade.comparison.class_rows[0]),
                            std::isnan(x.d.value) ? "–" : s.features[f].name, Fixed(x.d.value, 2), Fixed(x.student.t, 2), FromLog10(x.student.p.log10)});
    }
    parts.push_back(Draw(table));
  }
  std::string lead = two ? "What sets the classes apart changes over time." : "How far the classes lie apart, decade by decade.";
  if (two) lead = "The same comparison within each decade" + std::string(s.label_by_decade.p.p < 0.05 ? "; the share of the classes changes from decade to decade, too." : ".");
  return {"By decade", lead, parts};
}

page::Section Quality(const Specification& s) {
  page::Table twice;
  twice.caption = "Duplicates";
  twice.columns = {{"", false}, {"Rows"}};
  twice.rows = {{"Rows equal to an earlier one", Whole(s.duplicates.whole_rows)}};
  if (s.duplicates.has_ids) {
    twice.rows.push_back({"Rows whose id an earlier one has", Whole(s.duplicates.ids)});
    twice.rows.push_back({"Ids found under several labels", Whole(s.duplicates.ids_in_several)});
  }
  twice.rows.push_back({"Rows left without all these", Whole(s.duplicates.rows_left)});
  page::Table odd;
  odd.caption = "Values that cannot be, or that stand for \"not found\"";
  odd.columns = {{"Feature", false}, {"What", false}, {"Rows"}, {"First", false}};
  for (const FeatureReport& feature : s.features) {
    for (const Impossible& item : feature.impossible) {
      odd.rows.push_back({feature.name, item.what, Whole(item.count), std::filesystem::path(item.file).filename().string() + " line " + std::to_string(item.line) + ": " + Significant(item.example, 4)});
    }
    if (feature.missing > 0) odd.rows.push_back({feature.name, "missing", Whole(feature.missing), ""});
  }
  if (odd.rows.empty()) odd.rows.push_back({"none", "", "0", ""});
  const std::vector<Html> tables = {Draw(twice), Draw(odd)};
  std::vector<Html> parts = {page::SideBySide(tables, 380)};
  if (!s.all.differences.empty() && s.duplicates.rows_left != s.rows) {
    page::Table both;
    both.columns = {{"Feature", false}, {"t, all rows"}, {"t, without duplicates"}, {"d, all rows"}, {"d, without duplicates"}};
    for (const size_t f : ByEffect(s.all)) {
      const Difference &all = s.all.differences[f], &distinct = s.distinct.differences[f];
      both.rows.push_back({s.features[f].name, Fixed(all.student.t, 3), Fixed(distinct.student.t, 3), Fixed(all.d.value, 3), Fixed(distinct.d.value, 3)});
    }
    parts.push_back(page::Folded("The comparison with and without duplicates", Draw(both)));
  }
  return {"Data quality", "What was found in the files. Nothing was changed; the figures above are of all rows.", parts};
}

page::Section Correlations(const Specification& s) {
  page::HeatMap map;
  for (const FeatureReport& feature : s.features) map.rows.push_back(feature.name);
  map.columns = map.rows;
  map.frame = {.title = "Pearson's correlation", .description = "Every feature against every other; 1 is blue, -1 orange.", .width = 980};
  map.values = s.pearson;
  std::vector<Html> parts = {Draw(map)};
  map.frame.title = "Spearman's correlation, of ranks";
  map.values = s.spearman;
  parts.push_back(page::Folded("The same of ranks (Spearman)", Draw(map)));
  return {"Correlations", "Features that say nearly the same share what a classifier learns from them.", parts};
}

page::Section Columns(const Specification& s) {
  page::Table table;
  table.columns = {{"Feature", false}, {"Missing"}, {"Mean"}, {"Sd", true, "standard deviation"}};
  for (const double q : kQuantiles) table.columns.push_back({q == 0 ? "Least" : q == 1 ? "Most" : Fixed(q * 100, 0) + " %"});
  for (const FeatureReport& feature : s.features) {
    table.rows.push_back({feature.name, Whole(feature.missing), Significant(feature.all.mean, 4), Significant(feature.all.StandardDeviation(), 4)});
    for (const double value : feature.quantiles) table.rows.back().push_back(Significant(value, 3));
  }
  return {"What the columns hold", "Quantiles: the share of songs that lie below.", {Draw(table)}};
}

}  // namespace

page::Page ToPage(const Specification& s) {
  page::Page out;
  out.title = s.labels.size() == 2 ? "Song specification: " + ClassName(s, 1) + " and " + ClassName(s, 0) : "Song specification";
  std::string files;
  for (size_t i = 0; i < s.files.size() && i < 8; ++i) files += (i > 0 ? ", " : "") + std::filesystem::path(s.files[i]).filename().string();
  if (s.files.size() > 8) files += " and " + std::to_string(s.files.size() - 8) + " more";
  out.subtitle = files;
  std::vector<page::Tile> tiles = {{"Songs", Whole(s.rows), std::to_string(s.files.size()) + (s.files.size() == 1 ? " file" : " files")}};
  if (s.labels.size() == 2) {
    for (const size_t label : {size_t{1}, size_t{0}}) {
      tiles.push_back({"Of " + ClassName(s, label), Whole(s.all.class_rows[label]), s.all.rows > 0 ? Fixed(100.0 * static_cast<double>(s.all.class_rows[label]) / static_cast<double>(s.all.rows), 1) + " %" : ""});
    }
  } else {
    tiles.push_back({"Classes", std::to_string(s.labels.size()), s.label});
  }
  uint64_t missing = 0;
  for (const FeatureReport& feature : s.features) missing += feature.missing;
  tiles.push_back({"Features", std::to_string(s.features.size()), missing == 0 ? "nothing missing" : Whole(missing) + " values missing"});
  tiles.push_back({"Without duplicates", Whole(s.duplicates.rows_left), Whole(s.rows - s.duplicates.rows_left) + " rows fewer"});
  page::Section overview{"Overview", "", {page::Tiles(tiles)}};
  for (const std::string& note : s.notes) {
    std::string sentence = note;
    if (!sentence.empty() && sentence[0] >= 'a' && sentence[0] <= 'z') sentence[0] = static_cast<char>(sentence[0] - 'a' + 'A');
    overview.parts.push_back(page::Warning(sentence + "."));
  }
  out.sections.push_back(overview);
  if (!s.all.differences.empty()) out.sections.push_back(TwoClasses(s));
  if (!s.all.spreads.empty()) out.sections.push_back(ManyClasses(s));
  out.sections.push_back(Distributions(s));
  if (s.decades.size() > 1 && s.labels.size() > 1) out.sections.push_back(Decades(s));
  out.sections.push_back(Correlations(s));
  out.sections.push_back(Quality(s));
  out.sections.push_back(Columns(s));
  out.footer = "d: Cohen's d with pooled variance. t, p: Student's t test with pooled variance, two-sided. q: p after Benjamini and Hochberg. Made by segue stats.";
  return out;
}

}  // namespace segue::songs
