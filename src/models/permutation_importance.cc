#include "models/permutation_importance.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/random.h"

namespace segue::models {
namespace {

constexpr double kLeast = 1e-6;  ///< a probability of 0 would cost everything

double LogLoss(const Classifier& model, std::span<const float> x, std::span<const int32_t> label) {
  const size_t labels = model.labels().size();
  std::vector<float> p(label.size() * labels);
  model.Predict(x, p);
  double sum = 0;
  for (size_t r = 0; r < label.size(); ++r) {
    sum -= std::log(std::max<double>(kLeast, p[r * labels + static_cast<size_t>(label[r])]));
  }
  return sum / static_cast<double>(label.size());
}

}  // namespace

std::vector<FeatureLoss> PermutationImportance(const Classifier& model, std::span<const float> x, std::span<const int32_t> label,
                                               size_t repeats, uint64_t seed) {
  const size_t features = model.features().size(), n = label.size();
  SEGUE_CHECK(repeats > 0 && x.size() == n * features);
  std::vector<FeatureLoss> result(features);
  if (n == 0) return result;
  const double whole = LogLoss(model, x, label);
  std::vector<float> mixed(x.begin(), x.end());
  for (size_t f = 0; f < features; ++f) {
    double sum = 0;
    double squares = 0;
    for (size_t k = 0; k < repeats; ++k) {
      Random random(seed, f * repeats + k);
      for (size_t r = 0; r < n; ++r) mixed[r * features + f] = x[r * features + f];
      for (size_t r = n; r > 1; --r) std::swap(mixed[(r - 1) * features + f], mixed[random.Below(r) * features + f]);
      const double rise = LogLoss(model, mixed, label) - whole;
      sum += rise;
      squares += rise * rise;
    }
    for (size_t r = 0; r < n; ++r) mixed[r * features + f] = x[r * features + f];
    const auto count = static_cast<double>(repeats);
    result[f].mean = sum / count;
    result[f].deviation = std::sqrt(std::max(0.0, squares / count - result[f].mean * result[f].mean));
  }
  return result;
}

}  // namespace segue::models
