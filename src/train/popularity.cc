#include "train/popularity.h"

#include <algorithm>

#include "models/liking.h"
#include "models/popularity.h"

namespace segue::train {
namespace {

std::vector<float> Floats(const std::vector<double>& values) {
  std::vector<float> floats(values.size());
  std::transform(values.begin(), values.end(), floats.begin(), [](double value) { return static_cast<float>(value); });
  return floats;
}

class PopularityTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::PopularityModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments&) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
    PopularityCounts counts(data.tracks.size());
    counts.Add(preferences.items);
    if (std::none_of(counts.listeners.begin(), counts.listeners.end(), [](double n) { return n > 0; })) {
      return Error{ErrorCode::kInvalid, "popularity: there are no plays, likes or ratings to train on"};
    }
    return models::PopularityModel::Make(data.tracks.id, Floats(counts.listeners), Floats(counts.plays));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakePopularityTrainer() { return std::make_unique<PopularityTrainer>(); }

void PopularityCounts::Add(std::span<const Preference> items) {
  for (const Preference& item : items) {
    if (item.strength <= 0) continue;
    listeners[Raw(item.track)] += 1;
    plays[Raw(item.track)] += item.strength;
  }
}

std::vector<float> PopularityCounts::Scores() const {
  std::vector<float> scores(listeners.size());
  for (size_t i = 0; i < scores.size(); ++i) scores[i] = models::PopularityScore(static_cast<float>(listeners[i]), static_cast<float>(plays[i]));
  return scores;
}

std::vector<float> PopularityOf(const Preferences& preferences, size_t tracks) {
  PopularityCounts counts(tracks);
  counts.Add(preferences.items);
  return counts.Scores();
}

}  // namespace segue::train
