#include "serve/recommend.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostKeptBytes = size_t{64} << 20;
constexpr size_t kSpare = 4;       ///< candidates for each place, before artists are capped
constexpr size_t kLeastSpare = 200;

std::string Dump(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

std::string NameOf(const Snapshot& snapshot, uint32_t row) {
  const Tracks& tracks = snapshot.data().tracks;
  return tracks.artist[row].empty() ? tracks.title[row] : tracks.title[row] + " by " + tracks.artist[row];
}

/// "because you played A by B and C by D".
std::string Reason(const Snapshot& snapshot, const models::Profile& profile, TrackIx track) {
  const auto why = snapshot.model()->Explain(profile, track);
  std::string names;
  int named = 0;
  for (const auto& because : why.because) {
    const auto row = snapshot.RowOfModel(because.track);
    if (!row || named == 2) continue;
    names += (named++ == 0 ? "" : " and ") + NameOf(snapshot, *row);
  }
  if (!names.empty()) return "because you played " + names;
  return why.general.empty() ? "listeners with tastes like yours play it" : why.general;
}

/// Tracks that must not be shown, by row of the model. A model older than the
/// dataset may know one track by two ids: only the first row stands for it.
std::vector<uint8_t> Forbidden(const Snapshot& snapshot, const ListenerNow& now, Mode mode) {
  std::vector<uint8_t> exclude(snapshot.model()->track_count(), 0);
  for (uint32_t m = 0; m < exclude.size(); ++m) {
    const auto row = snapshot.RowOfModel(TrackIx{m});
    exclude[m] = !row || snapshot.ModelRowOf(*row) != TrackIx{m};  // no row: the catalogue has lost it
  }
  const auto exclude_row = [&](uint32_t row) {
    if (const auto m = snapshot.ModelRowOf(row)) exclude[Raw(*m)] = 1;
  };
  if (mode == Mode::kDiscovery) {
    for (const uint32_t row : now.heard) exclude_row(row);
  }
  for (const std::string& id : now.disliked) {
    if (const auto row = snapshot.RowOf(id)) exclude_row(*row);
  }
  return exclude;
}

/// The first n with at most `cap` of one artist; shorter where `ranked` has no
/// more. `left` takes what the cap left out, best first.
std::vector<models::ScoredTrack> CapArtists(const Snapshot& snapshot, const std::vector<models::ScoredTrack>& ranked,
                                            size_t n, size_t cap, std::vector<models::ScoredTrack>& left) {
  std::unordered_map<std::string_view, size_t> shown;
  std::vector<models::ScoredTrack> list;
  for (const auto& track : ranked) {
    if (list.size() == n) break;
    const std::string& artist = snapshot.data().tracks.artist[*snapshot.RowOfModel(track.track)];
    const bool fits = artist.empty() || shown[artist]++ < cap;
    (fits ? list : left).push_back(track);
  }
  return list;
}

/// The list: looks further down the ranking as long as the cap leaves it
/// short; at the ranking's end, the cap gives way.
std::vector<models::ScoredTrack> Choose(const Snapshot& snapshot, const models::Profile& profile,
                                        std::span<const uint8_t> exclude, size_t n, size_t cap) {
  for (size_t wanted = std::max(n * kSpare, kLeastSpare);; wanted *= kSpare) {
    const auto ranked = snapshot.model()->Top(profile, wanted, exclude);
    std::vector<models::ScoredTrack> left;
    auto list = CapArtists(snapshot, ranked, n, cap, left);
    if (list.size() < n && ranked.size() == wanted) continue;
    const size_t more = std::min(n - list.size(), left.size());
    list.insert(list.end(), left.begin(), left.begin() + static_cast<std::ptrdiff_t>(more));
    return list;
  }
}

/// "" where the list is made from what the listener likes; else why not.
std::string FallbackOf(const ListenerNow& now) {
  if (!now.known) return "nothing is known of this listener yet: this is what is popular";
  const bool liked = std::any_of(now.past.tracks.begin(), now.past.tracks.end(), [](const Preference& p) { return p.strength > 0; });
  return liked ? "" : "the live model knows nothing that this listener likes yet: this is what is popular";
}

}  // namespace

json TrackJson(const Snapshot& snapshot, uint32_t row) {
  const Tracks& tracks = snapshot.data().tracks;
  json track = {{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]},
                {"album", tracks.album[row].empty() ? json() : json(tracks.album[row])},
                {"year", tracks.year[row] == 0 ? json() : json(tracks.year[row])},
                {"duration_ms", tracks.duration_ms[row] == 0 ? json() : json(tracks.duration_ms[row])},
                {"tags", json::array()}, {"features", json::object()},
                {"hit", tracks.hit[row] < 0 ? json() : json(tracks.hit[row] == 1)}};
  const std::string& tags = tracks.tags[row];
  for (size_t start = 0; start < tags.size();) {
    const size_t end = std::min(tags.find(';', start), tags.size());
    if (end > start) track["tags"].push_back(tags.substr(start, end - start));
    start = end + 1;
  }
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    const float value = tracks.features[row * kAudioFeatures.size() + f];
    if (!std::isnan(value)) track["features"][std::string(kAudioFeatures[f])] = value;
  }
  return track;
}

namespace {

/// The n best whose rows of the model are not in `exclude`.
std::vector<std::pair<uint32_t, float>> SimilarAmong(const Snapshot& snapshot, uint32_t row, size_t n, std::span<const uint8_t> exclude) {
  std::vector<std::pair<uint32_t, float>> rows;
  const auto model_row = snapshot.ModelRowOf(row);
  if (!model_row || n == 0) return rows;
  const auto forbidden = static_cast<size_t>(std::count(exclude.begin(), exclude.end(), 1));
  for (const auto& similar : snapshot.model()->Similar(*model_row, n + forbidden)) {
    if (exclude[Raw(similar.track)] != 0) continue;
    rows.emplace_back(*snapshot.RowOfModel(similar.track), similar.score);
    if (rows.size() == n) break;
  }
  return rows;
}

}  // namespace

std::vector<std::pair<uint32_t, float>> SimilarRows(const Snapshot& snapshot, uint32_t row, size_t n) {
  if (snapshot.model() == nullptr) return {};
  return SimilarAmong(snapshot, row, n, Forbidden(snapshot, ListenerNow{}, Mode::kNext));
}

json SimilarTo(const Snapshot& snapshot, uint32_t row, const std::string& listener, size_t n) {
  json items = json::array();
  if (snapshot.model() == nullptr) return {{"items", items}};
  const auto exclude = Forbidden(snapshot, listener.empty() ? ListenerNow{} : snapshot.Listener(listener), Mode::kNext);
  for (const auto& [other, score] : SimilarAmong(snapshot, row, n, exclude)) {
    const Tracks& tracks = snapshot.data().tracks;
    items.push_back({{"track_id", tracks.id[other]}, {"artist", tracks.artist[other]}, {"title", tracks.title[other]}, {"score", score}});
  }
  return {{"items", items}};
}

std::string_view Name(Mode mode) { return mode == Mode::kNext ? "next" : "discovery"; }

Recommender::Answer Recommender::ListFor(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) {
  Kept list;
  list.asked = std::string(Name(mode)) + " " + std::to_string(n) + " " + listener;
  list.made_of = snapshot.model_id() + " " + snapshot.dataset_id() + " " + std::to_string(snapshot.VersionOf(listener));
  {
    const std::lock_guard lock(mutex_);
    const auto it = by_asked_.find(list.asked);
    if (it != by_asked_.end() && it->second->made_of == list.made_of) {
      kept_.splice(kept_.begin(), kept_, it->second);
      return {it->second->list, true};
    }
  }
  list.list = std::make_shared<const MadeList>(Make(snapshot, listener, mode, n));
  Answer answer{list.list, false};
  Keep(std::move(list));
  return answer;
}

void Recommender::Keep(Kept list) {
  const std::lock_guard lock(mutex_);
  const auto drop = [&](std::list<Kept>::iterator old) {
    kept_bytes_ -= old->Bytes();
    by_asked_.erase(old->asked);
    kept_.erase(old);
  };
  if (const auto it = by_asked_.find(list.asked); it != by_asked_.end()) drop(it->second);
  kept_bytes_ += list.Bytes();
  kept_.push_front(std::move(list));
  by_asked_[kept_.front().asked] = kept_.begin();
  while (kept_bytes_ > kMostKeptBytes) drop(std::prev(kept_.end()));
}

MadeList Recommender::Make(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) const {
  json answer = {{"listener", listener}, {"model_id", json()}, {"fallback", json()}, {"mode", Name(mode)},
                 {"items", json::array()}};
  if (snapshot.model() == nullptr) {
    answer["fallback"] = "no model is live yet: drop listening data into the inbox";
    return {Dump(answer), {}};
  }
  answer["model_id"] = snapshot.model_id();
  const ListenerNow now = snapshot.Listener(listener);
  if (const std::string why = FallbackOf(now); !why.empty()) answer["fallback"] = why;
  const models::Profile profile = snapshot.model()->FoldIn(now.past.View());
  const auto chosen = Choose(snapshot, profile, Forbidden(snapshot, now, mode), n, static_cast<size_t>(settings_.max_per_artist));
  MadeList list;
  for (const auto& track : chosen) {
    const uint32_t row = *snapshot.RowOfModel(track.track);
    const Tracks& tracks = snapshot.data().tracks;
    list.tracks.push_back(tracks.id[row]);
    answer["items"].push_back({{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]},
                               {"score", track.score}, {"reason", Reason(snapshot, profile, track.track)}});
  }
  list.body = Dump(answer);
  return list;
}

}  // namespace segue::serve
