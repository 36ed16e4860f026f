#include <cmath>

#include "cli/hits.h"
#include "core/text.h"
#include "page/charts.h"
#include "store/file_system.h"

namespace segue::cli {
namespace {

constexpr size_t kPoints = 200;
constexpr size_t kMostSquares = 30;  ///< classes of a confusion matrix that can still be read

page::Html Curve(const HitsResult& result, bool roc) {
  page::LineChart chart;
  chart.frame = {.title = roc ? "ROC curve" : "Precision and recall", .width = 480};
  chart.x = {.title = roc ? "False positive rate" : "Recall", .low = 0, .high = 1};
  chart.y = {.title = roc ? "True positive rate" : "Precision", .low = 0, .high = 1};
  chart.square = true;
  const SplitOutcome& split = result.splits.front();
  int series = 0;
  for (const Outcome& o : split.models) {
    page::LineChart::Line line{.name = o.name + (roc ? ", AUC " + Fixed(o.auc, 3) : ", AP " + Fixed(o.average_precision, 3)), .series = series++};
    const auto points = roc ? evaluate::RocCurve(split.label, o.p, 2, 1, kPoints) : evaluate::PrecisionRecallCurve(split.label, o.p, 2, 1, kPoints);
    for (const auto& point : points) {
      line.x.push_back(point.x);
      line.y.push_back(point.y);
    }
    chart.lines.push_back(std::move(line));
  }
  if (roc) chart.lines.push_back({.name = "chance", .x = {0, 1}, .y = {0, 1}, .reference = true});
  return page::Draw(chart);
}

page::Html CalibrationChart(const HitsResult& result) {
  page::LineChart chart;
  chart.frame = {.title = "Calibration: how often it is so, by the probability that was said", .width = 480};
  chart.x = {.title = "Mean probability said", .low = 0, .high = 1};
  chart.y = {.title = "Share that is so", .low = 0, .high = 1};
  chart.square = true;
  int series = 0;
  for (const Outcome& o : result.splits.front().models) {
    page::LineChart::Line line{.name = o.name + ", error " + Fixed(o.calibration_error, 3), .series = series++, .points = true};
    for (const auto& bin : o.reliability) {
      if (bin.rows == 0) continue;
      line.x.push_back(bin.predicted);
      line.y.push_back(bin.observed);
    }
    chart.lines.push_back(std::move(line));
  }
  chart.lines.push_back({.name = "perfect", .x = {0, 1}, .y = {0, 1}, .reference = true});
  return page::Draw(chart);
}

page::Html ConfusionChart(const Outcome& o, const std::vector<std::string>& labels) {
  page::HeatMap map;
  map.frame = {.title = "Confusion, " + o.name, .width = labels.size() > 6 ? 980 : 480};
  map.row_title = "is";
  map.column_title = "is taken for";
  map.rows = map.columns = labels;
  map.diverging = false;
  for (size_t t = 0; t < labels.size(); ++t) {
    for (size_t q = 0; q < labels.size(); ++q) {
      const double all = static_cast<double>(o.report.of_class[t].support);
      map.values.push_back(all > 0 ? static_cast<double>(o.confusion.At(t, q)) / all : 0);
      map.texts.push_back(WithCommas(static_cast<int64_t>(o.confusion.At(t, q))));
    }
  }
  return page::Draw(map);
}

page::Html ReportTable(const Outcome& o, const std::vector<std::string>& labels) {
  page::Table table{.caption = "Report, " + o.name, .columns = {{.name = "class", .number = false}, {.name = "precision"}, {.name = "recall"}, {.name = "f1-score"}, {.name = "support"}}};
  const auto row = [&](const std::string& name, const evaluate::ClassFigures& f) {
    table.rows.push_back({name, Fixed(f.precision, 2), Fixed(f.recall, 2), Fixed(f.f1, 2), WithCommas(static_cast<int64_t>(f.support))});
  };
  for (size_t c = 0; c < labels.size(); ++c) row(labels[c], o.report.of_class[c]);
  table.rows.push_back({"accuracy", "", "", Fixed(o.report.accuracy, 2), WithCommas(static_cast<int64_t>(o.report.macro.support))});
  row("macro avg", o.report.macro);
  row("weighted avg", o.report.weighted);
  return page::Draw(table);
}

page::Html Comparison(const HitsResult& result) {
  page::Table table{.caption = "", .columns = {{.name = "model", .number = false}, {.name = "accuracy"}, {.name = "95 %"}, {.name = "AUC"}, {.name = "95 % "},
                                               {.name = "log loss"}, {.name = "calibration error"}, {.name = "fit, s"}}};
  for (const Outcome& o : result.splits.front().models) {
    const auto& i = o.intervals;
    table.rows.push_back({o.name, Fixed(o.report.accuracy, 4), Fixed(i.accuracy.low, 4) + " to " + Fixed(i.accuracy.high, 4), Fixed(o.auc, 4),
                          std::isnan(i.auc.low) ? "" : Fixed(i.auc.low, 4) + " to " + Fixed(i.auc.high, 4), Fixed(o.log_loss, 4), Fixed(o.calibration_error, 4),
                          Fixed(o.fit_seconds, 1)});
  }
  return page::Draw(table);
}

void AddModel(const Outcome& o, const HitsResult& result, page::Page& page) {
  std::vector<page::Html> parts = {ReportTable(o, result.labels)};
  if (result.labels.size() <= kMostSquares) parts.push_back(ConfusionChart(o, result.labels));
  page::Section section{.title = o.name, .lead = "", .parts = {result.labels.size() <= 6 ? page::SideBySide(parts, 420) : parts.front()}};
  if (result.labels.size() > 6 && parts.size() > 1) section.parts.push_back(parts.back());
  if (!o.importance.empty()) {
    page::DotPlot plot{.frame = {.title = std::string(result.labels.size() == 2 ? "AUC" : "Accuracy") + " lost when a feature's held-out values are shuffled"}};
    for (const auto& one : o.importance) {
      plot.rows.push_back({one.feature, {{one.drop, one.drop - one.deviation, one.drop + one.deviation, 0}}, Fixed(one.drop, 4)});
    }
    section.parts.push_back(page::Draw(plot));
  }
  if (!o.learning.empty()) {
    page::LineChart chart{.frame = {.title = "Learning curve"}, .x = {.title = "Songs to learn from", .low = 0}, .y = {.title = "On the test songs"}};
    page::LineChart::Line accuracy{.name = "accuracy", .points = true}, auc{.name = "AUC", .series = 1, .points = true};
    for (const LearningPoint& point : o.learning) {
      accuracy.x.push_back(static_cast<double>(point.songs));
      accuracy.y.push_back(point.accuracy);
      auc.x.push_back(static_cast<double>(point.songs));
      auc.y.push_back(point.auc);
    }
    chart.lines = {std::move(accuracy), std::move(auc)};
    section.parts.push_back(page::Draw(chart));
  }
  page.sections.push_back(std::move(section));
}

}  // namespace

Status WriteHitsPage(const HitsResult& result, const std::string& file) {
  const SplitOutcome& split = result.splits.front();
  page::Page page{.title = result.labels.size() == 2 ? "What makes a hit" : "Songs by class",
                  .subtitle = WithCommas(static_cast<int64_t>(split.train)) + " songs to learn from, " + WithCommas(static_cast<int64_t>(split.test)) +
                              " to test on; split " + evaluate::Describe(split.split),
                  .sections = {},
                  .footer = "segue hits"};
  page::Section first{.title = "Models", .lead = "On songs that no model learned from.", .parts = {}};
  if (!result.flags.leak.empty()) {
    first.parts.push_back(page::Warning("A leak: the artist's past hit rate is a feature. Where a flop is by definition a song of an artist without hits, it gives "
                                        "the label away; these figures say nothing about what can be heard."));
  }
  if (split.known > 0) first.parts.push_back(page::Paragraph(WithCommas(static_cast<int64_t>(split.known)) + " of the test songs stand among those to learn from too, under the same id."));
  first.parts.push_back(Comparison(result));
  if (result.labels.size() == 2) {
    const std::vector<page::Html> curves = {Curve(result, true), Curve(result, false)};
    first.parts.push_back(page::SideBySide(curves, 420));
  }
  first.parts.push_back(CalibrationChart(result));
  page.sections.push_back(std::move(first));
  for (const Outcome& o : split.models) AddModel(o, result, page);
  return store::WriteFile(file, page::Render(page));
}

}  // namespace segue::cli
