#include "train/groups.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include "math/kernels/kernels.h"
#include "math/kmeans.h"
#include "math/parallel.h"
#include "train/ials.h"

namespace segue::train {
namespace {

using models::Group;
using models::Grouping;

constexpr size_t kMostIterations = 100;
constexpr size_t kTypical = 5;   ///< tracks that stand for a group
constexpr size_t kTags = 3;      ///< tags that do

/// Directions of those whose taste is known.
struct Directions {
  std::vector<float> values;      // [rows x stride]
  std::vector<uint32_t> of;       // [rows] listener or track
  size_t stride = 0;
  size_t all = 0;                 // listeners or tracks there are

  math::Points points() const { return {values, stride}; }
};

/// vectors [all x stride].
Directions KnownDirections(std::vector<float> vectors, size_t stride) {
  Directions known{{}, {}, stride, vectors.size() / stride};
  for (uint32_t i = 0; i < known.all; ++i) {
    const auto row = std::span(vectors).subspan(i * stride, stride);
    if (!models::NormaliseVector(row)) continue;
    known.values.insert(known.values.end(), row.begin(), row.end());
    known.of.push_back(i);
  }
  return known;
}

Directions ListenerDirections(const models::IalsModel& space, const Preferences& preferences) {
  const size_t listeners = preferences.begin.size() - 1;
  std::vector<float> vectors(listeners * space.stride(), 0.0f);
  math::ParallelFor(listeners, [&](size_t u) {
    const auto history = preferences.Of(UserIx{static_cast<uint32_t>(u)});
    const auto profile = space.FoldIn(std::vector<Preference>(history.begin(), history.end()));
    if (profile.state.empty()) return;
    std::copy_n(profile.state.begin(), space.stride(), vectors.begin() + static_cast<std::ptrdiff_t>(u * space.stride()));
  });
  return KnownDirections(std::move(vectors), space.stride());
}

Directions TrackDirections(const models::IalsModel& space) {
  std::vector<float> vectors;
  for (uint32_t i = 0; i < space.track_count(); ++i) {
    const auto row = space.FactorsOf(TrackIx{i});
    vectors.insert(vectors.end(), row.begin(), row.end());
  }
  return KnownDirections(std::move(vectors), space.stride());
}

/// What is known of the groups before: each member's id, and the first free one.
struct Before {
  std::vector<uint32_t> id_of;  // [listeners or tracks] or kNone; empty: there were no groups
  uint32_t next_id = 0;
};

uint32_t NextId(const Grouping& grouping) { return grouping.groups.empty() ? 0 : grouping.groups.back().id + 1; }

uint32_t IdOf(const Grouping& grouping, uint32_t member) {
  const uint32_t row = grouping.group_of[member];
  return row == Grouping::kNone ? Grouping::kNone : grouping.groups[row].id;
}

Before ListenersBefore(const Dataset& data, const models::GroupsModel& previous) {
  Before before{std::vector<uint32_t>(data.listener_count(), Grouping::kNone), NextId(previous.of_listeners())};
  for (size_t u = 0; u < data.listener_count(); ++u) {
    const auto row = FindSorted(previous.listeners(), data.listeners[u]);
    if (row) before.id_of[u] = IdOf(previous.of_listeners(), *row);
  }
  return before;
}

Before TracksBefore(const Dataset& data, const models::GroupsModel& previous) {
  Before before{std::vector<uint32_t>(data.tracks.size(), Grouping::kNone), NextId(previous.of_tracks())};
  for (size_t t = 0; t < data.tracks.size(); ++t) {
    const auto row = previous.Find(data.tracks.id[t]);
    if (row) before.id_of[t] = IdOf(previous.of_tracks(), Raw(*row));
  }
  return before;
}

/// Means of the members of each previous group that has any left; ids ascending.
struct Warm {
  std::vector<float> centres;
  std::vector<uint32_t> ids;
};

Warm WarmCentres(const Directions& known, const Before& before) {
  std::map<uint32_t, std::pair<std::vector<double>, size_t>> sums;
  for (size_t i = 0; i < known.of.size() && !before.id_of.empty(); ++i) {
    const uint32_t id = before.id_of[known.of[i]];
    if (id == Grouping::kNone) continue;
    auto& [sum, count] = sums[id];
    sum.resize(known.stride, 0.0);
    for (size_t j = 0; j < known.stride; ++j) sum[j] += known.values[i * known.stride + j];
    ++count;
  }
  Warm warm;
  for (const auto& [id, entry] : sums) {
    warm.ids.push_back(id);
    for (const double v : entry.first) warm.centres.push_back(static_cast<float>(v / static_cast<double>(entry.second)));
  }
  return warm;
}

/// Rows of the groups by id, members renumbered; groups that nobody is in are
/// left out.
Grouping Arranged(const Directions& known, const math::Clusters& clusters, std::span<const uint32_t> ids) {
  std::vector<uint32_t> order(ids.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) { return ids[a] < ids[b]; });
  std::vector<uint64_t> size(ids.size(), 0);
  for (const uint32_t label : clusters.label) ++size[label];
  std::vector<uint32_t> row_of(ids.size(), Grouping::kNone);
  Grouping grouping;
  for (const uint32_t c : order) {
    if (size[c] == 0) continue;
    row_of[c] = static_cast<uint32_t>(grouping.groups.size());
    grouping.groups.push_back({ids[c], size[c], {}, {}});
    const auto centre = std::span(clusters.centres).subspan(c * known.stride, known.stride);
    grouping.centres.insert(grouping.centres.end(), centre.begin(), centre.end());
  }
  grouping.group_of.assign(known.all, Grouping::kNone);
  for (size_t i = 0; i < known.of.size(); ++i) grouping.group_of[known.of[i]] = row_of[clusters.label[i]];
  return grouping;
}

Grouping MakeGroups(const Directions& known, size_t most, uint64_t seed, const Before& before) {
  const math::Points points = known.points();
  const auto root = static_cast<size_t>(std::sqrt(static_cast<double>(points.size())));
  const math::Choice fresh = math::ChooseCentres(points, std::min(most, std::max<size_t>(2, root)), seed);
  const Warm warm = WarmCentres(known, before);
  if (!warm.ids.empty()) {
    math::Clusters clusters = math::Lloyd(points, warm.centres, kMostIterations);
    if (math::SilhouetteOf(points, clusters.centres, seed) + kMargin >= fresh.silhouette) {
      return Arranged(known, clusters, warm.ids);
    }
  }
  const math::Clusters clusters = math::Lloyd(points, fresh.centres, kMostIterations);
  std::vector<uint32_t> now(known.all, Grouping::kNone);
  for (size_t i = 0; i < known.of.size(); ++i) now[known.of[i]] = clusters.label[i];
  const auto ids = MatchedIds(before.id_of, now, fresh.centres.size() / known.stride, before.next_id);
  return Arranged(known, clusters, ids);
}

/// p·ln(p / q).
double Divergence(double p, double q) { return p > 0 && q > 0 ? p * std::log(p / q) : 0; }

/// Rows of the `most` greatest values above 0, greatest first, ties by row.
std::vector<uint32_t> Greatest(std::span<const double> values, size_t most) {
  std::vector<uint32_t> rows;
  for (uint32_t i = 0; i < values.size(); ++i) {
    if (values[i] > 0) rows.push_back(i);
  }
  const auto kept = std::min(most, rows.size());
  std::partial_sort(rows.begin(), rows.begin() + static_cast<std::ptrdiff_t>(kept), rows.end(),
                    [&](uint32_t a, uint32_t b) { return values[a] != values[b] ? values[a] > values[b] : a < b; });
  rows.resize(kept);
  return rows;
}

/// How often the group's listeners or tracks come with each track, ascending.
using Times = std::vector<std::pair<uint32_t, float>>;

/// The tags of each group: those of its tracks, as often as they come.
void AddTags(const TrackTags& tags, std::span<const Times> times, Grouping& grouping) {
  if (tags.empty()) return;
  const size_t n = tags.names.size();
  const auto weights = [&](const Times& of, std::vector<double>& sum) {
    for (const auto& [track, often] : of) {
      for (uint64_t k = tags.begin[track]; k < tags.begin[track + 1]; ++k) sum[tags.tag[k]] += static_cast<double>(often) * tags.weight[k];
    }
  };
  std::vector<double> all(n, 0.0);
  for (const Times& of : times) weights(of, all);
  const double total = std::accumulate(all.begin(), all.end(), 0.0);
  for (size_t g = 0; g < times.size(); ++g) {
    std::vector<double> own(n, 0.0);
    weights(times[g], own);
    const double sum = std::accumulate(own.begin(), own.end(), 0.0);
    for (size_t t = 0; t < n; ++t) own[t] = times.size() == 1 ? own[t] : Divergence(own[t] / sum, all[t] / total);
    for (const uint32_t tag : Greatest(own, kTags)) {
      grouping.groups[g].tags += (grouping.groups[g].tags.empty() ? "" : ", ") + tags.names[tag];
    }
  }
}

/// Members of each group, ascending.
std::vector<std::vector<uint32_t>> MembersOf(const Grouping& grouping) {
  std::vector<std::vector<uint32_t>> members(grouping.groups.size());
  for (uint32_t i = 0; i < grouping.group_of.size(); ++i) {
    if (grouping.group_of[i] != Grouping::kNone) members[grouping.group_of[i]].push_back(i);
  }
  return members;
}

/// Who wants what in each group of listeners, with the groups' descriptions.
void DescribeListenerGroups(const Dataset& data, const Preferences& preferences, models::GroupsModel::Parts& parts) {
  Grouping& grouping = parts.of_listeners;
  const size_t n = data.tracks.size();
  std::vector<double> all(n, 0.0);
  double listeners = 0;
  std::vector<Times> times;
  parts.wanted_begin = {0};
  for (const auto& members : MembersOf(grouping)) {
    std::vector<float> by(n, 0.0f);
    for (const uint32_t u : members) {
      for (const Preference& item : preferences.Of(UserIx{u})) by[Raw(item.track)] += item.strength > 0;
    }
    times.emplace_back();
    for (uint32_t t = 0; t < n; ++t) {
      if (by[t] == 0) continue;
      parts.wanted_track.push_back(t);
      parts.wanted_by.push_back(by[t]);
      times.back().emplace_back(t, by[t]);
      all[t] += by[t];
    }
    parts.wanted_begin.push_back(parts.wanted_track.size());
    listeners += static_cast<double>(members.size());
  }
  for (size_t g = 0; g < times.size(); ++g) {
    const auto size = static_cast<double>(grouping.groups[g].size);
    std::vector<double> typical(n, 0.0);
    // Nothing sets a single group apart: then what is popular stands for it.
    for (const auto& [t, by] : times[g]) typical[t] = times.size() == 1 ? by : Divergence(by / size, all[t] / listeners);
    for (const uint32_t t : Greatest(typical, kTypical)) grouping.groups[g].typical.push_back(TrackIx{t});
  }
  AddTags(data.tags, times, grouping);
}

void DescribeTrackGroups(const Dataset& data, const Directions& known, const models::IalsModel& space, Grouping& grouping) {
  std::vector<double> typical(data.tracks.size(), 0.0);  // each in its own group
  for (size_t i = 0; i < known.of.size(); ++i) {
    const uint32_t track = known.of[i];
    const float* centre = grouping.centres.data() + grouping.group_of[track] * known.stride;
    float cosine = 0;
    math::BestKernels().dots(centre, 1, known.stride, known.values.data() + i * known.stride, &cosine);
    typical[track] = cosine * std::expm1(space.catalogue().popularity()[track]);
  }
  std::vector<Times> times;
  for (const auto& members : MembersOf(grouping)) {
    std::vector<double> own(typical.size(), 0.0);
    times.emplace_back();
    for (const uint32_t track : members) {
      own[track] = typical[track];
      times.back().emplace_back(track, 1.0f);
    }
    for (const uint32_t t : Greatest(own, kTypical)) grouping.groups[times.size() - 1].typical.push_back(TrackIx{t});
  }
  AddTags(data.tags, times, grouping);
}

class GroupsTrainer final : public Trainer {
 public:
  std::string_view algorithm() const override { return models::GroupsModel::kAlgorithm; }

  Result<std::unique_ptr<models::Model>> Fit(const Dataset& data, const Settings& settings, uint64_t seed,
                                             Instruments& instruments) const override {
    SEGUE_TRY(auto model, FitGroups(data, settings, seed, nullptr, instruments));
    return std::unique_ptr<models::Model>(std::move(model));
  }
};

}  // namespace

std::unique_ptr<Trainer> MakeGroupsTrainer() { return std::make_unique<GroupsTrainer>(); }

std::vector<uint32_t> MatchedIds(std::span<const uint32_t> before, std::span<const uint32_t> now, size_t groups,
                                 uint32_t next_id) {
  std::map<std::pair<uint32_t, uint32_t>, size_t> overlap;  // (old id, new row): common members
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i] != Grouping::kNone && now[i] != Grouping::kNone) ++overlap[{before[i], now[i]}];
  }
  std::vector<std::pair<std::pair<uint32_t, uint32_t>, size_t>> pairs(overlap.begin(), overlap.end());
  std::stable_sort(pairs.begin(), pairs.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::vector<uint32_t> ids(groups, Grouping::kNone);
  for (const auto& [pair, common] : pairs) {
    const auto [old_id, row] = pair;
    if (ids[row] == Grouping::kNone && std::find(ids.begin(), ids.end(), old_id) == ids.end()) ids[row] = old_id;
  }
  for (uint32_t& id : ids) {
    if (id == Grouping::kNone) id = next_id++;
  }
  return ids;
}

Result<std::unique_ptr<models::GroupsModel>> FitGroups(const Dataset& data, const Settings& settings, uint64_t seed,
                                                       const models::GroupsModel* previous, Instruments& instruments) {
  auto space = MakeIalsTrainer()->Fit(data, settings, seed, instruments);
  if (!space.ok()) return space.error().In("groups");
  models::GroupsModel::Parts parts;
  parts.space.reset(static_cast<const models::IalsModel*>(space->release()));
  parts.listeners = data.listeners;
  auto preferences = SumPreferences(data, {settings.skip_weight, settings.like_weight});
  const auto most = static_cast<size_t>(settings.groups.most);
  const bool grouped = math::WithThreads(settings.threads, [&] {
    const Directions listeners = ListenerDirections(*parts.space, preferences);
    const Directions tracks = TrackDirections(*parts.space);
    if (listeners.of.empty() || tracks.of.empty()) return false;
    instruments.Progress("train", 0, 2, "groupings");
    parts.of_listeners = MakeGroups(listeners, most, seed, previous ? ListenersBefore(data, *previous) : Before{});
    instruments.Progress("train", 1, 2, "groupings");
    if (instruments.Cancelled()) return true;
    parts.of_tracks = MakeGroups(tracks, most, seed, previous ? TracksBefore(data, *previous) : Before{});
    DescribeTrackGroups(data, tracks, *parts.space, parts.of_tracks);
    instruments.Progress("train", 2, 2, "groupings");
    return true;
  });
  if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "groups: asked to stop"};
  if (!grouped) return Error{ErrorCode::kInvalid, "groups: no listener's taste is known"};
  models::ApplyLiking(preferences, models::LikedRule(settings.liked, preferences));
  DescribeListenerGroups(data, preferences, parts);
  return models::GroupsModel::Make(std::move(parts));
}

}  // namespace segue::train
