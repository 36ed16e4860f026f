#include <cstdlib>

#include "core/check.h"
#include "page/charts.h"
#include "page/style.h"

namespace segue::page {
namespace {

constexpr double kMargin = 14;
constexpr double kTitle = 26;

std::string Between(const std::string& text, const std::string& after, const std::string& before) {
  const size_t from = text.find(after);
  if (from == std::string::npos) return "";
  const size_t start = from + after.size();
  return text.substr(start, text.find(before, start) - start);
}

std::string Number(double value) {
  std::string text = std::to_string(value);
  text.resize(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text;
}

}  // namespace

std::string Standalone(const Html& chart) {
  const std::string& text = chart.text;
  const std::string box = Between(text, "viewBox=\"0 0 ", "\"");
  const size_t head_end = text.find("><title>", text.find("<svg"));
  const size_t end = text.find("</svg>");
  SEGUE_CHECK(!box.empty() && head_end != std::string::npos && end != std::string::npos);
  const double width = std::strtod(box.c_str(), nullptr);
  const double height = std::strtod(box.c_str() + box.find(' '), nullptr);
  const std::string title = Between(text, "<figcaption>", "</figcaption>");  // escaped already
  const double above = kMargin + (title.empty() ? 0 : kTitle);
  const double full_width = width + 2 * kMargin, full_height = height + above + kMargin;
  const std::string size = " width=\"" + Number(full_width) + "\" height=\"" + Number(full_height) + "\"";
  const std::string corner = "x=\"" + Number(-kMargin) + "\" y=\"" + Number(-above) + "\"";
  std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" role=\"img\"" + size + " viewBox=\"" + Number(-kMargin) + " " + Number(-above) + " " +
                    Number(full_width) + " " + Number(full_height) + "\">\n<style>" + std::string(kStyle) + "</style>\n";
  const std::string content = text.substr(head_end + 1, end - head_end - 1);
  // The title and the description come first in an SVG that is read aloud.
  const size_t marks = content.find("</desc>") + std::string("</desc>").size();
  out += content.substr(0, marks) + "\n<rect " + corner + size + " rx=\"10\" style=\"fill:var(--card);stroke:var(--line)\"/>\n";
  if (!title.empty()) out += "<text x=\"0\" y=\"" + Number(-kTitle / 2 + 2) + "\" style=\"font-weight:600;font-size:15px\">" + title + "</text>";
  return out + content.substr(marks) + "</svg>\n";
}

}  // namespace segue::page
