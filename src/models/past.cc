#include "models/past.h"

#include <algorithm>

namespace segue::models {

RowMap::RowMap(const Model& model, std::span<const std::string> track_ids) : rows_(track_ids.size(), kNone) {
  uint32_t next = 0;
  for (size_t i = 0; i < track_ids.size(); ++i) {
    // Both sides number their tracks by ascending id: mostly it is the next one.
    if (next < model.track_count() && model.TrackId(TrackIx{next}) == track_ids[i]) {
      rows_[i] = next++;
    } else if (const auto row = model.Find(track_ids[i])) {
      rows_[i] = Raw(*row);
      next = Raw(*row) + 1;
    }
  }
}

Past RowMap::PastOf(std::string_view listener, std::span<const Event> events, const StrengthRule& rule) const {
  Past past{std::string(listener), {}, {}};
  for (Preference item : SumByTrack(events, rule)) {
    const uint32_t row = (*this)[item.track];
    if (row == kNone) continue;
    item.track = TrackIx{row};
    past.tracks.push_back(item);
  }
  // Both sides number their tracks by ascending id, so that this is sorted
  // already; a dataset read from elsewhere may not be.
  const auto by_track = [](const Preference& a, const Preference& b) { return a.track < b.track; };
  if (!std::is_sorted(past.tracks.begin(), past.tracks.end(), by_track)) {
    std::sort(past.tracks.begin(), past.tracks.end(), by_track);
  }
  for (Played play : RecentPlays(events)) {
    const uint32_t row = (*this)[play.track];
    if (row != kNone) past.recent.push_back({TrackIx{row}, play.at});
  }
  return past;
}

}  // namespace segue::models
