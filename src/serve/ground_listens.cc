#include <algorithm>
#include <map>

#include "serve/ground.h"

// What a listener is shown of his own past, and how other sources name its tracks.
namespace segue::serve {
namespace {

constexpr std::string_view kMbid = "mbid:";

bool IsOpinion(EventKind kind) { return kind == EventKind::kLike || kind == EventKind::kDislike || kind == EventKind::kNeutral; }

int VerdictOf(EventKind kind) { return kind == EventKind::kLike ? 1 : kind == EventKind::kDislike ? -1 : 0; }

}  // namespace

std::vector<Listen> Ground::ListensOf(const std::string& name, int64_t after, int64_t before, size_t n) const {
  std::vector<Listen> listens;
  const auto wanted = [&](EventKind kind, int64_t at) { return kind == EventKind::kPlay && at > 0 && at > after && at < before; };
  const std::shared_lock lock(since_mutex_);
  const Deeds* since = SinceOf(name);
  std::vector<Event> plays = EventsOf(name, since);
  std::erase_if(plays, [&](const Event& event) { return !wanted(event.kind, event.at); });
  std::stable_sort(plays.begin(), plays.end(), [](const Event& a, const Event& b) { return a.at > b.at; });
  const Tracks& tracks = data_.tracks;
  for (const Event& play : plays) {
    if (listens.size() == n) break;
    const uint32_t row = Raw(play.track);
    listens.push_back({tracks.id[row], tracks.artist[row], tracks.title[row], tracks.album[row], play.at, tracks.duration_ms[row]});
  }
  if (since != nullptr) {
    for (const OtherDeed& other : since->others) {
      if (wanted(other.kind, other.at)) listens.push_back({other.track_id, other.artist, other.title, other.album, other.at, other.duration_ms});
    }
  }
  std::stable_sort(listens.begin(), listens.end(), [](const Listen& a, const Listen& b) { return a.at > b.at; });
  if (listens.size() > n) listens.resize(n);
  return listens;
}

size_t Ground::CountListens(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  const Deeds* since = SinceOf(name);
  const auto counts = [](const auto& event) { return event.kind == EventKind::kPlay && event.at > 0; };
  const std::vector<Event> events = EventsOf(name, since);
  auto count = std::count_if(events.begin(), events.end(), counts);
  if (since != nullptr) count += std::count_if(since->others.begin(), since->others.end(), counts);
  return static_cast<size_t>(count);
}

std::vector<Opinion> Ground::OpinionsOf(const std::string& name) const {
  std::map<std::string, Opinion> newest;
  const auto take = [&](Opinion opinion, EventKind kind) {
    if (!IsOpinion(kind)) return;
    opinion.verdict = VerdictOf(kind);
    const auto [it, first] = newest.try_emplace(opinion.track_id, opinion);
    if (!first && opinion.at >= it->second.at) it->second = std::move(opinion);
  };
  const std::shared_lock lock(since_mutex_);
  const Deeds* since = SinceOf(name);
  for (const Event& event : EventsOf(name, since)) {
    const uint32_t row = Raw(event.track);
    take({data_.tracks.id[row], data_.tracks.artist[row], data_.tracks.title[row], 0, event.at}, event.kind);
  }
  if (since != nullptr) {
    for (const OtherDeed& other : since->others) take({other.track_id, other.artist, other.title, 0, other.at}, other.kind);
  }
  std::vector<Opinion> opinions;
  for (auto& [id, opinion] : newest) opinions.push_back(std::move(opinion));
  std::stable_sort(opinions.begin(), opinions.end(), [](const Opinion& a, const Opinion& b) { return a.at > b.at; });
  return opinions;
}

void Ground::LinkMbids() {
  for (const auto& [alias, track_id] : aliases_) {
    if (!alias.starts_with(kMbid)) continue;
    std::string& mbid = mbid_of_[track_id];
    const std::string other = alias.substr(kMbid.size());
    if (mbid.empty() || other < mbid) mbid = other;
  }
}

void Ground::LinkSource(const std::string& source_id, const std::string& track_id) {
  // A track of the catalogue stands before one that was known by this id alone.
  if (std::string& known = track_of_source_[source_id]; known.empty() || RowOf(track_id)) known = track_id;
  if (source_id.starts_with(kMbid)) mbid_of_.try_emplace(Canonical(track_id), source_id.substr(kMbid.size()));
}

std::optional<std::string> Ground::TrackOfSource(const std::string& source_id) const {
  if (const auto it = aliases_.find(source_id); it != aliases_.end()) return it->second;
  const std::shared_lock lock(since_mutex_);
  const auto it = track_of_source_.find(source_id);
  return it == track_of_source_.end() ? std::nullopt : std::optional(Canonical(it->second));
}

std::string Ground::MbidOf(const std::string& track_id) const {
  const std::shared_lock lock(since_mutex_);
  const auto it = mbid_of_.find(track_id);
  return it == mbid_of_.end() ? std::string() : it->second;
}

}  // namespace segue::serve
