#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"
#include "core/text.h"
#include "page/canvas.h"

namespace segue::page {
namespace {

constexpr double kRow = 26;
constexpr double kWidestLabel = 230;

double LabelWidth(double widest) { return std::min(widest, kWidestLabel) + 12; }

}  // namespace

Html Draw(const BarChart& chart) {
  Canvas canvas;
  double label = 0, text = 0, low = 0, high = 0;
  for (const auto& bar : chart.bars) {
    label = std::max(label, TextWidth(bar.label));
    text = std::max(text, TextWidth(bar.text.empty() ? Figure(bar.value, chart.axis) : bar.text));
    if (std::isnan(bar.value)) continue;
    low = std::min(low, bar.value);
    high = std::max(high, bar.value);
  }
  const auto ends = Ends(chart.axis, low, high);
  // Room for the figures at the bars' ends, on both sides where there are bars on both.
  const double left = LabelWidth(label) + (low < 0 ? text + 6 : 0);
  const Scale x{ends.first, ends.second, left, chart.frame.width - (high > 0 ? text + 12 : 12)};
  const double bottom = 6 + kRow * static_cast<double>(chart.bars.size());
  canvas.AxisX(chart.axis, x, NiceTicks(ends.first, ends.second, 5), 2, bottom);
  double y = 6;
  for (const auto& bar : chart.bars) {
    canvas.Text(LabelWidth(label) - 10, y + 16, Anchor::kEnd, Shortened(bar.label, kWidestLabel));
    const std::string figure = bar.text.empty() ? Figure(bar.value, chart.axis) : bar.text;
    const double value = std::isnan(bar.value) ? 0 : bar.value;
    const double from = std::min(x(0), x(value));
    canvas.Rect(from, y + 4, std::fabs(x(value) - x(0)), kRow - 9, SeriesClass('f', bar.series), 1, bar.label + ": " + figure);
    canvas.Text(value < 0 ? from - 5 : x(value) + 5, y + 16, value < 0 ? Anchor::kEnd : Anchor::kStart, figure, "dim");
    y += kRow;
  }
  canvas.Line(x(0), 2, x(0), bottom, "zero");
  return canvas.Finish(chart.frame, bottom + (chart.axis.title.empty() ? 22 : 42));
}

Html Draw(const DotPlot& chart) {
  Canvas canvas;
  double label = 0, text = 0;
  double low = chart.reference.value_or(INFINITY), high = chart.reference.value_or(-INFINITY);
  for (const auto& row : chart.rows) {
    label = std::max(label, TextWidth(row.label));
    text = std::max(text, TextWidth(row.text));
    for (const auto& mark : row.marks) {
      if (std::isnan(mark.value)) continue;
      low = std::min({low, mark.value, mark.low});
      high = std::max({high, mark.value, mark.high});
    }
  }
  const auto ends = Ends(chart.axis, low, high);
  const double left = LabelWidth(label);
  const Scale x{ends.first, ends.second, left + 6, chart.frame.width - (text > 0 ? text + 18 : 14)};
  std::vector<std::pair<std::string, int>> names;
  for (size_t s = 0; s < chart.series.size(); ++s) names.emplace_back(chart.series[s], static_cast<int>(s));
  const double top = 2 + canvas.Legend(names, left, 0, chart.frame.width, false);
  const double row_height = std::max(kRow, 10 + 9 * static_cast<double>(chart.series.size()));
  const double bottom = top + row_height * static_cast<double>(chart.rows.size()) + 4;
  canvas.AxisX(chart.axis, x, NiceTicks(ends.first, ends.second, 6), top, bottom);
  if (chart.reference) canvas.Line(x(*chart.reference), top, x(*chart.reference), bottom, "zero");
  for (size_t r = 0; r < chart.rows.size(); ++r) {
    const auto& row = chart.rows[r];
    const double middle = top + row_height * (static_cast<double>(r) + 0.5);
    canvas.Text(left - 10, middle + 4, Anchor::kEnd, Shortened(row.label, kWidestLabel));
    if (!row.text.empty()) canvas.Text(chart.frame.width, middle + 4, Anchor::kEnd, row.text, "dim");
    for (size_t m = 0; m < row.marks.size(); ++m) {
      const auto& mark = row.marks[m];
      if (std::isnan(mark.value)) continue;
      const double y = middle + 9 * (static_cast<double>(m) - (static_cast<double>(row.marks.size()) - 1) / 2);
      std::string tip = row.label + (chart.series.size() > m ? ", " + chart.series[m] : "") + ": " + Figure(mark.value, chart.axis);
      if (mark.low < mark.high) {
        tip += " (" + Figure(mark.low, chart.axis) + " to " + Figure(mark.high, chart.axis) + ")";
        canvas.Line(x(mark.low), y, x(mark.high), y, "s whole " + SeriesClass('l', mark.series));
        for (const double end : {mark.low, mark.high}) canvas.Line(x(end), y - 4, x(end), y + 4, "s whole " + SeriesClass('l', mark.series));
      }
      canvas.Circle(x(mark.value), y, 4.5, SeriesClass('f', mark.series), tip);
    }
  }
  return canvas.Finish(chart.frame, bottom + (chart.axis.title.empty() ? 22 : 42));
}

Html Draw(const HeatMap& chart) {
  SEGUE_CHECK(chart.values.size() == chart.rows.size() * chart.columns.size());
  SEGUE_CHECK(chart.texts.empty() || chart.texts.size() == chart.values.size());
  Canvas canvas;
  double label = 0, heading = 0;
  for (const auto& row : chart.rows) label = std::max(label, TextWidth(row));
  for (const auto& column : chart.columns) heading = std::max(heading, TextWidth(column));
  label = LabelWidth(label) + (chart.row_title.empty() ? 0 : 20);
  heading = std::min(heading, kWidestLabel);
  const auto columns = static_cast<double>(std::max<size_t>(1, chart.columns.size()));
  const auto cell_at = [&](double room) { return std::min(110.0, (chart.frame.width - label - room) / columns); };
  // Headings that do not fit over their columns are slanted, and reach over the right edge.
  const bool slanted = heading + 8 > cell_at(0);
  const double cell = cell_at(slanted ? heading * 0.6 : 0);
  const double height = std::min(cell, slanted || chart.rows.size() > 6 ? 34.0 : 48.0);
  const double top = (slanted ? heading * 0.75 + 16 : 22) + (chart.column_title.empty() ? 0 : 20);
  if (!chart.column_title.empty()) canvas.Text(label + cell * columns / 2, 12, Anchor::kMiddle, chart.column_title, "dim");
  const double rows_height = height * static_cast<double>(chart.rows.size());
  if (!chart.row_title.empty()) canvas.Text(12, top + rows_height / 2, Anchor::kMiddle, chart.row_title, "dim", -90);
  for (size_t c = 0; c < chart.columns.size(); ++c) {
    const double x = label + cell * (static_cast<double>(c) + 0.5);
    if (slanted) canvas.Text(x, top - 6, Anchor::kStart, Shortened(chart.columns[c], kWidestLabel), "", -48);
    else canvas.Text(x, top - 7, Anchor::kMiddle, chart.columns[c]);
  }
  for (size_t r = 0; r < chart.rows.size(); ++r) {
    const double y = top + height * static_cast<double>(r);
    canvas.Text(label - 10, y + height / 2 + 4, Anchor::kEnd, Shortened(chart.rows[r], kWidestLabel));
    for (size_t c = 0; c < chart.columns.size(); ++c) {
      const size_t i = r * chart.columns.size() + c;
      const double value = chart.values[i];
      const double x = label + cell * static_cast<double>(c);
      const std::string text = chart.texts.empty() ? Fixed(value, 2) : chart.texts[i];
      const double depth = std::isnan(value) ? 0 : std::clamp(std::fabs(value) / chart.full, 0.0, 1.0);
      const std::string css = chart.diverging && value < 0 ? SeriesClass('f', 1) : SeriesClass('f', 0);
      canvas.Rect(x + 0.5, y + 0.5, cell - 1, height - 1, css, 0.04 + 0.96 * depth, chart.rows[r] + ", " + chart.columns[c] + ": " + text);
      if (TextWidth(text) * 0.92 <= cell - 2) canvas.Text(x + cell / 2, y + height / 2 + 4, Anchor::kMiddle, text, depth > 0.85 ? "on" : depth > 0.6 ? "mid" : "");
    }
  }
  return canvas.Finish(chart.frame, top + rows_height + 4);
}

}  // namespace segue::page
