#include "serve/filter.h"

#include <algorithm>

namespace segue::serve {
namespace {

/// Which rows one of the names is on.
template <typename Find, typename Rows>
std::vector<uint8_t> OnAny(size_t tracks, std::span<const std::string> names, const Find& find, const Rows& rows) {
  std::vector<uint8_t> on(tracks, 0);
  for (const std::string& name : names) {
    const auto number = find(name);
    if (!number) continue;
    for (const uint32_t row : rows(*number)) on[row] = 1;
  }
  return on;
}

void Keep(std::vector<uint8_t>& passing, const std::vector<uint8_t>& on, uint8_t wanted) {
  for (size_t row = 0; row < passing.size(); ++row) passing[row] = passing[row] != 0 && on[row] == wanted;
}

}  // namespace

std::vector<uint8_t> Passing(const Ground& ground, const Filter& filter) {
  if (filter.empty()) return {};
  const Tracks& tracks = ground.data().tracks;
  const Facets& facets = ground.facets();
  const auto tagged = [&](std::span<const std::string> names) {
    return OnAny(tracks.size(), names, [&](const std::string& name) { return facets.FindTag(name); },
                 [&](uint32_t tag) { return facets.Tagged(tag); });
  };
  const auto by = [&](std::span<const std::string> names) {
    return OnAny(tracks.size(), names, [&](const std::string& name) { return facets.FindArtist(name); },
                 [&](uint32_t artist) { return facets.TracksOf(artist); });
  };
  std::vector<uint8_t> passing(tracks.size(), 1);
  if (!filter.tags_any.empty()) Keep(passing, tagged(filter.tags_any), 1);
  for (const std::string& tag : filter.tags_all) Keep(passing, tagged({&tag, 1}), 1);
  if (!filter.tags_not.empty()) Keep(passing, tagged(filter.tags_not), 0);
  if (!filter.artists.empty()) Keep(passing, by(filter.artists), 1);
  if (!filter.artists_not.empty()) Keep(passing, by(filter.artists_not), 0);
  if (filter.year_from || filter.year_to) {
    const int64_t from = filter.year_from.value_or(1), to = filter.year_to.value_or(INT64_MAX);
    for (size_t row = 0; row < passing.size(); ++row) passing[row] = passing[row] != 0 && tracks.year[row] >= from && tracks.year[row] <= to;
  }
  for (const Filter::Range& range : filter.features) {
    // As features are kept: what is shown as 0.6 is no more than 0.6.
    const auto least = static_cast<float>(range.least), most = static_cast<float>(range.most);
    for (size_t row = 0; row < passing.size(); ++row) {
      const float value = tracks.features[row * kAudioFeatures.size() + range.feature];
      passing[row] = passing[row] != 0 && value >= least && value <= most;  // NaN is in no range
    }
  }
  return passing;
}

}  // namespace segue::serve
