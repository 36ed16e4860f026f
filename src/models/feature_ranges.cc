#include "models/feature_ranges.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "core/check.h"

namespace segue::models {
namespace {

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

float At(const std::vector<float>& sorted, double share) {
  return sorted[static_cast<size_t>(std::lround(share * static_cast<double>(sorted.size() - 1)))];
}

/// The known values of a column, ascending.
std::vector<float> Known(std::span<const float> rows, size_t features, size_t feature) {
  std::vector<float> values;
  for (size_t i = feature; i < rows.size(); i += features) {
    if (!std::isnan(rows[i])) values.push_back(rows[i]);
  }
  std::sort(values.begin(), values.end());
  return values;
}

std::string Joined(const std::vector<std::string>& names) {
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "'" : ", '") + name + "'";
  return all;
}

std::string Number(float value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.7g", static_cast<double>(value));
  return text;
}

}  // namespace

FeatureRanges MeasureRanges(std::span<const float> rows, size_t features) {
  FeatureRanges ranges;
  for (size_t f = 0; f < features; ++f) {
    const std::vector<float> values = Known(rows, features, f);
    if (values.empty()) {
      ranges.push_back({kNan, kNan, kNan, kNan, kNan});
    } else {
      ranges.push_back({values.front(), At(values, 0.01), At(values, 0.5), At(values, 0.99), values.back()});
    }
  }
  return ranges;
}

std::vector<std::string> UnknownFeatures(std::span<const std::string> names, const Classifier& model) {
  const std::vector<std::string>& known = model.features();
  std::vector<std::string> unknown;
  for (const std::string& name : names) {
    if (std::find(known.begin(), known.end(), name) == known.end()) unknown.push_back(name);
  }
  return unknown;
}

Result<std::vector<float>> ArrangeFeatures(std::span<const std::string> names, std::span<const double> values,
                                           const Classifier& model) {
  std::vector<size_t> from;
  std::vector<std::string> lacking;
  for (const std::string& feature : model.features()) {
    const auto at = std::find(names.begin(), names.end(), feature);
    if (at == names.end()) {
      lacking.push_back(feature);
      continue;
    }
    if (std::find(at + 1, names.end(), feature) != names.end()) {
      return Error{ErrorCode::kInvalid, "feature '" + feature + "' is given twice; leave one out"};
    }
    from.push_back(static_cast<size_t>(at - names.begin()));
  }
  if (!lacking.empty()) {
    const auto unknown = UnknownFeatures(names, model);
    return Error{ErrorCode::kInvalid, "the model needs " + Joined(lacking) + ", which " + (lacking.size() == 1 ? "is" : "are") +
                                          " not given" + (unknown.empty() ? "" : "; given, but never seen by the model: " + Joined(unknown)) +
                                          ". It was trained on " + Joined(model.features())};
  }
  const size_t n = names.empty() ? 0 : values.size() / names.size();
  SEGUE_CHECK(values.size() == n * names.size());
  std::vector<float> rows;
  rows.reserve(n * from.size());
  for (size_t r = 0; r < n; ++r) {
    for (const size_t column : from) {
      const double value = values[r * names.size() + column];
      if (std::isinf(value) || std::abs(value) > static_cast<double>(std::numeric_limits<float>::max())) {
        return Error{ErrorCode::kInvalid, "row " + std::to_string(r + 1) + ": '" + names[column] + "' is not finite"};
      }
      rows.push_back(static_cast<float>(value));
    }
  }
  return rows;
}

std::vector<OutsideRange> FindOutside(std::span<const float> rows, std::span<const FeatureRange> ranges) {
  std::vector<OutsideRange> outside;
  for (size_t i = 0; i < rows.size(); ++i) {
    const FeatureRange& range = ranges[i % ranges.size()];
    // A feature that was never known in training, or is not known here, is outside of nothing.
    if (rows[i] < range.least || rows[i] > range.most) outside.push_back({i / ranges.size(), i % ranges.size(), rows[i]});
  }
  return outside;
}

std::vector<std::string> RangeWarnings(std::span<const float> rows, std::span<const FeatureRange> ranges,
                                       std::span<const std::string> features, const std::vector<std::string>& where) {
  const auto outside = FindOutside(rows, ranges);
  const size_t n = rows.size() / ranges.size();
  std::vector<std::string> warnings;
  for (size_t f = 0; f < ranges.size(); ++f) {
    const FeatureRange& range = ranges[f];
    const std::vector<float> values = Known(rows, ranges.size(), f);
    if (values.empty()) continue;
    const float median = At(values, 0.5);
    if (median < range.low || median > range.high) {
      warnings.push_back(features[f] + ": the median of these rows is " + Number(median) + "; in training 98 % were between " +
                         Number(range.low) + " and " + Number(range.high) + ". In other units? Predictions lean on it.");
      continue;
    }
    size_t count = 0;
    const OutsideRange* first = nullptr;
    for (const OutsideRange& one : outside) {
      if (one.feature != f) continue;
      if (first == nullptr) first = &one;
      ++count;
    }
    if (first == nullptr) continue;
    warnings.push_back(features[f] + ": " + Number(first->value) + " (" + where[first->row] + ") is outside of what the model was trained on, " +
                       Number(range.least) + " to " + Number(range.most) + "; so " + (count == 1 ? "is 1 row" : "are " + std::to_string(count) + " rows") +
                       " of " + std::to_string(n));
  }
  return warnings;
}

}  // namespace segue::models
