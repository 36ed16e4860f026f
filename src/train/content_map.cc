#include "train/content_map.h"

#include <algorithm>
#include <cmath>

#include "core/check.h"
#include "core/random.h"
#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "models/content_map.h"
#include "train/content.h"
#include "train/ials.h"
#include "train/popularity.h"
#include "train/ridge.h"

namespace segue::train {
namespace {

using models::ContentMap;

/// What the regression is made of: a row a track, φ empty where nothing is
/// known, weight 0 where nobody played it.
struct Problem {
  ContentMap::Parts parts;
  Csr inputs;
  std::vector<float> weight;
  std::span<const float> targets;  // [tracks x stride]
  size_t stride = 0;
  RidgeRule rule;
};

void ScaleAmounts(const Dataset& data, std::span<const std::vector<std::string_view>> reviews, ContentMap::Parts& parts) {
  double sum = 0;
  double square = 0;
  const auto n = static_cast<double>(data.tracks.size());
  for (size_t i = 0; i < data.tracks.size(); ++i) {
    const double amount = ContentMap::Amount(models::TermsOf(data.tracks, data.tags, i, reviews[i]));
    sum += amount;
    square += amount * amount;
  }
  const double variance = square / n - (sum / n) * (sum / n);
  parts.amount_mean = static_cast<float>(sum / n);
  parts.amount_scale = variance > 1e-9 ? static_cast<float>(1 / std::sqrt(variance)) : 0;
}

/// Halves that no order of the tracks can line up with.
size_t HalfOf(size_t track) { return Random(0, track).Next() % 2; }

/// s of the header.
Result<float> Shrinkage(const Problem& problem, Instruments& instruments) {
  double product = 0;
  double square = 0;
  for (const size_t half : {size_t{0}, size_t{1}}) {
    std::vector<float> weight = problem.weight;
    for (size_t i = 0; i < weight.size(); ++i) weight[i] = HalfOf(i) == half ? 0 : weight[i];
    SEGUE_TRY(const auto w, SolveRidge(problem.inputs, ContentMap::Columns(problem.parts), weight, problem.targets,
                                       problem.stride, problem.rule, instruments));
    const std::vector<float> forecast = Multiply(problem.inputs, w, problem.stride);
    for (size_t i = 0; i < weight.size(); ++i) {
      if (HalfOf(i) != half) continue;
      for (size_t j = 0; j < problem.stride; ++j) {
        const double guess = forecast[i * problem.stride + j];
        product += problem.weight[i] * guess * problem.targets[i * problem.stride + j];
        square += problem.weight[i] * guess * guess;
      }
    }
  }
  return square > 0 ? static_cast<float>(std::clamp(product / square, 0.0, 1.0)) : 0.0f;
}

/// Sets parts.w.
Status FitMap(Problem& problem, Instruments& instruments) {
  SEGUE_TRY(const float shrinkage, Shrinkage(problem, instruments));
  SEGUE_TRY(problem.parts.w, SolveRidge(problem.inputs, ContentMap::Columns(problem.parts), problem.weight,
                                        problem.targets, problem.stride, problem.rule, instruments));
  for (float& value : problem.parts.w) value *= shrinkage;
  return {};
}

Result<std::unique_ptr<models::Model>> WithContent(const Dataset& data, const models::Model& model, const Settings& settings,
                                                   Instruments& instruments) {
  const auto* ials = dynamic_cast<const models::IalsModel*>(&model);
  SEGUE_CHECK(ials != nullptr);
  const size_t n = data.tracks.size();
  auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
  models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
  PopularityCounts counts(n);
  counts.Add(preferences.items);
  const auto prior = static_cast<float>(settings.ials_content.prior_listeners);

  Problem problem;
  problem.parts.vocabulary = TextSpaceOf(data).vocabulary;
  problem.parts.scale = models::FeatureScale::Of(data.tracks, data.extra_features);
  problem.parts.factors = ials->factor_count();
  const auto reviews = ReviewsByTrack(data);
  ScaleAmounts(data, reviews, problem.parts);
  problem.targets = ials->factors();
  problem.stride = math::PaddedTo(problem.parts.factors);
  problem.rule = {settings.ials_content.regularization, settings.ials_content.most_steps};
  for (size_t i = 0; i < n; ++i) {
    const auto input = ContentMap::Input(problem.parts, data.tracks, data.tags, data.extra_features, i, reviews[i]);
    problem.inputs.column.insert(problem.inputs.column.end(), input.column.begin(), input.column.end());
    problem.inputs.value.insert(problem.inputs.value.end(), input.value.begin(), input.value.end());
    problem.inputs.EndRow();
    const auto holders = static_cast<float>(counts.listeners[i]);
    problem.weight.push_back(holders > 0 ? holders / (holders + prior) : 0);
  }
  if (const Status status = FitMap(problem, instruments); !status.ok()) return status.error().In("ials_content");

  std::vector<float> y = Multiply(problem.inputs, problem.parts.w, problem.stride);
  const auto played = ials->catalogue().popularity();
  std::vector<float> popularity(played.begin(), played.end());
  for (size_t i = 0; i < n; ++i) {
    const bool described = problem.inputs.begin[i] < problem.inputs.begin[i + 1];
    if (played[i] == models::kNever) {
      if (described) popularity[i] = 0;
      continue;
    }
    const auto holders = static_cast<float>(counts.listeners[i]);
    const float own = described ? holders / (holders + prior) : 1;
    for (size_t j = 0; j < problem.stride; ++j) {
      float& value = y[i * problem.stride + j];
      value = own * problem.targets[i * problem.stride + j] + (1 - own) * value;
    }
  }
  return models::IalsContentModel::Make(ials->WithFactors(models::Catalogue(data.tracks.id, std::move(popularity)), std::move(y)),
                                        ContentMap(std::move(problem.parts)));
}

class IalsContentTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::IalsContentModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    const auto fitted = MakeIalsTrainer()->Fit(data, settings, seed, instruments);
    if (!fitted.ok()) return fitted.error().In("ials_content");
    return MapContent(data, **fitted, settings, instruments);
  }
};

}  // namespace

Result<std::unique_ptr<models::Model>> MapContent(const Dataset& data, const models::Model& ials, const Settings& settings, Instruments& instruments) {
  return math::WithThreads(settings.threads, [&] { return WithContent(data, ials, settings, instruments); });
}

std::unique_ptr<Trainer> MakeIalsContentTrainer() { return std::make_unique<IalsContentTrainer>(); }

}  // namespace segue::train
