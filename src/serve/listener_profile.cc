#include "serve/listener_profile.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <span>
#include <vector>

#include <nlohmann/json.hpp>

#include "store/clock.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kTop = 10;
constexpr size_t kMostRising = 5;
constexpr size_t kLeastPlays = 30;  ///< fewer do not show where a taste goes

/// One play, of a track of the dataset or not.
struct Play {
  int64_t at = 0;
  double times = 1;
  std::optional<uint32_t> row;
  std::string artist;
};

using Means = std::array<std::pair<double, double>, kAudioFeatures.size()>;  ///< sum and weight

Means SumFeatures(const Tracks& tracks, std::span<const Play> plays) {
  Means means{};
  for (const Play& play : plays) {
    if (!play.row) continue;
    for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
      const float value = tracks.features[*play.row * kAudioFeatures.size() + f];
      if (!std::isfinite(value)) continue;
      means[f].first += play.times * static_cast<double>(value);
      means[f].second += play.times;
    }
  }
  return means;
}

/// Does this feature tell listeners apart, as far as a mean can?
bool Compares(const FeatureMoments& catalogue, size_t feature) {
  return kAudioFeatures[feature] != "key" && catalogue.deviation[feature] > 0;
}

json TasteJson(const Means& means, const FeatureMoments& catalogue) {
  json taste = json::object();
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    const auto& [sum, weight] = means[f];
    if (weight <= 0 || !Compares(catalogue, f)) continue;
    taste[std::string(kAudioFeatures[f])] = {{"mean", sum / weight}, {"catalogue", catalogue.mean[f]}, {"plays", std::llround(weight)},
                                             {"deviations", (sum / weight - catalogue.mean[f]) / catalogue.deviation[f]}};
  }
  return taste;
}

std::map<std::string, double> ByArtist(std::span<const Play> plays) {
  std::map<std::string, double> times;
  for (const Play& play : plays) {
    if (!play.artist.empty()) times[play.artist] += play.times;
  }
  return times;
}

json TopJson(const std::map<std::string, double>& times, const char* name) {
  std::vector<std::pair<std::string, double>> ranked(times.begin(), times.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  json top = json::array();
  for (size_t i = 0; i < std::min(kTop, ranked.size()); ++i) top.push_back({{name, ranked[i].first}, {"plays", std::llround(ranked[i].second)}});
  return top;
}

double Sum(const std::map<std::string, double>& times) {
  double sum = 0;
  for (const auto& [name, n] : times) sum += n;
  return sum;
}

/// How much larger a part of his plays each artist has become.
json RisingJson(const std::map<std::string, double>& before, const std::map<std::string, double>& now, double all_before, double all_now) {
  struct Rise {
    std::string artist;
    double before, now;
  };
  std::vector<Rise> rises;
  for (const auto& [artist, times] : now) {
    const auto it = before.find(artist);
    const Rise rise{artist, it == before.end() ? 0 : it->second / all_before, times / all_now};
    if (rise.now > rise.before) rises.push_back(rise);
  }
  std::stable_sort(rises.begin(), rises.end(), [](const Rise& a, const Rise& b) { return a.now - a.before > b.now - b.before; });
  json list = json::array();
  for (size_t i = 0; i < std::min(kMostRising, rises.size()); ++i) {
    list.push_back({{"artist", rises[i].artist}, {"share_before", rises[i].before}, {"share", rises[i].now}});
  }
  return list;
}

/// null where his dated plays are too few.
json MovedJson(const Snapshot& snapshot, std::vector<Play> plays) {
  std::erase_if(plays, [](const Play& play) { return play.at <= 0; });
  if (plays.size() < kLeastPlays) return nullptr;
  std::stable_sort(plays.begin(), plays.end(), [](const Play& a, const Play& b) { return a.at < b.at; });
  const size_t newest = plays.size() / 3;
  const std::span<const Play> older = std::span(plays).first(plays.size() - newest), newer = std::span(plays).last(newest);
  const FeatureMoments& catalogue = snapshot.ground()->moments();
  const Means before = SumFeatures(snapshot.data().tracks, older), now = SumFeatures(snapshot.data().tracks, newer);
  json moved = {{"since", store::Iso8601(newer.front().at)}, {"plays", newer.size()}, {"older_plays", older.size()}, {"features", json::object()}};
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    if (before[f].second <= 0 || now[f].second <= 0 || !Compares(catalogue, f)) continue;
    moved["features"][std::string(kAudioFeatures[f])] = (now[f].first / now[f].second - before[f].first / before[f].second) / catalogue.deviation[f];
  }
  const auto artists_before = ByArtist(older), artists_now = ByArtist(newer);
  const double all_before = Sum(artists_before), all_now = Sum(artists_now);
  if (all_before > 0 && all_now > 0) {
    double fresh = 0;
    for (const auto& [artist, times] : artists_now) fresh += artists_before.contains(artist) ? 0 : times;
    moved["new_artists_share"] = fresh / all_now;
    moved["rising_artists"] = RisingJson(artists_before, artists_now, all_before, all_now);
  }
  return moved;
}

/// Plays by tag.
std::map<std::string, double> ByTag(const Dataset& data, std::span<const Play> plays) {
  std::map<std::string, double> times;
  if (data.tags.empty()) return times;
  for (const Play& play : plays) {
    if (!play.row) continue;
    for (uint64_t i = data.tags.begin[*play.row]; i < data.tags.begin[*play.row + 1]; ++i) times[data.tags.names[data.tags.tag[i]]] += play.times;
  }
  return times;
}

}  // namespace

json ProfileOf(const Snapshot& snapshot, const std::string& listener) {
  const Deeds deeds = snapshot.ground()->DeedsOf(listener);
  const Tracks& tracks = snapshot.data().tracks;
  std::vector<Play> plays;
  std::set<std::string> met, artists;
  double skips = 0;
  int64_t first = 0, last = 0;
  const auto note = [&](EventKind kind, int64_t at, double times, std::optional<uint32_t> row, const std::string& id, const std::string& artist) {
    met.insert(id);
    if (!artist.empty()) artists.insert(artist);
    if (at > 0) {
      first = first == 0 ? at : std::min(first, at);
      last = std::max(last, at);
    }
    if (kind == EventKind::kPlay) plays.push_back({at, times, row, artist});
    if (kind == EventKind::kSkip) skips += times;
  };
  for (const Event& event : deeds.events) {
    const uint32_t row = Raw(event.track);
    note(event.kind, event.at, static_cast<double>(event.value), row, tracks.id[row], tracks.artist[row]);
  }
  for (const OtherDeed& other : deeds.others) note(other.kind, other.at, 1, std::nullopt, other.track_id, other.artist);
  const auto opinions = snapshot.OpinionsOf(listener);
  const auto with = [&](int verdict) { return std::count_if(opinions.begin(), opinions.end(), [&](const Opinion& o) { return o.verdict == verdict; }); };
  double all = 0;
  for (const Play& play : plays) all += play.times;

  json profile = {{"listener", listener},
                  {"counts", {{"plays", std::llround(all)}, {"skips", std::llround(skips)}, {"likes", with(1)}, {"dislikes", with(-1)},
                              {"tracks", met.size()}, {"artists", artists.size()}}}};
  if (first != 0) profile["first_event"] = store::Iso8601(first);
  if (last != 0) profile["last_event"] = store::Iso8601(last);
  if (const json top = TopJson(ByArtist(plays), "artist"); !top.empty()) profile["top_artists"] = top;
  if (const json top = TopJson(ByTag(snapshot.data(), plays), "tag"); !top.empty()) profile["top_tags"] = top;
  if (const json taste = TasteJson(SumFeatures(tracks, plays), snapshot.ground()->moments()); !taste.empty()) profile["taste"] = taste;
  if (const json moved = MovedJson(snapshot, std::move(plays)); !moved.is_null()) profile["moved"] = moved;
  return profile;
}

}  // namespace segue::serve
