#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "page/page.h"

/// Charts as SVG in the page's colours, which colour-blind readers can tell
/// apart (after Okabe, Ito, "Color Universal Design", 2008); series differ by dashes or
/// place as well. Each has a title and a description for who cannot see it, and
/// says its figures when a mark is pointed at. A value that is NaN is left out.
namespace segue::page {

struct Axis {
  std::string title;          ///< with the unit: "Tempo (BPM)"; "" none
  std::optional<double> low;  ///< default: what the data need
  std::optional<double> high;
  bool percent = false;       ///< 0.25 is shown as 25 %
};

/// What charts have in common.
struct Frame {
  std::string title;        ///< above the chart
  std::string description;  ///< what it shows, for who cannot see it; "" the title
  int width = 680;          ///< of its own coordinates, where text is 12 high: about what the place has. 980 is
                            ///< a page, 480 half of one; it scales to fit, and scrolls where it would be too small
  int height = 0;           ///< 0: as the kind of chart needs
};

/// Bars from the axis' zero, one below the other, in the order given.
struct BarChart {
  Frame frame;
  Axis axis;
  struct Bar {
    std::string label;
    double value = 0;
    std::string text;  ///< at its end; "" the value
    int series = 0;    ///< colour
  };
  std::vector<Bar> bars;
};
Html Draw(const BarChart& chart);

/// Histograms over the same bins, laid over each other.
struct Histogram {
  Frame frame;
  Axis x;
  Axis y{.title = "Share of songs", .percent = true};
  std::vector<double> edges;  ///< [bins + 1] ascending
  struct Series {
    std::string name;
    std::vector<double> heights;  ///< [bins]
    int series = 0;
  };
  std::vector<Series> series;
};
Html Draw(const Histogram& chart);

/// Lines, with bands where there are intervals: ROC, precision and recall,
/// calibration, learning curves.
struct LineChart {
  Frame frame;
  Axis x, y;
  struct Line {
    std::string name;  ///< "" not in the legend
    std::vector<double> x, y;
    std::vector<double> low, high;  ///< of an interval; empty: none
    int series = 0;
    bool points = false;     ///< a dot at each value
    bool reference = false;  ///< thin, grey, dashed: chance, or the perfect one
  };
  std::vector<Line> lines;
  bool square = false;  ///< both axes as long as each other
};
Html Draw(const LineChart& chart);

/// A matrix in colours with its figures: correlations, confusion.
struct HeatMap {
  Frame frame;
  std::string row_title, column_title;  ///< "" none
  std::vector<std::string> rows, columns;
  std::vector<double> values;      ///< [rows x columns]
  std::vector<std::string> texts;  ///< [rows x columns]; empty: values with two digits
  double full = 1;                 ///< |value| of the full colour
  bool diverging = true;           ///< below zero has a colour of its own
};
Html Draw(const HeatMap& chart);

/// Values with intervals, a row a subject, around a line of no effect.
struct DotPlot {
  Frame frame;
  Axis axis;
  struct Mark {
    double value = 0;
    double low = 0, high = 0;  ///< low = high: no interval
    int series = 0;
  };
  struct Row {
    std::string label;
    std::vector<Mark> marks;
    std::string text;  ///< at the right; "" none
  };
  std::vector<Row> rows;
  std::vector<std::string> series;      ///< names for the legend; empty: none
  std::optional<double> reference = 0;  ///< the line of no effect
};
Html Draw(const DotPlot& chart);

/// A chart as an SVG file by itself, its title in it, on a ground of its own:
/// light or dark as the reader's system is, and readable on either kind of page.
/// `chart` is what Draw gave (CHECK).
std::string Standalone(const Html& chart);

}  // namespace segue::page
