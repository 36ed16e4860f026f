#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <optional>
#include <utility>

#include "core/check.h"
#include "core/preferences.h"
#include "core/random.h"
#include "evaluate/evaluator.h"

namespace segue::evaluate {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

/// One track within some events of one listener.
struct Summed {
  TrackIx track{};
  bool rated = false;
  float value = 0;     ///< the newest rating, or the strength
  bool disliked = false;
  bool met = false;    ///< something other than skips and dislikes
};

/// Ascending by track.
std::vector<Summed> Sum(std::span<const Event> events, const StrengthRule& rule) {
  std::vector<Summed> result;
  for (const Preference& item : SumByTrack(events, rule)) {
    result.push_back({item.track, false, item.strength, item.strength < 0, false});
  }
  for (const Event& event : events) {
    if (event.kind == EventKind::kSkip || event.kind == EventKind::kDislike || event.kind == EventKind::kNeutral) continue;
    const auto row = std::lower_bound(result.begin(), result.end(), event.track,
                                      [](const Summed& a, TrackIx b) { return a.track < b; });
    row->met = true;
    if (event.kind == EventKind::kRating) {
      row->rated = true;
      row->value = event.value;  // events ascend by time: the newest stays
    }
  }
  return result;
}

struct Mean {
  double sum = 0;
  uint64_t count = 0;
  void Add(double value) {
    sum += value;
    ++count;
  }
  double Value() const { return sum / static_cast<double>(count); }
};

/// Which past gives the mean for tracks without a rating.
enum class PlainMean { kOfTrain, kOfHoldOut };

void MarkAtOrAboveMean(std::span<const Summed> past, std::span<const Summed> held, PlainMean plain,
                       std::span<HeldOut> out) {
  for (const bool rated : {true, false}) {
    Mean mean;
    if (rated || plain == PlainMean::kOfTrain) {
      for (const Summed& item : past) {
        if (item.rated == rated && item.met && !item.disliked) mean.Add(item.value);
      }
    }
    if (mean.count == 0) {
      for (const Summed& item : held) {
        if (item.rated == rated) mean.Add(item.value);
      }
    }
    for (size_t i = 0; i < held.size(); ++i) {
      if (held[i].rated == rated) out[i].at_or_above_mean = held[i].value >= mean.Value();
    }
  }
}

/// Adds one listener's hold-out to the split, if there is any.
void HoldOut(UserIx user, std::span<const Event> past_events, std::vector<Summed> held,
             PlainMean plain, const Settings& settings, Split& split) {
  const auto past = Sum(past_events, {settings.skip_weight, settings.like_weight});
  if (settings.protocol == "discovery") {
    std::erase_if(held, [&](const Summed& item) {
      return std::binary_search(past.begin(), past.end(), item,
                                [](const Summed& a, const Summed& b) { return a.track < b.track; });
    });
  }
  if (held.empty()) return;
  const size_t first = split.held_out.size();
  for (const Summed& item : held) split.held_out.push_back({item.track, item.value, true});
  MarkAtOrAboveMean(past, held, plain, std::span(split.held_out).subspan(first));
  split.listeners.push_back(user);
  split.begin.push_back(split.held_out.size());
}

uint64_t HashOf(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325ULL;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ULL;
  return hash;
}

bool HeldByHash(uint64_t listener_hash, std::string_view track_id, double share) {
  return Random(listener_hash, HashOf(track_id)).Uniform() < share;
}

/// Of `count` events, how many are the newest share: rounded up, never all.
uint64_t NewestShare(uint64_t count, double share) {
  const auto wanted = static_cast<uint64_t>(std::ceil(share * static_cast<double>(count) - 1e-9));
  return std::min(wanted, count - 1);
}

/// The moment from which on one listener's events are held out. `known`: those
/// with a time, ascending. kNever: none is; empty: they have no order.
std::optional<int64_t> ListenerCut(std::span<const Event> known, double share) {
  if (known.size() < 2) return kNever;
  if (known.front().at == known.back().at) return std::nullopt;
  const int64_t cut = known[known.size() - NewestShare(known.size(), share)].at;
  if (cut > known.front().at) return cut;
  return std::find_if(known.begin(), known.end(), [&](const Event& e) { return e.at > cut; })->at;
}

/// The same over everybody: the latest moment with at least the share at or
/// after it. Found by halving, so that no second list of times is needed.
std::optional<int64_t> GlobalCut(std::span<const Event> events, double share) {
  int64_t first = kNever;
  int64_t last = 0;
  uint64_t known = 0;
  for (const Event& event : events) {
    if (event.at <= 0) continue;
    first = std::min(first, event.at);
    last = std::max(last, event.at);
    ++known;
  }
  if (known == 0 || first == last) return std::nullopt;
  const uint64_t wanted = std::max<uint64_t>(1, NewestShare(known, share));
  int64_t low = first;  // at least `wanted` are at or after low, always
  int64_t high = last + 1;
  while (high - low > 1) {
    const int64_t middle = low + (high - low) / 2;
    const auto after = std::count_if(events.begin(), events.end(),
                                     [&](const Event& event) { return event.at >= middle; });
    (static_cast<uint64_t>(after) >= wanted ? low : high) = middle;
  }
  if (low > first) return low;
  int64_t next = last;
  for (const Event& event : events) {
    if (event.at > first) next = std::min(next, event.at);
  }
  return next;
}

std::string Percent(double share) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g %%", share * 100);
  return text;
}

std::string Counts(const Split& split, const Settings& settings) {
  const auto unknown = UnknownTracks(split.train);
  const auto known = std::count_if(split.held_out.begin(), split.held_out.end(),
                                   [&](const HeldOut& held) { return unknown[Raw(held.track)] == 0; });
  return std::string(settings.protocol == "discovery" ? "; unheard tracks only" : "; repeats allowed") + "; " +
         std::to_string(split.listeners.size()) + " listeners, " + std::to_string(split.held_out.size()) +
         " held-out tracks, of which " + std::to_string(known) + " were known before";
}

/// Is the event that the review came with still there?
bool IsIn(const Dataset& data, const Review& review) {
  const auto events = data.EventsOf(review.listener);
  return std::any_of(events.begin(), events.end(),
                     [&](const Event& event) { return event.track == review.track && event.at == review.at; });
}

/// Cuts one listener's events in two.
class Knife {
 public:
  Knife(const Dataset& data, const Settings& settings)
      : data_(data), share_(settings.holdout_share), by_listener_(settings.split != "global_time") {
    if (!by_listener_) global_cut_ = GlobalCut(data.events, share_);
  }

  /// Sends each of the listener's events to past or future.
  void Cut(UserIx user, std::span<const Event> events, std::vector<Event>& past, std::vector<Event>& future) {
    past.clear();
    future.clear();
    const auto known = std::find_if(events.begin(), events.end(), [](const Event& e) { return e.at > 0; });
    const auto unknown_count = static_cast<size_t>(known - events.begin());
    const auto cut = by_listener_ ? ListenerCut(events.subspan(unknown_count), share_) : global_cut_;
    const uint64_t listener_hash = HashOf(data_.listeners[Raw(user)]);
    for (size_t i = 0; i < events.size(); ++i) {
      const Event& event = events[i];
      const bool hashed = !cut || (by_listener_ && i < unknown_count);
      const bool held = hashed ? HeldByHash(listener_hash, data_.tracks.id[Raw(event.track)], share_)
                               : event.at >= *cut;
      hashed_ += hashed;
      (held ? future : past).push_back(event);
    }
  }

  std::string Description() const {
    std::string text = by_listener_ ? "the newest " + Percent(share_) + " of each listener's events"
                                    : "the newest " + Percent(share_) + " of all events";
    if (!by_listener_ && global_cut_) text += ", from Unix second " + std::to_string(*global_cut_) + " on";
    if (hashed_ > 0) {
      text += "; " + std::to_string(hashed_) + " events without an order in time by a hash of listener and track";
    }
    return text;
  }

 private:
  const Dataset& data_;
  const double share_;
  const bool by_listener_;
  std::optional<int64_t> global_cut_;
  uint64_t hashed_ = 0;
};

}  // namespace

Split SplitByTime(Dataset&& data, const Settings& settings) {
  Split split;
  split.train = std::move(data);
  split.begin.push_back(0);
  Dataset& train = split.train;
  Knife knife(train, settings);
  std::vector<Event> past;
  std::vector<Event> future;
  uint64_t begin = 0;
  uint64_t kept = 0;
  for (uint32_t u = 0; u < train.listener_count(); ++u) {
    const uint64_t end = train.begin[u + 1];
    knife.Cut(UserIx{u}, {train.events.data() + begin, end - begin}, past, future);
    auto held = Sum(future, {settings.skip_weight, settings.like_weight});
    std::erase_if(held, [](const Summed& item) {
      return item.disliked || !item.met || (!item.rated && !(item.value > 0));
    });
    HoldOut(UserIx{u}, past, std::move(held), PlainMean::kOfHoldOut, settings, split);
    // The past moves up in place: what lies before `kept` has been cut already.
    std::copy(past.begin(), past.end(), train.events.begin() + static_cast<int64_t>(kept));
    kept += past.size();
    begin = end;
    train.begin[u + 1] = kept;
  }
  train.events.resize(kept);
  std::erase_if(train.reviews, [&](const Review& review) { return !IsIn(train, review); });
  split.description = knife.Description() + Counts(split, settings);
  return split;
}

Split SplitByTime(const Dataset& data, const Settings& settings) {
  return SplitByTime(Dataset(data), settings);
}

Split SplitGiven(Dataset train, const Dataset& test, const Settings& settings) {
  SEGUE_CHECK(train.listeners == test.listeners);
  SEGUE_CHECK(train.tracks.id == test.tracks.id);
  Split split;
  split.train = std::move(train);
  split.begin.push_back(0);
  for (uint32_t u = 0; u < test.listener_count(); ++u) {
    auto held = Sum(test.EventsOf(UserIx{u}), {settings.skip_weight, settings.like_weight});
    std::erase_if(held, [](const Summed& item) { return item.disliked || !item.met; });
    HoldOut(UserIx{u}, split.train.EventsOf(UserIx{u}), std::move(held), PlainMean::kOfTrain, settings, split);
  }
  split.description = "the test file" + Counts(split, settings);
  return split;
}

}  // namespace segue::evaluate
