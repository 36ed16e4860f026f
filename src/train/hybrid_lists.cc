#include "train/hybrid_lists.h"

#include <algorithm>

#include "core/random.h"
#include "math/parallel.h"
#include "models/past.h"
#include "train/popularity.h"

namespace segue::train {
namespace {

using models::Candidates;

/// His past with only `shown` of the wanted tracks, drawn at random; tracks
/// that he met and did not want stay out.
models::Past Shortened(const models::Past& past, models::Liked liked, size_t shown, Random random) {
  std::vector<Preference> wanted;
  for (const Preference& item : models::ByLiking(past.tracks, liked)) {
    if (item.strength > 0) wanted.push_back(item);
  }
  shown = std::min(shown, wanted.size());
  for (size_t i = 0; i < shown; ++i) std::swap(wanted[i], wanted[i + random.Below(wanted.size() - i)]);
  wanted.resize(shown);
  const auto by_track = [](const auto& a, const auto& b) { return a.track < b.track; };
  std::sort(wanted.begin(), wanted.end(), by_track);
  models::Past few;
  few.listener = past.listener;
  for (const Preference& item : wanted) {
    few.tracks.push_back(*std::lower_bound(past.tracks.begin(), past.tracks.end(), item, by_track));
  }
  for (const Played& play : past.recent) {
    if (std::binary_search(wanted.begin(), wanted.end(), Preference{play.track}, by_track)) few.recent.push_back(play);
  }
  return few;
}

class ListMaker {
 public:
  ListMaker(std::span<const std::unique_ptr<models::Model>> members, const models::Catalogue& catalogue,
            std::span<const uint8_t> unknown, size_t best)
      : members_(members), catalogue_(catalogue), unknown_(unknown), best_(best) {}

  /// past: what the members are told; heard: what is no candidate; held: what is relevant, ascending.
  HybridList Make(const models::Past& past, std::span<const Preference> heard, std::span<const TrackIx> held) const {
    std::vector<models::Profile> profiles;
    for (const auto& member : members_) profiles.push_back(member->FoldIn(past.View()));
    std::vector<std::vector<float>> scores;
    HybridList list;
    list.candidates = models::GatherCandidates(members_, profiles, catalogue_, heard, unknown_, best_, scores).Unheard();
    list.candidates.wanted = static_cast<uint32_t>(
        std::count_if(past.tracks.begin(), past.tracks.end(), [](const Preference& item) { return item.strength > 0; }));
    uint32_t found = 0;
    for (const TrackIx track : list.candidates.tracks) {
      list.relevant.push_back(std::binary_search(held.begin(), held.end(), track) ? 1 : 0);
      found += list.relevant.back();
    }
    list.missing = static_cast<uint32_t>(held.size()) - found;
    return list;
  }

 private:
  std::span<const std::unique_ptr<models::Model>> members_;
  const models::Catalogue& catalogue_;
  std::span<const uint8_t> unknown_;
  size_t best_;
};

bool AnyRelevant(const HybridList& list) { return std::find(list.relevant.begin(), list.relevant.end(), 1) != list.relevant.end(); }

template <typename Rows>
RankingData Gather(std::span<const HybridList> lists, Part part, size_t width, const Rows& rows) {
  RankingData data;
  data.width = width;
  for (const HybridList& list : lists) {
    if (!AnyRelevant(list) || !part.Has(list)) continue;
    const std::vector<float> features = rows(list.candidates);
    data.features.insert(data.features.end(), features.begin(), features.end());
    data.relevant.insert(data.relevant.end(), list.relevant.begin(), list.relevant.end());
    data.missing.push_back(list.missing);
    data.begin.push_back(data.relevant.size());
  }
  return data;
}

size_t MembersOf(std::span<const HybridList> lists) { return lists.empty() ? 0 : lists.front().candidates.members; }

}  // namespace

HybridLists MakeHybridLists(const InnerSplit& split, std::span<const std::unique_ptr<models::Model>> members,
                            const HybridListRules& rules, uint64_t seed) {
  std::vector<std::pair<uint64_t, uint32_t>> chosen;  // hash, listener
  for (uint32_t u = 0; u < split.train.listener_count(); ++u) {
    if (!split.held[u].empty() && !split.train.EventsOf(UserIx{u}).empty()) chosen.emplace_back(Random(seed, u).Next(), u);
  }
  std::sort(chosen.begin(), chosen.end());
  chosen.resize(std::min(chosen.size(), rules.most));

  auto preferences = SumPreferences(split.train, rules.strength);
  models::ApplyLiking(preferences, rules.liked);
  const models::Catalogue catalogue(split.train.tracks.id, PopularityOf(preferences, split.train.tracks.size()));
  const models::RowMap rows(*members.front(), split.train.tracks.id);
  const std::vector<uint8_t> unknown = UnknownTracks(split.train);
  const ListMaker maker(members, catalogue, unknown, rules.best);
  HybridLists lists;
  lists.many.resize(chosen.size());
  lists.few.resize(chosen.size());
  math::ParallelFor(chosen.size(), [&](size_t i) {
    const UserIx user{chosen[i].second};
    const auto& held = split.held[Raw(user)];
    const auto past = rows.PastOf(split.train.listeners[Raw(user)], split.train.EventsOf(user), rules.strength);
    lists.many[i] = maker.Make(past, past.tracks, held);
    const auto shown = static_cast<size_t>(models::Ranker::kFew);
    lists.few[i] = maker.Make(Shortened(past, rules.liked, shown, Random(seed, chosen[i].first)), past.tracks, held);
    lists.many[i].listener = lists.few[i].listener = user;
    lists.many[i].fifth = lists.few[i].fifth = static_cast<uint8_t>(chosen[i].first % kFifths);
  });
  return lists;
}

std::vector<HybridList> Only(std::span<const HybridList> lists, std::span<const size_t> kept) {
  std::vector<HybridList> result(lists.size());
  math::ParallelFor(lists.size(), [&](size_t l) {
    const HybridList& from = lists[l];
    HybridList& to = result[l];
    to.candidates = from.candidates.Only(kept);
    to.listener = from.listener;
    to.fifth = from.fifth;
    to.missing = from.missing;
    size_t c = 0;
    for (size_t old = 0; old < from.relevant.size(); ++old) {
      if (c < to.candidates.tracks.size() && to.candidates.tracks[c] == from.candidates.tracks[old]) {
        to.relevant.push_back(from.relevant[old]);
        ++c;
      } else {
        to.missing += from.relevant[old];
      }
    }
  });
  return result;
}

RankingData StandardRows(std::span<const HybridList> lists, Part part) {
  return Gather(lists, part, MembersOf(lists), [](const Candidates& candidates) { return models::StandardScores(candidates); });
}

RankingData FeatureRows(std::span<const HybridList> lists, Part part) {
  return Gather(lists, part, models::RankingFeatures(MembersOf(lists)), [](const Candidates& candidates) { return models::FeatureRows(candidates); });
}

std::vector<UserIx> Listeners(std::span<const HybridList> lists, Part part) {
  std::vector<UserIx> listeners;
  for (const HybridList& list : lists) {
    if (AnyRelevant(list) && part.Has(list)) listeners.push_back(list.listener);
  }
  return listeners;
}

}  // namespace segue::train
