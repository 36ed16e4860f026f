#include <algorithm>
#include <cmath>
#include <filesystem>

#include "core/text.h"
#include "songs/reports.h"

namespace segue::songs {
namespace {

size_t Letters(const std::string& text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

/// Columns as wide as they need to be; the first to the left, the others to the right.
std::string Aligned(const std::vector<std::vector<std::string>>& rows) {
  std::vector<size_t> widths;
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()), 0);
    for (size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], Letters(row[c]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t c = 0; c < row.size(); ++c) {
      const std::string room(widths[c] - Letters(row[c]), ' ');
      line += c == 0 ? row[c] + room : "  " + room + row[c];
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string Whole(uint64_t n) { return WithCommas(static_cast<int64_t>(n)); }

std::string Wrapped(const std::string& text, size_t width) {
  std::string out, line = "  *";
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (line.size() > 4 && line.size() + 1 + end - at > width) {
      out += line + "\n";
      line = "   ";
    }
    line += " " + text.substr(at, end - at);
    at = end + 1;
  }
  return out + line + "\n";
}

std::string Differences(const Specification& s) {
  std::vector<std::vector<std::string>> rows = {{"feature", "mean " + s.labels[1], "mean " + s.labels[0], "d", "95 % interval", "effect", "t", "p", "Welch t", "rank r", "q"}};
  for (const size_t f : ByEffect(s.all)) {
    const Difference& x = s.all.differences[f];
    rows.push_back({s.features[f].name, Significant(x.second.mean, 4), Significant(x.first.mean, 4), Fixed(x.d.value, 3),
                    std::isnan(x.d.value) ? "–" : Fixed(x.d.low, 2) + " to " + Fixed(x.d.high, 2), SizeOf(x.d.value), Fixed(x.student.t, 2),
                    FromLog10(x.student.p.log10), Fixed(x.welch.t, 2), Fixed(x.ranks.rank_biserial, 3), FromLog10(x.student_q.log10)});
  }
  return "\nWhat sets " + ClassName(s, 1) + " apart from " + ClassName(s, 0) + ", the largest effect first\n" + Aligned(rows) +
         "  d: Cohen's; t and p: Student's, two-sided; rank r: rank-biserial of Mann and Whitney's U;\n"
         "  q: p after Benjamini and Hochberg\n";
}

std::string Spreads(const Specification& s) {
  std::vector<std::vector<std::string>> rows = {{"feature", "eta²", "F", "p", "epsilon²", "H", "p (H)", "q"}};
  for (const size_t f : ByEffect(s.all)) {
    const Spread& x = s.all.spreads[f];
    rows.push_back({s.features[f].name, Fixed(x.anova.eta_squared, 3), Fixed(x.anova.f, 2), FromLog10(x.anova.p.log10), Fixed(x.kruskal.epsilon_squared, 3),
                    Fixed(x.kruskal.h, 1), FromLog10(x.kruskal.p.log10), FromLog10(x.anova_q.log10)});
  }
  return "\nWhat sets the " + std::to_string(s.labels.size()) + " classes of '" + s.label + "' apart, the largest effect first\n" + Aligned(rows) +
         "  eta²: share of the variance between the classes; F: analysis of variance; H: Kruskal and Wallis;\n"
         "  q: p of F after Benjamini and Hochberg\n";
}

std::string Columns(const Specification& s) {
  std::vector<std::vector<std::string>> rows = {{"feature", "mean", "sd"}};
  // The first and the last percent would make the table too wide; JSON and the page have them.
  const auto shown = [](double q) { return q != 0.01 && q != 0.99; };
  for (const double q : kQuantiles) {
    if (shown(q)) rows[0].push_back(q == 0 ? "least" : q == 1 ? "most" : Fixed(q * 100, 0) + " %");
  }
  for (const FeatureReport& feature : s.features) {
    rows.push_back({feature.name, Significant(feature.all.mean, 4), Significant(feature.all.StandardDeviation(), 4)});
    for (size_t q = 0; q < kQuantiles.size(); ++q) {
      if (shown(kQuantiles[q])) rows.back().push_back(Significant(feature.quantiles[q], 3));
    }
  }
  return "\nWhat the columns hold\n" + Aligned(rows);
}

std::string Quality(const Specification& s) {
  std::vector<std::vector<std::string>> rows = {{"duplicates", "rows"}, {"  whole rows", Whole(s.duplicates.whole_rows)}};
  if (s.duplicates.has_ids) {
    rows.push_back({"  ids", Whole(s.duplicates.ids)});
    rows.push_back({"  ids under several labels", Whole(s.duplicates.ids_in_several)});
  }
  rows.push_back({"  rows left without them", Whole(s.duplicates.rows_left)});
  std::string out = "\nData quality\n" + Aligned(rows);
  std::vector<std::vector<std::string>> odd;
  for (const FeatureReport& feature : s.features) {
    if (feature.missing > 0) odd.push_back({"  " + feature.name + " is missing", Whole(feature.missing), ""});
    for (const Impossible& item : feature.impossible) {
      odd.push_back({"  " + feature.name + " " + item.what, Whole(item.count), "first " + Significant(item.example, 4) + " at " + std::filesystem::path(item.file).filename().string() + " line " + std::to_string(item.line)});
    }
  }
  if (odd.empty()) return out + "  no value is missing, and none cannot be\n";
  size_t widest = 0;
  for (const auto& row : odd) widest = std::max(widest, Letters(row[0]));
  out += "  values that are missing, cannot be, or stand for \"not found\"\n";
  for (const auto& row : odd) out += "  " + row[0] + std::string(widest - Letters(row[0]), ' ') + "  " + std::string(row[1].size() < 7 ? 7 - row[1].size() : 0, ' ') + row[1] + (row[2].empty() ? "" : "  " + row[2]) + "\n";
  return out;
}

std::string WithoutDuplicates(const Specification& s) {
  if (s.all.differences.empty() || s.duplicates.rows_left == s.rows) return "";
  std::vector<std::vector<std::string>> rows = {{"feature", "t, all rows", "t, distinct", "d, all rows", "d, distinct"}};
  for (const size_t f : ByEffect(s.all)) {
    const Difference &all = s.all.differences[f], &distinct = s.distinct.differences[f];
    rows.push_back({s.features[f].name, Fixed(all.student.t, 3), Fixed(distinct.student.t, 3), Fixed(all.d.value, 4), Fixed(distinct.d.value, 4)});
  }
  return "\nWith and without duplicates\n" + Aligned(rows);
}

std::string Decades(const Specification& s) {
  if (s.decades.size() < 2 || s.labels.size() < 2) return "";
  const bool two = s.labels.size() == 2;
  std::vector<std::vector<std::string>> rows = {{two ? "Cohen's d" : "eta²"}};
  for (const DecadeReport& decade : s.decades) rows[0].push_back(std::to_string(decade.decade) + "s");
  for (const size_t f : ByEffect(s.all)) {
    rows.push_back({s.features[f].name});
    for (const DecadeReport& decade : s.decades) {
      rows.back().push_back(Fixed(two ? decade.comparison.differences[f].d.value : decade.comparison.spreads[f].anova.eta_squared, 2));
    }
  }
  if (two) {
    for (const size_t label : {size_t{1}, size_t{0}}) {
      rows.push_back({"songs, " + ClassName(s, label)});
      for (const DecadeReport& decade : s.decades) rows.back().push_back(Whole(decade.comparison.class_rows[label]));
    }
  }
  return "\nBy decade\n" + Aligned(rows);
}

std::string Correlations(const Specification& s) {
  constexpr double kStrong = 0.5;
  const size_t n = s.features.size();
  std::vector<std::pair<size_t, size_t>> pairs;
  for (size_t a = 0; a < n; ++a) {
    for (size_t b = a + 1; b < n; ++b) {
      if (std::fabs(s.pearson[a * n + b]) >= kStrong || std::fabs(s.spearman[a * n + b]) >= kStrong) pairs.emplace_back(a, b);
    }
  }
  if (pairs.empty()) return "\nNo two features correlate with 0.5 or more\n";
  std::stable_sort(pairs.begin(), pairs.end(), [&](const auto& x, const auto& y) {
    return std::fabs(s.pearson[x.first * n + x.second]) > std::fabs(s.pearson[y.first * n + y.second]);
  });
  std::vector<std::vector<std::string>> rows = {{"features", "Pearson", "Spearman"}};
  for (const auto& [a, b] : pairs) rows.push_back({s.features[a].name + ", " + s.features[b].name, Fixed(s.pearson[a * n + b], 3), Fixed(s.spearman[a * n + b], 3)});
  return "\nFeatures that correlate with 0.5 or more\n" + Aligned(rows);
}

}  // namespace

std::string ClassName(const Specification& specification, size_t label) {
  const std::string& name = specification.labels[label];
  return ParseReal(name) ? specification.label + " " + name : name;
}

std::string SizeOf(double d) {
  if (std::isnan(d)) return "";
  const double size = std::fabs(d);
  return size >= 0.8 ? "large" : size >= 0.5 ? "medium" : size >= 0.2 ? "small" : "negligible";
}

std::string ToText(const Specification& s) {
  std::string out = Whole(s.rows) + (s.rows == 1 ? " song" : " songs") + " of " + std::to_string(s.files.size()) + (s.files.size() == 1 ? " file, " : " files, ") +
                    std::to_string(s.features.size()) + " features";
  if (s.labels.size() > 6) out += ", " + std::to_string(s.labels.size()) + " classes of '" + s.label + "'";
  else for (size_t label = s.labels.size(); label-- > 0;) out += ", " + Whole(s.all.class_rows[label]) + " of " + ClassName(s, label);
  out += "\n";
  for (const std::string& note : s.notes) out += Wrapped(note, 104);
  if (!s.all.differences.empty()) out += Differences(s);
  if (!s.all.spreads.empty()) out += Spreads(s);
  return out + Decades(s) + Quality(s) + WithoutDuplicates(s) + Columns(s) + Correlations(s);
}

}  // namespace segue::songs
