#include "core/preferences.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace segue {
namespace {

struct Running {
  Preference sum;
  float likes = 0;
  bool rated = false;
  float rating = 0;
  int64_t rated_at = 0;
  bool judged = false;
  int verdict = 0;  // 1 liked, -1 disliked, 0 neither any more
  int64_t verdict_at = 0;

  void Judge(int now, int64_t at) {
    judged = true;
    verdict = now;
    verdict_at = at;
  }
};

void Add(const Event& event, Running& run) {
  const float value = std::clamp(event.value, -kMostValue, kMostValue);
  run.sum.last_at = std::max(run.sum.last_at, event.at);
  switch (event.kind) {
    case EventKind::kPlay: run.sum.plays += value; break;
    case EventKind::kSkip: run.sum.skips += value; break;
    case EventKind::kRating:
      if (!run.rated || event.at >= run.rated_at) {
        run.rated = true;
        run.rating = value;
        run.rated_at = event.at;
      }
      break;
    case EventKind::kLike:
      run.likes += 1;
      if (!run.judged || event.at > run.verdict_at) run.Judge(1, event.at);
      break;
    case EventKind::kDislike:
      if (!run.judged || event.at >= run.verdict_at) run.Judge(-1, event.at);
      break;
    case EventKind::kReview: run.sum.plays += 1; break;
    case EventKind::kNeutral:
      if (!run.judged || event.at >= run.verdict_at) run.Judge(0, event.at);
      break;
  }
}

Preference Finish(const Running& run, const StrengthRule& rule) {
  Preference result = run.sum;
  if (run.rated) result.rating = run.rating;
  if (run.verdict < 0) {
    result.strength = -1;
    return result;
  }
  const double base = run.rated ? run.rating : run.sum.plays - rule.skip_weight * run.sum.skips;
  const double liked = run.verdict > 0 ? rule.like_weight : 0;
  result.strength = static_cast<float>(std::clamp(base, 0.0, double{kMostValue}) + liked);
  return result;
}

/// An event by its place, with what it is sorted by.
struct Placed {
  uint32_t track = 0;
  size_t place = 0;
};

/// By track, and by place where it is the same: a stable radix sort of 11 bits
/// at a time. Listeners are summed up on every request and for every judgement,
/// and the sort is most of it.
void SortByTrack(std::vector<Placed>& order) {
  constexpr uint32_t kBits = 11;
  constexpr uint32_t kDigits = 1u << kBits;
  constexpr size_t kFew = 256;  // emptying the digits would cost more
  if (order.size() < kFew) {
    std::stable_sort(order.begin(), order.end(), [](const Placed& a, const Placed& b) { return a.track < b.track; });
    return;
  }
  uint32_t most = 0;
  for (const Placed& item : order) most = std::max(most, item.track);
  std::vector<Placed> next(order.size());
  for (uint32_t shift = 0; shift < 32 && (most >> shift) != 0; shift += kBits) {
    std::array<size_t, kDigits> begin{};
    for (const Placed& item : order) ++begin[(item.track >> shift) % kDigits];
    size_t before = 0;
    for (size_t& entry : begin) before += std::exchange(entry, before);
    for (const Placed& item : order) next[begin[(item.track >> shift) % kDigits]++] = item;
    order.swap(next);
  }
}

}  // namespace

std::vector<Preference> SumByTrack(std::span<const Event> events, const StrengthRule& rule) {
  std::vector<Placed> order;
  order.reserve(events.size());
  for (size_t e = 0; e < events.size(); ++e) {
    if (std::isfinite(events[e].value)) order.push_back({Raw(events[e].track), e});
  }
  SortByTrack(order);
  std::vector<Preference> result;
  for (size_t i = 0; i < order.size();) {
    Running run;
    run.sum.track = TrackIx{order[i].track};
    for (; i < order.size() && order[i].track == Raw(run.sum.track); ++i) Add(events[order[i].place], run);
    result.push_back(Finish(run, rule));
  }
  return result;
}

std::vector<Played> RecentPlays(std::span<const Event> events, size_t n) {
  std::vector<Played> plays;
  for (const Event& event : events) {
    if (event.at > 0 && (event.kind == EventKind::kPlay || event.kind == EventKind::kLike)) {
      plays.push_back({event.track, event.at});
    }
  }
  const auto by_time = [](const Played& a, const Played& b) { return a.at < b.at; };
  // A dataset's events are in order; what came since may not be.
  if (!std::is_sorted(plays.begin(), plays.end(), by_time)) std::stable_sort(plays.begin(), plays.end(), by_time);
  if (plays.size() > n) plays.erase(plays.begin(), plays.end() - static_cast<std::ptrdiff_t>(n));
  return plays;
}

Preferences SumPreferences(const Dataset& data, const StrengthRule& rule) {
  Preferences all;
  all.begin.push_back(0);
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto rows = SumByTrack(data.EventsOf(UserIx{u}), rule);
    all.items.insert(all.items.end(), rows.begin(), rows.end());
    all.begin.push_back(all.items.size());
  }
  return all;
}

}  // namespace segue
