#include "train/pairwise.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "math/kernels/kernels.h"
#include "math/parallel.h"
#include "models/pairwise.h"
#include "train/pairwise_steps.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

/// What listeners want, of the tracks that somebody wants.
struct Wanted {
  Csr listeners;                  ///< [those who want something x tracks]; value: weight, 1 in the mean
  std::vector<uint32_t> row;      ///< [tracks] of the dataset
  std::vector<float> popularity;  ///< [the dataset's tracks]
  models::PairwiseRule rule;
};

Wanted Collect(const Dataset& data, const Settings& settings) {
  Wanted result;
  result.rule.liked = models::LikedRule(settings.liked, data);
  PopularityCounts counts(data.tracks.size());
  double sum = 0;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto items = models::ByLiking(SumByTrack(data.EventsOf(UserIx{u}), {settings.skip_weight, settings.like_weight}), result.rule.liked);
    counts.Add(items);
    const size_t before = result.listeners.size();
    for (const Preference& item : items) {
      if (item.strength <= 0) continue;
      result.listeners.column.push_back(Raw(item.track));
      result.listeners.value.push_back(result.rule.Weight(item.strength));
      sum += result.listeners.value.back();
    }
    if (result.listeners.size() > before) result.listeners.EndRow();
  }
  if (result.listeners.size() == 0) return result;
  result.popularity = counts.Scores();
  result.rule.mean_weight = std::max(std::numeric_limits<float>::min(), static_cast<float>(sum / static_cast<double>(result.listeners.size())));
  for (float& weight : result.listeners.value) weight /= result.rule.mean_weight;
  std::vector<uint32_t> place(data.tracks.size());
  for (uint32_t i = 0; i < place.size(); ++i) {
    if (counts.listeners[i] <= 0) continue;
    place[i] = static_cast<uint32_t>(result.row.size());
    result.row.push_back(i);
  }
  for (uint32_t& column : result.listeners.column) column = place[column];
  return result;
}

class PairwiseTrainer final : public Trainer {
 public:
  PairwiseTrainer(std::string_view algorithm, PairwiseLoss loss, PairwiseSettings Settings::*own)
      : algorithm_(algorithm), loss_(loss), own_(own) {}

  std::string_view algorithm() const override { return algorithm_; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    Wanted wanted = Collect(data, settings);
    if (wanted.listeners.size() == 0) {
      return Error{ErrorCode::kInvalid, std::string(algorithm_) + ": there are no plays, likes or ratings to train on"};
    }
    return math::WithThreads(settings.threads, [&]() -> Result<std::unique_ptr<models::Model>> {
      SEGUE_TRY(const PairwiseFactors factors, Descend(wanted, settings.*own_, seed, instruments));
      std::vector<float> y(data.tracks.size() * factors.stride, 0.0f);
      for (size_t i = 0; i < wanted.row.size(); ++i) {
        std::copy_n(factors.y.data() + i * factors.stride, factors.stride, y.data() + wanted.row[i] * factors.stride);
      }
      return models::PairwiseModel::Make({algorithm_, models::Catalogue(data.tracks.id, std::move(wanted.popularity)),
                                          static_cast<uint32_t>(factors.d), std::move(y), wanted.rule});
    });
  }

 private:
  Result<PairwiseFactors> Descend(const Wanted& wanted, const PairwiseSettings& own, uint64_t seed,
                                  Instruments& instruments) const {
    PairwiseFactors factors(wanted.listeners.rows(), wanted.row.size(), static_cast<size_t>(own.factors), seed);
    PairwiseDescent descent(loss_, wanted.listeners, wanted.row.size(), seed);
    const auto epochs = static_cast<uint64_t>(own.epochs);
    for (uint64_t epoch = 0; epoch < epochs; ++epoch) {
      if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, std::string(algorithm_) + ": asked to stop"};
      instruments.Progress("train", epoch, epochs, "epochs");
      const double left = 1 - static_cast<double>(epoch) / static_cast<double>(epochs);
      descent.Epoch(factors, epoch, {static_cast<float>(own.learning_rate * left), static_cast<float>(own.regularization)});
    }
    if (!std::all_of(factors.y.begin(), factors.y.end(), [](float value) { return std::isfinite(value); })) {
      const std::string name(algorithm_);
      return Error{ErrorCode::kInvalid, name + ": the factors grew beyond all numbers; lower " + name + ".learning_rate (it is " +
                                            std::to_string(own.learning_rate) + ") or raise " + name + ".regularization"};
    }
    instruments.Progress("train", epochs, epochs, "epochs");
    return factors;
  }

  std::string_view algorithm_;
  PairwiseLoss loss_;
  PairwiseSettings Settings::*own_;
};

}  // namespace

std::unique_ptr<Trainer> MakeBprTrainer() {
  return std::make_unique<PairwiseTrainer>(models::PairwiseModel::kBpr, PairwiseLoss::kBpr, &Settings::bpr);
}

std::unique_ptr<Trainer> MakeWarpTrainer() {
  return std::make_unique<PairwiseTrainer>(models::PairwiseModel::kWarp, PairwiseLoss::kWarp, &Settings::warp);
}

}  // namespace segue::train
