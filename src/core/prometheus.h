#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace segue {

/// Prometheus' text format, version 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats):
/// families of samples, each with its HELP and TYPE before it.
class PrometheusText {
 public:
  using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

  /// Begins a family. `type`: "counter", "gauge" or "histogram"; a counter's name
  /// ends in _total, units are seconds, bytes and ratios.
  void Family(std::string_view name, std::string_view type, std::string_view help);
  /// A sample of the present family; `suffix` "_bucket", "_sum", "_count" of a histogram.
  void Sample(double value, Labels labels = {}, std::string_view suffix = "");

  /// A family of one sample.
  void One(std::string_view name, std::string_view type, std::string_view help, double value, Labels labels = {});

  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string family_;
};

}  // namespace segue
