#include "train/sessions.h"

#include <algorithm>
#include <cmath>

namespace segue::train {
namespace {

bool Wanted(std::span<const Preference> history, TrackIx track) {
  const auto at = std::lower_bound(history.begin(), history.end(), track,
                                   [](const Preference& a, TrackIx b) { return a.track < b; });
  return at != history.end() && at->track == track && at->strength > 0;
}

void EndSession(bool ordered, int64_t at, Sessions& sessions) {
  if (sessions.begin.back() == sessions.tracks.size()) return;
  sessions.begin.push_back(sessions.tracks.size());
  sessions.ordered.push_back(ordered);
  sessions.at.push_back(at);
  sessions.newest = std::max(sessions.newest, at);
}

void AddOrdered(std::span<const Played> plays, int64_t gap_seconds, Sessions& sessions) {
  int64_t last = plays.front().at;
  for (const Played& play : plays) {
    if (play.at - last > gap_seconds) EndSession(true, last, sessions);
    last = play.at;
    const bool fresh = sessions.begin.back() == sessions.tracks.size();
    if (fresh || sessions.tracks.back() != Raw(play.track)) sessions.tracks.push_back(Raw(play.track));
  }
  EndSession(true, last, sessions);
}

void AddUnordered(std::span<const Preference> history, Sessions& sessions) {
  std::vector<Preference> wanted;
  std::copy_if(history.begin(), history.end(), std::back_inserter(wanted),
               [](const Preference& item) { return item.strength > 0; });
  if (wanted.size() > kMostUnordered) {
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const Preference& a, const Preference& b) { return a.strength > b.strength; });
    wanted.resize(kMostUnordered);
  }
  for (const Preference& item : wanted) sessions.tracks.push_back(Raw(item.track));
  std::sort(sessions.tracks.begin() + static_cast<std::ptrdiff_t>(sessions.begin.back()), sessions.tracks.end());
  EndSession(false, 0, sessions);
}

}  // namespace

float Sessions::Freshness(size_t session, double half_life_days) const {
  if (ordered[session] == 0) return 1;
  return static_cast<float>(std::exp2(-static_cast<double>(newest - at[session]) / 86'400 / half_life_days));
}

Sessions CutSessions(const Dataset& data, const Preferences& wanted, int64_t gap_seconds) {
  Sessions sessions;
  for (uint32_t u = 0; u < data.listener_count(); ++u) {
    const auto history = wanted.Of(UserIx{u});
    const auto events = data.EventsOf(UserIx{u});
    auto plays = RecentPlays(events, events.size());
    std::erase_if(plays, [&](const Played& play) { return !Wanted(history, play.track); });
    if (plays.empty() || plays.front().at == plays.back().at) {
      AddUnordered(history, sessions);
    } else {
      AddOrdered(plays, gap_seconds, sessions);
    }
  }
  return sessions;
}

models::SequenceRule SequenceRuleOf(const SequenceSettings& settings, models::Liked liked) {
  models::SequenceRule rule;
  rule.window = static_cast<uint32_t>(settings.window);
  rule.window_half_life = static_cast<float>(settings.window_half_life);
  rule.long_term = static_cast<float>(settings.long_term);
  rule.repeat = static_cast<float>(settings.repeat);
  rule.repeat_half_life_days = static_cast<float>(settings.repeat_half_life_days);
  rule.lately = static_cast<float>(settings.lately);
  rule.lately_half_life_days = static_cast<float>(settings.lately_half_life_days);
  rule.liked = liked;
  return rule;
}

}  // namespace segue::train
