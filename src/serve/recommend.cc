#include "serve/recommend.h"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kMostKept = 20'000;
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

/// Tracks that must not be shown, by row of the model.
std::vector<uint8_t> Forbidden(const Snapshot& snapshot, const ListenerNow& now, Mode mode) {
  std::vector<uint8_t> exclude(snapshot.model()->track_count(), 0);
  for (uint32_t m = 0; m < exclude.size(); ++m) {
    if (!snapshot.RowOfModel(TrackIx{m})) exclude[m] = 1;  // the catalogue has lost it
  }
  if (mode == Mode::kDiscovery) {
    for (const uint32_t row : now.heard) {
      if (const auto m = snapshot.ModelRowOf(row)) exclude[Raw(*m)] = 1;
    }
  }
  for (const std::string& id : now.disliked) {
    const auto row = snapshot.RowOf(id);
    if (!row) continue;
    if (const auto m = snapshot.ModelRowOf(*row)) exclude[Raw(*m)] = 1;
  }
  return exclude;
}

/// The first n with at most `cap` of one artist; what the cap left out follows
/// if there is room.
std::vector<models::ScoredTrack> CapArtists(const Snapshot& snapshot, const std::vector<models::ScoredTrack>& ranked,
                                            size_t n, size_t cap) {
  std::unordered_map<std::string_view, size_t> shown;
  std::vector<models::ScoredTrack> list, left;
  for (const auto& track : ranked) {
    const std::string& artist = snapshot.data().tracks.artist[*snapshot.RowOfModel(track.track)];
    const bool fits = artist.empty() || shown[artist] < cap;
    if (fits) ++shown[artist];
    (fits ? list : left).push_back(track);
    if (list.size() == n) return list;
  }
  for (const auto& track : left) {
    if (list.size() == n) break;
    list.push_back(track);
  }
  return list;
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

json SimilarTo(const Snapshot& snapshot, uint32_t row, const std::string& listener, size_t n) {
  json items = json::array();
  const auto model_row = snapshot.model() == nullptr ? std::nullopt : snapshot.ModelRowOf(row);
  if (!model_row) return {{"items", items}};
  std::vector<uint8_t> exclude(snapshot.model()->track_count(), 0);
  if (!listener.empty()) exclude = Forbidden(snapshot, snapshot.Listener(listener), Mode::kNext);
  for (const auto& similar : snapshot.model()->Similar(*model_row, n + exclude.size() / 100 + 50)) {
    const auto other = snapshot.RowOfModel(similar.track);
    if (!other || exclude[Raw(similar.track)] != 0) continue;
    items.push_back({{"track_id", snapshot.data().tracks.id[*other]}, {"artist", snapshot.data().tracks.artist[*other]},
                     {"title", snapshot.data().tracks.title[*other]}, {"score", similar.score}});
    if (items.size() == n) break;
  }
  return {{"items", items}};
}

std::string Recommender::ListFor(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) {
  const Key key{listener, snapshot.VersionOf(listener), snapshot.model_id() + " " + snapshot.dataset_id(), mode, n};
  {
    const std::lock_guard lock(mutex_);
    const auto it = by_listener_.find(listener);
    if (it != by_listener_.end() && it->second->key == key) {
      kept_.splice(kept_.begin(), kept_, it->second);
      return it->second->body;
    }
  }
  std::string body = Make(snapshot, listener, mode, n);
  const std::lock_guard lock(mutex_);
  if (const auto it = by_listener_.find(listener); it != by_listener_.end()) {
    kept_.erase(it->second);
    by_listener_.erase(it);
  }
  kept_.push_front({key, body});
  by_listener_[listener] = kept_.begin();
  if (kept_.size() > kMostKept) {
    by_listener_.erase(kept_.back().key.listener);
    kept_.pop_back();
  }
  return body;
}

std::string Recommender::Make(const Snapshot& snapshot, const std::string& listener, Mode mode, size_t n) const {
  json answer = {{"listener", listener}, {"model_id", json()}, {"fallback", json()}, {"mode", mode == Mode::kNext ? "next" : "discovery"},
                 {"items", json::array()}};
  if (snapshot.model() == nullptr) {
    answer["fallback"] = "no model is live yet: drop listening data into the inbox";
    return Dump(answer);
  }
  answer["model_id"] = snapshot.model_id();
  const models::Model& model = *snapshot.model();
  const ListenerNow now = snapshot.Listener(listener);
  if (!now.known) answer["fallback"] = "nothing is known of this listener yet: this is what is popular";
  const models::Profile profile = model.FoldIn(now.history);
  const auto ranked = model.Top(profile, std::max(n * kSpare, kLeastSpare), Forbidden(snapshot, now, mode));
  for (const auto& track : CapArtists(snapshot, ranked, n, static_cast<size_t>(settings_.max_per_artist))) {
    const uint32_t row = *snapshot.RowOfModel(track.track);
    const Tracks& tracks = snapshot.data().tracks;
    answer["items"].push_back({{"track_id", tracks.id[row]}, {"artist", tracks.artist[row]}, {"title", tracks.title[row]},
                               {"score", track.score}, {"reason", Reason(snapshot, profile, track.track)}});
  }
  return Dump(answer);
}

}  // namespace segue::serve
