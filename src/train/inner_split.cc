#include "train/inner_split.h"

#include <algorithm>
#include <set>

#include "core/preferences.h"
#include "core/random.h"

namespace segue::train {
namespace {

constexpr uint64_t kParts = 5;

bool HasTimes(const Dataset& data) {
  const auto timed = std::count_if(data.events.begin(), data.events.end(), [](const Event& event) { return event.at > 0; });
  return !data.events.empty() && static_cast<size_t>(timed) * 2 > data.events.size();
}

/// Everything but the events.
Dataset Frame(const Dataset& data) {
  Dataset frame;
  frame.id = data.id;
  frame.tracks = data.tracks;
  frame.listeners = data.listeners;
  frame.tags = data.tags;
  frame.extra_features = data.extra_features;
  frame.friends = data.friends;
  frame.begin.push_back(0);
  return frame;
}

/// The tracks of `events` that are wanted and not in `known`, ascending.
std::vector<TrackIx> Wanted(std::span<const Event> events, const std::set<TrackIx>& known) {
  std::vector<TrackIx> wanted;
  for (const Preference& item : SumByTrack(events, {})) {
    if (item.strength > 0 && !known.contains(item.track)) wanted.push_back(item.track);
  }
  return wanted;
}

}  // namespace

InnerSplit SplitInside(const Dataset& data, uint64_t seed, uint32_t fold) {
  InnerSplit split{Frame(data), std::vector<std::vector<TrackIx>>(data.listener_count())};
  const bool by_time = HasTimes(data);
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto events = data.EventsOf(UserIx{u});  // ascending by time
    std::vector<Event> later;
    std::set<TrackIx> known;
    const size_t cut = events.size() * (kParts - 1 - fold) / kParts;
    const size_t end = events.size() * (kParts - fold) / kParts;
    for (size_t e = 0; e < events.size(); ++e) {
      const uint64_t hash = Random(seed, (static_cast<uint64_t>(u) << 32) | Raw(events[e].track)).Next();
      const bool held = by_time ? e >= cut : hash % kParts == fold;
      if (!held) {
        split.train.events.push_back(events[e]);
        known.insert(events[e].track);
      } else if (!by_time || e < end) {
        later.push_back(events[e]);
      }
    }
    split.train.begin.push_back(split.train.events.size());
    split.held[u] = Wanted(later, known);
  }
  return split;
}

}  // namespace segue::train
