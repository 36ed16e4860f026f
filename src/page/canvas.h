#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "page/charts.h"

// What the charts draw with.

namespace segue::page {

/// Values to places, linear.
struct Scale {
  double low = 0, high = 1;  ///< values; low < high
  double from = 0, to = 1;   ///< their places
  double operator()(double value) const { return from + (value - low) / (high - low) * (to - from); }
};

/// Marks on an axis: 1, 2 or 5 times a power of ten apart, all within [low, high].
struct Ticks {
  std::vector<double> at;
  int places = 0;  ///< decimals that tell them apart
};
/// About so many; low < high.
Ticks NiceTicks(double low, double high, int about);
std::string TickText(double value, const Ticks& ticks, bool percent);
/// A value of that axis by itself.
std::string Figure(double value, const Axis& axis);

/// The axis' ends where they are told, else those of the data, widened to the next
/// tick on each side that is not told. A span of nothing becomes one around it.
std::pair<double, double> Ends(const Axis& axis, double low, double high);

/// About how wide 12-pixel text comes out.
double TextWidth(std::string_view text);
/// Cut to a width, with "…".
std::string Shortened(std::string_view text, double width);

/// "c3": series wrap around after the sixth.
std::string SeriesClass(char kind, int series);

enum class Anchor { kStart, kMiddle, kEnd };

/// Gathers marks; places are in the frame's own coordinates. A mark's `tip` is
/// shown when it is pointed at.
class Canvas {
 public:
  void Line(double x1, double y1, double x2, double y2, std::string_view css);
  void Rect(double x, double y, double width, double height, std::string_view css, double opacity = 1, std::string_view tip = "");
  void Circle(double x, double y, double radius, std::string_view css, std::string_view tip = "");
  void Text(double x, double y, Anchor anchor, std::string_view text, std::string_view css = "", double degrees = 0);
  void Path(std::string_view data, std::string_view css);

  /// Lines across at the ticks with their texts, and the title.
  void AxisX(const Axis& axis, const Scale& x, const Ticks& ticks, double top, double bottom);
  void AxisY(const Axis& axis, const Scale& y, const Ticks& ticks, double left, double right);
  /// Names with their colours, from `left` on; lines as lines, else squares. How high it is.
  double Legend(std::span<const std::pair<std::string, int>> names, double left, double top, double right, bool lines);

  /// The chart with its title and description.
  Html Finish(const Frame& frame, double height) const;

 private:
  std::string marks_;
};

/// "M1 2" or "L1 2", for paths.
std::string Move(char command, double x, double y);

}  // namespace segue::page
