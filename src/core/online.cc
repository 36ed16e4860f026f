#include "core/online.h"

#include <algorithm>

namespace segue {
namespace {

uint32_t Intern(std::unordered_map<std::string, uint32_t>& index, const std::string& name) {
  return index.try_emplace(name, static_cast<uint32_t>(index.size())).first->second;
}

double Quantile(std::vector<int64_t> values, double q) {
  if (values.empty()) return 0;
  const auto at = static_cast<size_t>(q * static_cast<double>(values.size() - 1) + 0.5);
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return static_cast<double>(values[at]) / 1000;
}

}  // namespace

void OnlineLedger::Show(const Showing& showing) {
  auto group = std::find_if(groups_.begin(), groups_.end(), [&](const Group& g) {
    return g.arm == showing.arm && g.model_id == showing.model_id;
  });
  if (group == groups_.end()) group = groups_.insert(groups_.end(), {showing.model_id, showing.arm, {}, {}});
  const auto at = static_cast<uint32_t>(lists_.size());
  group->lists.push_back(at);
  if (showing.made_us > 0) group->made_us.push_back(showing.made_us);
  lists_.push_back({.group = static_cast<uint32_t>(group - groups_.begin()), .at = showing.at, .first = tracks_.size(),
                    .count = showing.tracks.size(), .failed = showing.failed});
  for (const std::string& track : showing.tracks) tracks_.push_back(Intern(track_ix_, track));
  const uint32_t listener = Intern(listener_ix_, showing.listener);
  if (listener == lists_of_.size()) lists_of_.emplace_back();
  lists_of_[listener].push_back(at);
  listener_of_.push_back(listener);
  list_ix_[showing.list_id] = at;
}

bool OnlineLedger::Has(const List& list, uint32_t track) const {
  const auto begin = tracks_.begin() + static_cast<std::ptrdiff_t>(list.first);
  const auto end = begin + static_cast<std::ptrdiff_t>(list.count);
  return std::find(begin, end, track) != end;
}

bool OnlineLedger::Credit(List& list, uint32_t track, const OnlineAnswer& answer) {
  if (answer.at < list.at || answer.at > list.at + window_s_ || !Has(list, track)) return false;
  list.hit |= answer.kind == EventKind::kPlay || answer.kind == EventKind::kLike;
  list.liked |= answer.kind == EventKind::kLike;
  list.disliked |= answer.kind == EventKind::kDislike;
  list.skipped |= answer.kind == EventKind::kSkip;
  return true;
}

void OnlineLedger::CreditNewest(uint32_t listener, uint32_t track, bool shadow, const OnlineAnswer& answer) {
  const auto& mine = lists_of_[listener];
  for (auto it = mine.rbegin(); it != mine.rend(); ++it) {
    List& list = lists_[*it];
    if (list.at + window_s_ < answer.at) return;
    if ((groups_[list.group].arm == Arm::kShadow) == shadow && Credit(list, track, answer)) return;
  }
}

void OnlineLedger::Answer(const OnlineAnswer& answer) {
  const auto track = track_ix_.find(answer.track_id);
  const auto listener = listener_ix_.find(answer.listener);
  if (track == track_ix_.end() || listener == listener_ix_.end()) return;
  const auto named = list_ix_.find(answer.list_id);
  // A list is answered by whom it was shown to.
  const bool credited = named != list_ix_.end() && listener_of_[named->second] == listener->second &&
                        Credit(lists_[named->second], track->second, answer);
  if (!credited) CreditNewest(listener->second, track->second, false, answer);
  CreditNewest(listener->second, track->second, true, answer);
}

std::vector<ArmFigures> OnlineLedger::Figures(int64_t now) const {
  std::vector<ArmFigures> all;
  for (const Group& group : groups_) {
    ArmFigures figures{.model_id = group.model_id, .arm = group.arm};
    std::unordered_set<uint32_t> listeners, tracks;
    std::unordered_set<uint64_t> pairs;
    for (const uint32_t at : group.lists) {
      const List& list = lists_[at];
      ++figures.lists;
      figures.failed += list.failed;
      listeners.insert(listener_of_[at]);
      for (size_t t = list.first; t < list.first + list.count; ++t) {
        tracks.insert(tracks_[t]);
        pairs.insert(uint64_t{listener_of_[at]} << 32 | tracks_[t]);
      }
      figures.shown += static_cast<int64_t>(list.count);
      if (list.failed || list.at + window_s_ >= now) continue;
      ++figures.judged;
      figures.hit += list.hit;
      figures.liked += list.liked;
      figures.disliked += list.disliked;
      figures.skipped += list.skipped;
    }
    figures.listeners = static_cast<int64_t>(listeners.size());
    figures.distinct_tracks = static_cast<int64_t>(tracks.size());
    figures.distinct_pairs = static_cast<int64_t>(pairs.size());
    figures.made_p50_ms = Quantile(group.made_us, 0.5);
    figures.made_p99_ms = Quantile(group.made_us, 0.99);
    all.push_back(std::move(figures));
  }
  return all;
}

std::vector<ListenerOutcome> OnlineLedger::Outcomes(int64_t now, int64_t lists, int64_t listener_s) const {
  std::vector<ListenerOutcome> outcomes;
  for (const auto& mine : lists_of_) {
    std::vector<const List*> counted;
    bool both_arms = false;
    for (const uint32_t at : mine) {
      const List& list = lists_[at];
      if (groups_[list.group].arm == Arm::kShadow) continue;
      if (static_cast<int64_t>(counted.size()) == lists || (!counted.empty() && list.at >= counted.front()->at + listener_s)) break;
      both_arms |= list.failed || (!counted.empty() && groups_[list.group].arm != groups_[counted.front()->group].arm);
      counted.push_back(&list);
    }
    if (counted.empty() || both_arms) continue;
    const bool full = static_cast<int64_t>(counted.size()) == lists;
    const int64_t open_until = window_s_ + (full ? counted.back()->at : counted.front()->at + listener_s);
    if (open_until >= now) continue;
    ListenerOutcome outcome{.arm = groups_[counted.front()->group].arm, .lists = static_cast<int64_t>(counted.size())};
    const double share = 1.0 / static_cast<double>(counted.size());
    for (const List* list : counted) {
      outcome.hit += list->hit ? share : 0;
      outcome.liked += list->liked ? share : 0;
      outcome.disliked += list->disliked ? share : 0;
    }
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace segue
