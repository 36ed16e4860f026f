#include <cmath>

#include <nlohmann/json.hpp>

#include "songs/reports.h"

namespace segue::songs {
namespace {

using nlohmann::json;

/// JSON knows neither NaN nor infinity.
json Number(double value) { return std::isfinite(value) ? json(value) : json(nullptr); }

void Add(json& out, const math::PValue& p, const math::PValue& q) {
  out["p"] = Number(p.p);
  out["log10_p"] = Number(p.log10);
  out["q"] = Number(q.p);
  out["log10_q"] = Number(q.log10);
}

json Of(const math::Moments& moments) {
  return {{"n", moments.n}, {"mean", Number(moments.mean)}, {"sd", Number(moments.StandardDeviation())}};
}

json Of(const math::TTest& test) {
  return {{"t", Number(test.t)}, {"df", Number(test.df)}, {"p", Number(test.p.p)}, {"log10_p", Number(test.p.log10)}};
}

json Of(const Difference& difference) {
  json student = Of(difference.student);
  Add(student, difference.student.p, difference.student_q);
  json ranks = {{"u", Number(difference.ranks.u)}, {"z", Number(difference.ranks.z)}, {"rank_biserial", Number(difference.ranks.rank_biserial)}};
  Add(ranks, difference.ranks.p, difference.rank_q);
  return {{"second", Of(difference.second)},
          {"first", Of(difference.first)},
          {"student", student},
          {"welch", Of(difference.welch)},
          {"cohen_d", {{"value", Number(difference.d.value)}, {"low", Number(difference.d.low)}, {"high", Number(difference.d.high)}}},
          {"mann_whitney", ranks}};
}

json Of(const Spread& spread) {
  json anova = {{"f", Number(spread.anova.f)},
                {"df_between", Number(spread.anova.df_between)},
                {"df_within", Number(spread.anova.df_within)},
                {"eta_squared", Number(spread.anova.eta_squared)}};
  Add(anova, spread.anova.p, spread.anova_q);
  json kruskal = {{"h", Number(spread.kruskal.h)}, {"df", Number(spread.kruskal.df)}, {"epsilon_squared", Number(spread.kruskal.epsilon_squared)}};
  Add(kruskal, spread.kruskal.p, spread.kruskal_q);
  return {{"anova", anova}, {"kruskal_wallis", kruskal}};
}

json ClassRows(const Specification& specification, const Comparison& comparison) {
  json rows = json::object();
  for (size_t label = 0; label < specification.labels.size(); ++label) rows[specification.labels[label]] = comparison.class_rows[label];
  return rows;
}

json Of(const Specification& specification, const Comparison& comparison) {
  json tests = json::object();
  for (size_t f = 0; f < specification.features.size(); ++f) {
    const std::string& name = specification.features[f].name;
    if (!comparison.differences.empty()) tests[name] = Of(comparison.differences[f]);
    if (!comparison.spreads.empty()) tests[name] = Of(comparison.spreads[f]);
  }
  return {{"rows", comparison.rows}, {"class_rows", ClassRows(specification, comparison)}, {"tests", tests}};
}

json Of(const Specification& specification, const FeatureReport& feature) {
  json quantiles = json::array(), classes = json::object(), counts = json::object(), impossible = json::array();
  for (size_t q = 0; q < kQuantiles.size(); ++q) quantiles.push_back({{"share", kQuantiles[q]}, {"value", Number(feature.quantiles[q])}});
  for (size_t label = 0; label < feature.by_label.size(); ++label) {
    classes[specification.labels[label]] = Of(feature.by_label[label]);
    if (!feature.counts.empty()) counts[specification.labels[label]] = feature.counts[label];
  }
  for (const Impossible& item : feature.impossible) {
    impossible.push_back({{"what", item.what}, {"count", item.count}, {"example", Number(item.example)}, {"file", item.file}, {"line", item.line}});
  }
  return {{"name", feature.name},
          {"missing", feature.missing},
          {"all", Of(feature.all)},
          {"classes", classes},
          {"quantiles", quantiles},
          {"histogram", {{"edges", feature.edges}, {"counts", counts}, {"below", feature.below}, {"above", feature.above}}},
          {"impossible", impossible}};
}

json Matrix(const std::vector<double>& values, size_t columns) {
  json rows = json::array();
  for (size_t i = 0; i < values.size(); ++i) {
    if (i % columns == 0) rows.push_back(json::array());
    rows.back().push_back(Number(values[i]));
  }
  return rows;
}

}  // namespace

json ToJson(const Specification& specification) {
  json features = json::array(), names = json::array(), decades = json::array();
  for (const FeatureReport& feature : specification.features) {
    features.push_back(Of(specification, feature));
    names.push_back(feature.name);
  }
  for (const DecadeReport& decade : specification.decades) {
    decades.push_back(Of(specification, decade.comparison));
    decades.back()["decade"] = decade.decade;
  }
  const Duplicates& twice = specification.duplicates;
  const math::ContingencyTest& by_decade = specification.label_by_decade;
  json out = {{"files", specification.files},
              {"label", specification.label},
              {"labels", specification.labels},
              {"rows", specification.rows},
              {"unlabelled", specification.unlabelled},
              {"notes", specification.notes},
              {"features", features},
              {"all", Of(specification, specification.all)},
              {"duplicates",
               {{"whole_rows", twice.whole_rows},
                {"ids", twice.has_ids ? json(twice.ids) : json(nullptr)},
                {"ids_in_several_classes", twice.has_ids ? json(twice.ids_in_several) : json(nullptr)},
                {"rows_left", twice.rows_left}}},
              {"without_duplicates", Of(specification, specification.distinct)},
              {"decades", decades},
              {"label_by_decade",
               {{"chi_squared", Number(by_decade.chi_squared)},
                {"df", Number(by_decade.df)},
                {"p", Number(by_decade.p.p)},
                {"log10_p", Number(by_decade.p.log10)},
                {"cramers_v", Number(by_decade.cramers_v)}}},
              {"artists",
               {{"artists", specification.artists.artists},
                {"with_several_songs", specification.artists.with_several},
                {"of_one_class", specification.artists.of_one_class}}},
              {"correlation",
               {{"features", names},
                {"pearson", Matrix(specification.pearson, names.size())},
                {"spearman", Matrix(specification.spearman, names.size())}}}};
  if (specification.labels.size() == 2) out["compared"] = {{"second", specification.labels[1]}, {"first", specification.labels[0]}};
  return out;
}

}  // namespace segue::songs
