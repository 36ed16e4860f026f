#include <algorithm>
#include <cmath>
#include <utility>

#include "core/check.h"
#include "core/text.h"
#include "page/canvas.h"

namespace segue::page {
namespace {

/// The plot inside a frame.
struct Plot {
  double left, right, top, bottom;
};

/// How much room the texts left of the y axis take.
double LeftOf(const Axis& axis, const Ticks& ticks) {
  double widest = 0;
  for (const double tick : ticks.at) widest = std::max(widest, TextWidth(TickText(tick, ticks, axis.percent)));
  return widest + 12 + (axis.title.empty() ? 0 : 20);
}

double BelowOf(const Axis& axis) { return axis.title.empty() ? 22 : 42; }

/// From k - ½ to k + ½: a mark between two bins would mean nothing.
bool BinsOfWholeNumbers(const std::vector<double>& edges) {
  return std::all_of(edges.begin(), edges.end(), [&](double edge) { return edge + 0.5 == std::round(edge + 0.5) && edge != std::round(edge); });
}

/// Pieces of a line between values that are NaN.
std::string LineData(const std::vector<double>& xs, const std::vector<double>& ys, const Scale& x, const Scale& y) {
  std::string data;
  bool open = false;
  for (size_t i = 0; i < xs.size(); ++i) {
    if (std::isnan(xs[i]) || std::isnan(ys[i])) {
      open = false;
      continue;
    }
    data += Move(open ? 'L' : 'M', x(xs[i]), y(ys[i]));
    open = true;
  }
  return data;
}

}  // namespace

Html Draw(const Histogram& chart) {
  double high = 0;
  std::vector<std::pair<std::string, int>> names;
  for (const auto& series : chart.series) {
    SEGUE_CHECK(series.heights.size() + 1 == chart.edges.size());
    for (const double height : series.heights) high = std::max(high, std::isnan(height) ? 0 : height);
    if (!series.name.empty()) names.emplace_back(series.name, series.series);
  }
  Canvas canvas;
  Axis y_axis = chart.y;
  y_axis.low = y_axis.low.value_or(0);
  const auto y_ends = Ends(y_axis, 0, high);
  const int height = chart.frame.height > 0 ? chart.frame.height : 300;
  const Ticks y_ticks = NiceTicks(y_ends.first, y_ends.second, height < 240 ? 3 : 5);
  const double left = LeftOf(chart.y, y_ticks);
  const Plot plot{left, chart.frame.width - 16.0, 6 + canvas.Legend(names, left, 0, chart.frame.width, false), height - BelowOf(chart.x)};
  const double first = chart.edges.empty() ? 0 : chart.edges.front();
  const double last = chart.edges.empty() ? 1 : chart.edges.back();
  const Scale x{chart.x.low.value_or(first), chart.x.high.value_or(last), plot.left, plot.right};
  const Scale y{y_ends.first, y_ends.second, plot.bottom, plot.top};
  canvas.AxisY(chart.y, y, y_ticks, plot.left, plot.right);
  Ticks x_ticks = NiceTicks(x.low, x.high, chart.frame.width < 420 ? 4 : 8);
  if (BinsOfWholeNumbers(chart.edges)) {
    std::erase_if(x_ticks.at, [](double tick) { return tick != std::round(tick); });
    x_ticks.places = 0;
  }
  canvas.AxisX(chart.x, x, x_ticks, plot.bottom, plot.bottom + 4);
  for (const auto& series : chart.series) {
    std::string data = Move('M', x(first), y(y.low));
    for (size_t bin = 0; bin < series.heights.size(); ++bin) {
      const double top = y(std::isnan(series.heights[bin]) ? y.low : series.heights[bin]);
      data += Move('L', x(chart.edges[bin]), top) + Move('L', x(chart.edges[bin + 1]), top);
    }
    data += Move('L', x(last), y(y.low));
    canvas.Path(data + "Z", "under " + SeriesClass('f', series.series));
    canvas.Path(data, "s whole " + SeriesClass('l', series.series));
  }
  canvas.Line(plot.left, plot.bottom, plot.right, plot.bottom, "axis");
  for (size_t bin = 0; bin + 1 < chart.edges.size(); ++bin) {
    std::string tip = Significant(chart.edges[bin], 4) + " to " + Significant(chart.edges[bin + 1], 4);
    for (const auto& series : chart.series) tip += "; " + (series.name.empty() ? "" : series.name + " ") + Figure(series.heights[bin], chart.y);
    canvas.Rect(x(chart.edges[bin]), plot.top, x(chart.edges[bin + 1]) - x(chart.edges[bin]), plot.bottom - plot.top, "f5", 0, tip);
  }
  return canvas.Finish(chart.frame, height);
}

Html Draw(const LineChart& chart) {
  double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
  std::vector<std::pair<std::string, int>> names;
  for (const auto& line : chart.lines) {
    SEGUE_CHECK(line.x.size() == line.y.size());
    SEGUE_CHECK(line.low.size() == line.high.size() && (line.low.empty() || line.low.size() == line.x.size()));
    for (size_t i = 0; i < line.x.size(); ++i) {
      if (std::isnan(line.x[i]) || std::isnan(line.y[i])) continue;
      low_x = std::min(low_x, line.x[i]);
      high_x = std::max(high_x, line.x[i]);
      low_y = std::min({low_y, line.y[i], line.low.empty() || std::isnan(line.low[i]) ? line.y[i] : line.low[i]});
      high_y = std::max({high_y, line.y[i], line.high.empty() || std::isnan(line.high[i]) ? line.y[i] : line.high[i]});
    }
    if (!line.name.empty() && !line.reference) names.emplace_back(line.name, line.series);
  }
  Canvas canvas;
  const auto x_ends = Ends(chart.x, low_x, high_x);
  const auto y_ends = Ends(chart.y, low_y, high_y);
  const Ticks y_ticks = NiceTicks(y_ends.first, y_ends.second, 5);
  const double left = LeftOf(chart.y, y_ticks);
  const double right = chart.frame.width - 22.0;
  const double top = 6 + canvas.Legend(names, left, 0, chart.frame.width, true);
  double bottom = (chart.frame.height > 0 ? chart.frame.height : 340) - BelowOf(chart.x);
  if (chart.square) bottom = top + (right - left);
  const Scale x{x_ends.first, x_ends.second, left, right};
  const Scale y{y_ends.first, y_ends.second, bottom, top};
  canvas.AxisY(chart.y, y, y_ticks, left, right);
  canvas.AxisX(chart.x, x, NiceTicks(x.low, x.high, chart.frame.width < 420 ? 4 : 8), top, bottom);
  for (const auto& line : chart.lines) {
    if (line.low.empty()) continue;
    std::string there, back;
    for (size_t i = 0; i < line.x.size(); ++i) {
      if (std::isnan(line.x[i]) || std::isnan(line.low[i]) || std::isnan(line.high[i])) continue;
      there += Move(there.empty() ? 'M' : 'L', x(line.x[i]), y(line.high[i]));
      back = Move('L', x(line.x[i]), y(line.low[i])) + back;
    }
    if (!there.empty()) canvas.Path(there + back + "Z", "band " + SeriesClass('f', line.series));
  }
  canvas.Line(left, bottom, right, bottom, "axis");
  for (const auto& line : chart.lines) {
    const std::string css = line.reference ? "reference" : "s " + SeriesClass('l', line.series);
    if (const std::string data = LineData(line.x, line.y, x, y); !data.empty()) canvas.Path(data, css);
    if (!line.points) continue;
    for (size_t i = 0; i < line.x.size(); ++i) {
      if (std::isnan(line.x[i]) || std::isnan(line.y[i])) continue;
      std::string tip = (line.name.empty() ? "" : line.name + ": ") + Figure(line.x[i], chart.x) + ", " + Figure(line.y[i], chart.y);
      if (!line.low.empty()) tip += " (" + Figure(line.low[i], chart.y) + " to " + Figure(line.high[i], chart.y) + ")";
      canvas.Circle(x(line.x[i]), y(line.y[i]), 3.5, SeriesClass('f', line.series), tip);
    }
  }
  return canvas.Finish(chart.frame, bottom + BelowOf(chart.x));
}

}  // namespace segue::page
