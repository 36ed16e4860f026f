#include "pipeline/records.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <random>

#include <nlohmann/json.hpp>

namespace segue::pipeline {

using nlohmann::json;

json ToJson(const Report& report) {
  json figures = json::object();
  for (const auto& [name, figure] : report.figures) {
    figures[name] = {{"value", figure.value}, {"low", figure.low}, {"high", figure.high}};
  }
  json segments = json::object();
  for (int s = 0; s < kSegments; ++s) {
    const auto segment = static_cast<Segment>(s);
    json one = {{"listeners", std::count(report.segment.begin(), report.segment.end(), segment)}};
    for (const char* figure : {"mrr", "ndcg@100"}) {
      const double mean = MeanOf(report, figure, segment);
      one[figure] = std::isfinite(mean) ? json(mean) : json();
    }
    segments[std::string(Name(segment))] = std::move(one);
  }
  return {{"segments", segments}, {"model_id", report.model_id}, {"algorithm", report.algorithm},
          {"dataset_id", report.dataset_id}, {"protocol", report.protocol},
          {"listeners", report.listeners}, {"held_out", report.held_out},
          {"catalogue", report.catalogue}, {"figures", figures}};
}

json ToJson(const HitReport& report) {
  const auto figure = [](double value) { return json{{"value", std::isfinite(value) ? json(value) : json()}}; };
  json classes = json::object(), confusion = json::array();
  for (size_t c = 0; c < report.labels.size(); ++c) {
    const HitReport::OfClass& one = report.of_class[c];
    classes[report.labels[c]] = {{"precision", one.precision}, {"recall", one.recall}, {"f1", one.f1}, {"support", one.support}};
    const auto row = report.confusion.begin() + static_cast<std::ptrdiff_t>(c * report.labels.size());
    confusion.push_back(std::vector<uint64_t>(row, row + static_cast<std::ptrdiff_t>(report.labels.size())));
  }
  return {{"model_id", report.model_id}, {"algorithm", report.algorithm}, {"dataset_id", report.dataset_id},
          {"trained", report.trained}, {"songs", report.songs}, {"labels", report.labels},
          {"figures", {{"auc", figure(report.auc)}, {"accuracy", figure(report.accuracy)}, {"log_loss", figure(report.log_loss)}}},
          {"classes", classes}, {"confusion", confusion}};
}

json ToJson(const std::vector<Check>& checks) {
  json list = json::array();
  for (const Check& check : checks) {
    list.push_back({{"name", check.name}, {"passed", check.passed},
                    {"value", std::isfinite(check.value) ? json(check.value) : json()},
                    {"limit", std::isfinite(check.limit) ? json(check.limit) : json()},
                    {"why", check.why}});
  }
  return list;
}

json ToJson(const Verdict& verdict) {
  const bool approved = std::holds_alternative<Approval>(verdict);
  const auto& checks = approved ? std::get<Approval>(verdict).checks() : std::get<Refusal>(verdict).checks;
  return {{"approved", approved},
          {"model_id", approved ? std::get<Approval>(verdict).model_id() : std::get<Refusal>(verdict).model_id},
          {"reason", approved ? "every check passed" : std::get<Refusal>(verdict).reason},
          {"checks", ToJson(checks)}};
}

std::string NewRunId(int64_t now_ms) {
  const std::time_t seconds = now_ms / 1000;
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  char text[40];
  std::random_device entropy;
  std::snprintf(text, sizeof text, "r%04d%02d%02d-%02d%02d%02d-%04x", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, entropy() & 0xffffu);
  return text;
}

}  // namespace segue::pipeline
