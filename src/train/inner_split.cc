#include "train/inner_split.h"

#include <algorithm>
#include <set>

#include "core/frame.h"
#include "core/preferences.h"
#include "core/random.h"

namespace segue::train {
namespace {

constexpr uint64_t kParts = 10;

bool HasTimes(const Dataset& data) {
  const auto timed = std::count_if(data.events.begin(), data.events.end(), [](const Event& event) { return event.at > 0; });
  return !data.events.empty() && static_cast<size_t>(timed) * 2 > data.events.size();
}

/// Of `later`, the tracks that he wants and that are not in `known`, ascending.
/// Whether he wants one is judged on all he did: his mean rating is that of all.
std::vector<TrackIx> Wanted(std::span<const Event> all, const std::set<TrackIx>& later, const std::set<TrackIx>& known,
                            models::Liked liked) {
  std::vector<TrackIx> wanted;
  for (const Preference& item : models::ByLiking(SumByTrack(all, {}), liked)) {
    if (item.strength > 0 && later.contains(item.track) && !known.contains(item.track)) wanted.push_back(item.track);
  }
  return wanted;
}

}  // namespace

InnerSplit SplitInside(const Dataset& data, models::Liked liked, uint64_t seed, uint32_t fold) {
  InnerSplit split{FrameOf(data), std::vector<std::vector<TrackIx>>(data.listener_count())};
  const bool by_time = HasTimes(data);
  size_t review = 0;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto events = data.EventsOf(UserIx{u});  // ascending by time
    std::set<TrackIx> later;
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
        later.insert(events[e].track);
      }
    }
    split.train.begin.push_back(split.train.events.size());
    split.held[u] = Wanted(events, later, known, liked);
    // What he wrote of what is held out would tell of it.
    for (; review < data.reviews.size() && Raw(data.reviews[review].listener) == u; ++review) {
      if (known.contains(data.reviews[review].track)) split.train.reviews.push_back(data.reviews[review]);
    }
  }
  return split;
}

}  // namespace segue::train
