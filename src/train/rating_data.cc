#include "train/rating_data.h"

#include <cmath>
#include <string>

namespace segue::train {

Result<RatingData> RatingsOf(const Preferences& preferences, std::string_view algorithm) {
  const auto scale = models::ScaleOf(preferences.items);
  if (!scale) {
    return Error{ErrorCode::kInvalid, std::string(algorithm) + ": there are no ratings, plays or likes to train on"};
  }
  RatingData data;
  data.scale = *scale;
  for (size_t u = 0; u + 1 < preferences.begin.size(); ++u) {
    const size_t first = data.chosen.size();
    for (const Preference& item : preferences.Of(UserIx{static_cast<uint32_t>(u)})) {
      if (const auto target = scale->Target(item)) {
        data.ratings.column.push_back(Raw(item.track));
        data.ratings.value.push_back(*target);
      }
      if (models::RatingScale::Chosen(item)) data.chosen.column.push_back(Raw(item.track));
    }
    const auto count = static_cast<float>(data.chosen.size() - first);
    data.chosen.value.resize(data.chosen.size(), count > 0 ? 1 / std::sqrt(count) : 0);
    data.ratings.EndRow();
    data.chosen.EndRow();
  }
  return data;
}

}  // namespace segue::train
