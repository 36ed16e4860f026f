#include "core/prometheus.h"

#include <charconv>
#include <cmath>

namespace segue {
namespace {

std::string Number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  char buffer[40];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

/// Backslash and line end, and in a label's value the quotes too.
std::string Escaped(std::string_view text, bool quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (c == '\\' || (quotes && c == '"')) out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

void PrometheusText::Family(std::string_view name, std::string_view type, std::string_view help) {
  family_ = name;
  text_.append("# HELP ").append(name).append(" ").append(Escaped(help, false)).append("\n# TYPE ").append(name).append(" ").append(type).append("\n");
}

void PrometheusText::Sample(double value, Labels labels, std::string_view suffix) {
  text_.append(family_).append(suffix);
  bool first = true;
  for (const auto& [label, content] : labels) {
    text_.append(first ? "{" : ",").append(label).append("=\"").append(Escaped(content, true)).append("\"");
    first = false;
  }
  text_.append(first ? " " : "} ").append(Number(value)).append("\n");
}

void PrometheusText::One(std::string_view name, std::string_view type, std::string_view help, double value, Labels labels) {
  Family(name, type, help);
  Sample(value, labels);
}

}  // namespace segue
