#include "train/popularity.h"

#include <algorithm>

#include "models/liking.h"
#include "models/popularity.h"

namespace segue::train {
namespace {

class PopularityTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::PopularityModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t,
                                             Instruments&) const override {
    auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
    models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
    auto counts = CountPopularity(preferences, data.tracks.size());
    if (std::none_of(counts.listeners.begin(), counts.listeners.end(), [](float n) { return n > 0; })) {
      return Error{ErrorCode::kInvalid, "popularity: there are no plays, likes or ratings to train on"};
    }
    return models::PopularityModel::Make(data.tracks.id, std::move(counts.listeners), std::move(counts.plays));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakePopularityTrainer() { return std::make_unique<PopularityTrainer>(); }

PopularityCounts CountPopularity(const Preferences& preferences, size_t tracks) {
  PopularityCounts counts{std::vector<float>(tracks, 0.0f), std::vector<float>(tracks, 0.0f)};
  for (const Preference& item : preferences.items) {
    if (item.strength <= 0) continue;
    counts.listeners[Raw(item.track)] += 1;
    counts.plays[Raw(item.track)] += item.strength;
  }
  return counts;
}

std::vector<float> PopularityOf(const Preferences& preferences, size_t tracks) {
  const auto counts = CountPopularity(preferences, tracks);
  std::vector<float> popularity(tracks);
  for (size_t i = 0; i < tracks; ++i) popularity[i] = models::PopularityScore(counts.listeners[i], counts.plays[i]);
  return popularity;
}

}  // namespace segue::train
