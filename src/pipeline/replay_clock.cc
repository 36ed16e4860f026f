#include "pipeline/replay_clock.h"

#include <algorithm>
#include <unordered_map>

#include "core/text.h"

namespace segue::pipeline {
namespace {

constexpr int64_t kDay = 86'400;
constexpr double kSharedByMany = 20;

int64_t DayOf(int64_t at) { return at - at % kDay; }

/// Keeps what has a time; how many events have none.
uint64_t DropUndated(Dataset& data) {
  uint64_t kept = 0;
  uint64_t first = 0;
  for (size_t u = 0; u < data.listener_count(); ++u) {
    const uint64_t end = data.begin[u + 1];
    for (uint64_t e = first; e < end; ++e) {
      if (data.events[e].at > 0) data.events[kept++] = data.events[e];
    }
    first = end;
    data.begin[u + 1] = kept;
  }
  const uint64_t dropped = data.events.size() - kept;
  data.events.resize(kept);
  std::erase_if(data.reviews, [](const Review& review) { return review.at <= 0; });
  return dropped;
}

/// Mean number of listeners of a calendar window in which anybody listens.
double ListenersAWindow(const Dataset& data, int64_t zero, int64_t window_s) {
  std::unordered_map<int64_t, uint64_t> listeners;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    int64_t last = -1;
    for (const Event& event : data.EventsOf(UserIx{u})) {
      const int64_t window = (event.at - zero) / window_s;
      if (window != last) ++listeners[window];
      last = window;
    }
  }
  uint64_t sum = 0;
  for (const auto& [window, count] : listeners) sum += count;
  return static_cast<double>(sum) / static_cast<double>(listeners.size());
}

void ShiftToDay(Dataset& data, int64_t day) {
  std::vector<int64_t> back(data.listener_count(), 0);
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto events = data.EventsOf(UserIx{u});
    if (events.empty()) continue;
    back[u] = DayOf(events.front().at) - day;
    for (uint64_t e = data.begin[u]; e < data.begin[u + 1]; ++e) data.events[e].at -= back[u];
  }
  // A review may be older than the events that are left of its listener.
  for (Review& review : data.reviews) review.at = std::max<int64_t>(1, review.at - back[Raw(review.listener)]);
}

Result<uint32_t> FirstWindow(const Dataset& data, const Timeline& timeline, const ClockOptions& options) {
  const std::string days = Significant(static_cast<double>(timeline.windows) * static_cast<double>(timeline.window_s) / kDay, 3);
  const Error too_short{ErrorCode::kInvalid,
                        "replay: the history fills " + std::to_string(timeline.windows) + " windows of " +
                            Significant(static_cast<double>(timeline.window_s) / kDay, 3) + " days (" + days +
                            " days), which leaves none to judge after the start. Choose a shorter --window" +
                            (options.start_s > 0 ? ", an earlier --start" : "") + ", or give longer histories."};
  if (options.start_s > 0) {
    const int64_t first = (options.start_s + timeline.window_s - 1) / timeline.window_s;
    if (first >= timeline.windows) return too_short;
    return static_cast<uint32_t>(first);
  }
  if (timeline.windows < 2) return too_short;
  std::vector<uint64_t> in_window(timeline.windows, 0);
  for (const Event& event : data.events) ++in_window[timeline.WindowOf(event.at)];  // a tail too short for a window is in the last
  const double wanted = options.start_share * static_cast<double>(data.events.size());
  uint64_t before = 0;
  for (uint32_t w = 0; w + 1 < timeline.windows; ++w) {
    before += in_window[w];
    if (static_cast<double>(before) >= wanted) return w + 1;
  }
  return too_short;
}

}  // namespace

uint32_t Timeline::WindowOf(int64_t at) const {
  if (at < zero) return 0;
  return static_cast<uint32_t>(std::min<int64_t>((at - zero) / window_s, static_cast<int64_t>(windows) - 1));
}

Result<Timeline> SetClock(Dataset& data, const ClockOptions& options) {
  if (options.window_s < 3600 || options.window_s > 3660 * kDay) {
    return Error{ErrorCode::kInvalid, "replay: a window of " + std::to_string(options.window_s) + " seconds; --window takes 1h to 3660d"};
  }
  Timeline timeline{.window_s = options.window_s};
  timeline.undated = DropUndated(data);
  if (data.events.empty()) {
    return Error{ErrorCode::kInvalid, timeline.undated == 0
                                          ? "replay: there is no listening in these histories, so there is nothing to walk through."
                                          : "replay: none of the " + std::to_string(timeline.undated) +
                                                " events has a time, so there is no order to walk through. Give histories with times, e.g. Spotify exports."};
  }
  const auto [oldest, newest] = std::minmax_element(data.events.begin(), data.events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
  timeline.from = oldest->at;
  timeline.to = newest->at;
  timeline.zero = DayOf(timeline.from);
  timeline.listeners_a_window = ListenersAWindow(data, timeline.zero, options.window_s);
  const bool shared = timeline.listeners_a_window > static_cast<double>(data.listener_count()) / 2 || timeline.listeners_a_window >= kSharedByMany;
  timeline.by_listener = options.clock == "listener" || (options.clock == "auto" && !shared);
  int64_t last = timeline.to;
  if (timeline.by_listener) {
    ShiftToDay(data, timeline.zero);
    last = std::max_element(data.events.begin(), data.events.end(), [](const Event& a, const Event& b) { return a.at < b.at; })->at;
  }
  // A few hours of a last window would judge the arms by a handful of listeners.
  timeline.windows = static_cast<uint32_t>((last - timeline.zero + options.window_s / 2) / options.window_s);
  SEGUE_TRY(timeline.first, FirstWindow(data, timeline, options));
  return timeline;
}

std::span<const Event> EventsBetween(const Dataset& data, UserIx user, int64_t from, int64_t to) {
  const auto events = data.EventsOf(user);
  const auto earlier = [](const Event& event, int64_t moment) { return event.at < moment; };
  const auto first = std::lower_bound(events.begin(), events.end(), from, earlier);
  return {first, std::lower_bound(first, events.end(), to, earlier)};
}

void PastUntil(const Dataset& data, int64_t moment, Dataset& past) {
  past.begin.assign(1, 0);
  past.events.clear();
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto events = EventsBetween(data, UserIx{u}, 0, moment);
    past.events.insert(past.events.end(), events.begin(), events.end());
    past.begin.push_back(past.events.size());
  }
  past.reviews.clear();
  std::copy_if(data.reviews.begin(), data.reviews.end(), std::back_inserter(past.reviews),
               [&](const Review& review) { return review.at < moment; });
}

}  // namespace segue::pipeline
