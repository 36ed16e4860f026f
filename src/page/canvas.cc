#include "page/canvas.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "core/text.h"

namespace segue::page {
namespace {

constexpr double kCharacter = 6.7;  // of 12-pixel text, on the wide side

/// A place with one decimal, which no eye tells from more.
std::string Place(double value) {
  char text[64];
  if (!std::isfinite(value)) return "0";
  const double rounded = std::round(value * 10) / 10;
  const auto end = std::to_chars(text, text + sizeof text, rounded == 0 ? 0.0 : rounded, std::chars_format::fixed).ptr;
  return {text, end};
}

std::string Attribute(std::string_view name, double value) { return " " + std::string(name) + "=\"" + Place(value) + "\""; }

std::string Closed(std::string_view tag, std::string_view tip) {
  if (tip.empty()) return "/>\n";
  return "><title>" + Escaped(tip) + "</title></" + std::string(tag) + ">\n";
}

size_t Letters(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

}  // namespace

Ticks NiceTicks(double low, double high, int about) {
  const double raw = (high - low) / std::max(1, about);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  double step = 10 * power;
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (factor * power >= raw * 0.999) {
      step = factor * power;
      break;
    }
  }
  Ticks ticks;
  ticks.places = std::max(0, static_cast<int>(-std::floor(std::log10(step * 1.0001))));
  const double slack = step * 1e-9;
  for (double k = std::ceil((low - slack) / step); k * step <= high + slack; ++k) ticks.at.push_back(k * step);
  return ticks;
}

std::string TickText(double value, const Ticks& ticks, bool percent) {
  if (percent) return Fixed(value * 100, std::max(0, ticks.places - 2)) + " %";
  return ticks.places > 0 ? Fixed(value, ticks.places) : WithCommas(std::llround(value));
}

std::pair<double, double> Ends(const Axis& axis, double low, double high) {
  if (!(low <= high)) low = 0, high = 1;
  if (axis.low) low = *axis.low;
  if (axis.high) high = *axis.high;
  if (!(low < high)) {
    const double room = low == 0 ? 1 : std::fabs(low) * 0.1;
    (axis.low ? high : low) = axis.low ? low + room : high - room;
    if (!axis.low && !axis.high) high += room;
  }
  const Ticks ticks = NiceTicks(low, high, 5);
  const double step = ticks.at.size() > 1 ? ticks.at[1] - ticks.at[0] : 0;
  if (!axis.low && step > 0) low = std::floor(low / step + 1e-9) * step;
  if (!axis.high && step > 0) high = std::ceil(high / step - 1e-9) * step;
  return {low, high};
}

std::string Figure(double value, const Axis& axis) { return axis.percent ? Fixed(value * 100, 1) + " %" : Significant(value, 4); }

double TextWidth(std::string_view text) { return static_cast<double>(Letters(text)) * kCharacter; }

std::string Shortened(std::string_view text, double width) {
  if (TextWidth(text) <= width) return std::string(text);
  const auto most = static_cast<size_t>(std::max(1.0, width / kCharacter - 1));
  size_t end = 0;
  for (size_t letters = 0; end < text.size(); ++end) {
    if ((static_cast<unsigned char>(text[end]) & 0xc0) != 0x80 && letters++ == most) break;
  }
  return std::string(text.substr(0, end)) + "…";
}

std::string SeriesClass(char kind, int series) { return std::string(1, kind) + std::to_string(((series % 6) + 6) % 6); }

std::string Move(char command, double x, double y) { return std::string(1, command) + Place(x) + " " + Place(y); }

void Canvas::Line(double x1, double y1, double x2, double y2, std::string_view css) {
  marks_ += "<line class=\"" + std::string(css) + "\"" + Attribute("x1", x1) + Attribute("y1", y1) + Attribute("x2", x2) + Attribute("y2", y2) + "/>\n";
}

void Canvas::Rect(double x, double y, double width, double height, std::string_view css, double opacity, std::string_view tip) {
  marks_ += "<rect class=\"" + std::string(css) + "\"" + Attribute("x", x) + Attribute("y", y) + Attribute("width", std::max(0.0, width)) +
            Attribute("height", std::max(0.0, height));
  if (opacity < 1) marks_ += " fill-opacity=\"" + Fixed(opacity, 3) + "\"";
  marks_ += Closed("rect", tip);
}

void Canvas::Circle(double x, double y, double radius, std::string_view css, std::string_view tip) {
  marks_ += "<circle class=\"" + std::string(css) + "\"" + Attribute("cx", x) + Attribute("cy", y) + Attribute("r", radius) + Closed("circle", tip);
}

void Canvas::Text(double x, double y, Anchor anchor, std::string_view text, std::string_view css, double degrees) {
  marks_ += "<text" + Attribute("x", x) + Attribute("y", y);
  if (anchor != Anchor::kStart) marks_ += anchor == Anchor::kMiddle ? " text-anchor=\"middle\"" : " text-anchor=\"end\"";
  if (!css.empty()) marks_ += " class=\"" + std::string(css) + "\"";
  if (degrees != 0) marks_ += " transform=\"rotate(" + Place(degrees) + " " + Place(x) + " " + Place(y) + ")\"";
  marks_ += ">" + Escaped(text) + "</text>\n";
}

void Canvas::Path(std::string_view data, std::string_view css) {
  marks_ += "<path class=\"" + std::string(css) + "\" d=\"" + std::string(data) + "\"/>\n";
}

void Canvas::AxisX(const Axis& axis, const Scale& x, const Ticks& ticks, double top, double bottom) {
  for (const double tick : ticks.at) {
    Line(x(tick), top, x(tick), bottom, "grid");
    Text(x(tick), bottom + 16, Anchor::kMiddle, TickText(tick, ticks, axis.percent), "dim");
  }
  if (!axis.title.empty()) Text((x.from + x.to) / 2, bottom + 34, Anchor::kMiddle, axis.title, "dim");
}

void Canvas::AxisY(const Axis& axis, const Scale& y, const Ticks& ticks, double left, double right) {
  double widest = 0;
  for (const double tick : ticks.at) {
    const std::string text = TickText(tick, ticks, axis.percent);
    widest = std::max(widest, TextWidth(text));
    Line(left, y(tick), right, y(tick), "grid");
    Text(left - 8, y(tick) + 4, Anchor::kEnd, text, "dim");
  }
  if (!axis.title.empty()) Text(left - widest - 18, (y.from + y.to) / 2, Anchor::kMiddle, axis.title, "dim", -90);
}

double Canvas::Legend(std::span<const std::pair<std::string, int>> names, double left, double top, double right, bool lines) {
  double x = left;
  double y = top;
  for (const auto& [name, series] : names) {
    const double width = 26 + TextWidth(name) + 16;
    if (x > left && x + width > right) {
      x = left;
      y += 20;
    }
    if (lines) Line(x, y + 8, x + 20, y + 8, "s " + SeriesClass('l', series));
    else Rect(x + 4, y + 2, 12, 12, SeriesClass('f', series));
    Text(x + 26, y + 12, Anchor::kStart, name);
    x += width;
  }
  return names.empty() ? 0 : y - top + 26;
}

Html Canvas::Finish(const Frame& frame, double height) const {
  const std::string description = frame.description.empty() ? frame.title : frame.description;
  std::string out = "<figure>";
  if (!frame.title.empty()) out += "<figcaption>" + Escaped(frame.title) + "</figcaption>";
  // Above its own size the text would be larger than the page's; far below, too small to read: it scrolls.
  out += "<svg role=\"img\" viewBox=\"0 0 " + std::to_string(frame.width) + " " + Place(height) + "\" style=\"max-width:" +
         std::to_string(frame.width * 5 / 4) + "px;min-width:" + std::to_string(std::min(frame.width, 480)) + "px\" aria-label=\"" + Escaped(frame.title) + "\"><title>" + Escaped(frame.title) + "</title><desc>" + Escaped(description) + "</desc>\n";
  return {out + marks_ + "</svg></figure>\n"};
}

}  // namespace segue::page
