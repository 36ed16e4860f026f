#include "serve/ranking.h"

#include <algorithm>

#include "core/check.h"
#include "serve/filter.h"

namespace segue::serve {
namespace {

bool LikesAny(const ListenerNow& now) {
  return std::any_of(now.past.tracks.begin(), now.past.tracks.end(), [](const Preference& p) { return p.strength > 0; });
}

/// Ranking::fallback of those who listen.
std::string FallbackFor(std::span<const Taste> tastes) {
  std::string unknown, indifferent;
  size_t others = 0;  // of whom something is known that they like
  for (const Taste& taste : tastes) {
    std::string& names = taste.now.known ? indifferent : unknown;
    if (LikesAny(taste.now)) {
      ++others;
    } else {
      names += (names.empty() ? "" : ", ") + taste.name;
    }
  }
  std::string why;
  if (!unknown.empty()) why = "nothing is known of " + unknown + " yet";
  if (!indifferent.empty()) why += (why.empty() ? "" : "; ") + ("the live model knows nothing that " + indifferent) + " likes yet";
  if (why.empty()) return why;
  return why + (others == 0 ? ": this is what is popular" : ": there, what is popular counts");
}

}  // namespace

std::string TrackName(const Snapshot& snapshot, uint32_t row) {
  const Tracks& tracks = snapshot.data().tracks;
  return tracks.artist[row].empty() ? tracks.title[row] : tracks.title[row] + " by " + tracks.artist[row];
}

std::vector<uint8_t> Forbidden(const Snapshot& snapshot, const Audience& audience, const Wish& wish) {
  std::vector<uint8_t> exclude = snapshot.lost();
  const auto exclude_row = [&](uint32_t row) {
    if (const auto m = snapshot.ModelRowOf(row)) exclude[Raw(*m)] = 1;
  };
  const auto exclude_ids = [&](const auto& ids) {
    for (const std::string& id : ids) {
      if (const auto row = snapshot.RowOf(id)) exclude_row(*row);
    }
  };
  const auto passing = Passing(*snapshot.ground(), wish.filter);
  for (uint32_t row = 0; row < passing.size(); ++row) {
    if (passing[row] == 0) exclude_row(row);
  }
  for (const Taste& taste : audience.tastes) {
    if (wish.mode == Mode::kDiscovery) {
      for (const uint32_t row : taste.now.heard) exclude_row(row);
    }
    exclude_ids(taste.now.disliked);
  }
  exclude_ids(audience.not_again);
  exclude_ids(wish.seeds);
  const Facets& facets = snapshot.ground()->facets();
  for (const std::string& key : audience.blocked) {
    const auto artist = facets.FindArtistKey(key);
    if (!artist) continue;
    for (const uint32_t row : facets.TracksOf(*artist)) exclude_row(row);
  }
  return exclude;
}

Ranking::Ranking(const Snapshot& snapshot, const Audience& audience, const Wish& wish)
    : snapshot_(snapshot), exclude_(Forbidden(snapshot, audience, wish)) {
  SEGUE_CHECK(!audience.tastes.empty());
  allowed_ = static_cast<size_t>(std::count(exclude_.begin(), exclude_.end(), 0));
  for (const Taste& taste : audience.tastes) AddTaste(taste);
  fallback_ = FallbackFor(audience.tastes);
  const bool strangers = std::none_of(audience.tastes.begin(), audience.tastes.end(), [](const Taste& taste) { return LikesAny(taste.now); });
  if (!wish.seeds.empty()) AddSeeds(wish, strangers);
  if (profiles_.size() == 1) return;
  for (const models::Profile& profile : profiles_) {
    wanted_.emplace_back(exclude_.size());
    snapshot_.model()->Score(profile, wanted_.back());
  }
  BringToOneScale(wanted_, exclude_);
  together_ = Together(wanted_, audience.strategy);
}

void Ranking::AddTaste(const Taste& taste) {
  profiles_.push_back(snapshot_.model()->FoldIn(taste.now.past.View()));
  did_.push_back(taste.did);
}

void Ranking::AddSeeds(const Wish& wish, bool strangers) {
  std::vector<Event> events;
  for (const std::string& id : wish.seeds) {
    // A minute apart, in their order: models that look at time look at the time between plays.
    const int64_t at = 60 * static_cast<int64_t>(events.size() + 1);
    const auto row = snapshot_.RowOf(id);
    if (!row) continue;
    events.push_back({.track = TrackIx{*row}, .kind = EventKind::kPlay, .at = at});
    events.push_back({.track = TrackIx{*row}, .kind = EventKind::kLike, .at = at});
  }
  const Taste seeds{snapshot_.WhoDid(events), "you chose"};
  if (!LikesAny(seeds.now)) {
    fallback_ = "the live model knows none of the seeds yet" + (fallback_.empty() ? "" : "; " + fallback_);
    return;
  }
  // Of a stranger the seeds are all that is known.
  if (strangers) {
    profiles_.clear();
    did_.clear();
    fallback_.clear();
  }
  AddTaste(seeds);
}

std::vector<models::ScoredTrack> Ranking::Top(size_t n) const {
  return profiles_.size() == 1 ? snapshot_.model()->Top(profiles_[0], n, exclude_) : models::SelectTop(together_, n, {});
}

std::string Ranking::Reason(TrackIx track) const {
  size_t most = 0;
  for (size_t p = 1; p < wanted_.size(); ++p) {
    if (wanted_[p][Raw(track)] > wanted_[most][Raw(track)]) most = p;
  }
  const auto why = snapshot_.model()->Explain(profiles_[most], track);
  std::string names;
  int named = 0;
  for (const auto& because : why.because) {
    const auto row = snapshot_.RowOfModel(because.track);
    if (!row || named == 2) continue;
    names += (named++ == 0 ? "" : " and ") + TrackName(snapshot_, *row);
  }
  if (!names.empty()) return "because " + did_[most] + " " + names;
  return why.general.empty() ? "listeners with tastes like yours play it" : why.general;
}

}  // namespace segue::serve
