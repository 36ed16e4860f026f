#include "serve/artists.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <unordered_map>

#include <nlohmann/json.hpp>

#include "serve/likeness.h"
#include "serve/recommend.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr size_t kTracksAsked = 10;
constexpr size_t kNearest = 200;
constexpr size_t kTags = 10;

double PlaysOf(const Facets& facets, uint32_t artist) {
  double plays = 0;
  for (const uint32_t row : facets.TracksOf(artist)) plays += facets.Plays(row);
  return plays;
}

/// The best n by score, ties by number.
void KeepBest(std::vector<std::pair<uint32_t, float>>& scored, size_t n) {
  std::sort(scored.begin(), scored.end(), [](const auto& a, const auto& b) { return a.second != b.second ? a.second > b.second : a.first < b.first; });
  if (scored.size() > n) scored.resize(n);
}

json TagsJson(const Facets& facets, uint32_t artist) {
  std::map<uint32_t, size_t> counts;
  for (const uint32_t row : facets.TracksOf(artist)) {
    for (const uint32_t tag : facets.TagsOf(row)) ++counts[tag];
  }
  std::vector<std::pair<uint32_t, size_t>> ranked(counts.begin(), counts.end());
  std::stable_sort(ranked.begin(), ranked.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  json tags = json::array();
  for (size_t i = 0; i < std::min(kTags, ranked.size()); ++i) tags.push_back({{"tag", facets.TagName(ranked[i].first)}, {"tracks", ranked[i].second}});
  return tags;
}

}  // namespace

json ArtistJson(const Ground& ground, uint32_t artist) {
  const Facets& facets = ground.facets();
  return {{"artist", facets.ArtistName(artist)}, {"tracks", facets.TracksOf(artist).size()}, {"plays", std::llround(PlaysOf(facets, artist))}};
}

json ArtistPage(const Snapshot& snapshot, uint32_t artist, size_t n) {
  const Facets& facets = snapshot.ground()->facets();
  const Tracks& tracks = snapshot.data().tracks;
  json page = ArtistJson(*snapshot.ground(), artist);
  page["tags"] = TagsJson(facets, artist);
  page["items"] = json::array();
  int first = 0, last = 0;
  for (const uint32_t row : facets.TracksOf(artist)) {
    if (page["items"].size() < n) {
      page["items"].push_back(TrackJson(snapshot, row));
      page["items"].back()["plays"] = std::llround(facets.Plays(row));
    }
    if (const int year = tracks.year[row]; year != 0) {
      first = first == 0 ? year : std::min(first, year);
      last = std::max(last, year);
    }
  }
  page["years"] = first == 0 ? json() : json({{"from", first}, {"to", last}});
  return page;
}

std::vector<uint32_t> SearchArtists(const Ground& ground, std::string_view query) {
  const Facets& facets = ground.facets();
  const SearchWords words(query);
  std::vector<std::pair<double, uint32_t>> found;
  for (uint32_t artist = 0; artist < facets.artist_count(); ++artist) {
    if (words.In(" " + facets.KeyOf(artist))) found.emplace_back(-PlaysOf(facets, artist), artist);
  }
  std::sort(found.begin(), found.end());
  std::vector<uint32_t> artists;
  for (const auto& [plays, artist] : found) artists.push_back(artist);
  return artists;
}

std::vector<std::pair<uint32_t, float>> SimilarArtists(const Snapshot& snapshot, uint32_t artist, const std::vector<std::string>& blocked, size_t n) {
  const Facets& facets = snapshot.ground()->facets();
  const auto own = facets.TracksOf(artist);
  std::vector<uint32_t> asked;
  for (const uint32_t row : own) {
    if (asked.size() < kTracksAsked && snapshot.ModelRowOf(row)) asked.push_back(row);
  }
  const bool played = std::any_of(asked.begin(), asked.end(), [&](uint32_t row) { return facets.Plays(row) > 0; });
  std::unordered_map<uint32_t, double> sums;
  double weights = 0;
  for (const uint32_t row : asked) {
    const double weight = played ? std::log1p(facets.Plays(row)) : 1;
    if (weight <= 0) continue;
    std::unordered_map<uint32_t, float> nearest;  // the best score of each artist
    for (const auto& [other, score] : Nearest(snapshot, row, kNearest)) {
      const uint32_t by = facets.ArtistOf(other);
      if (by == Facets::kNone || by == artist || score <= 0) continue;
      float& best = nearest[by];
      best = std::max(best, score);
    }
    for (const auto& [by, score] : nearest) sums[by] += weight * static_cast<double>(score);
    weights += weight;
  }
  std::vector<std::pair<uint32_t, float>> similar;
  for (const auto& [by, sum] : sums) {
    if (!std::binary_search(blocked.begin(), blocked.end(), facets.KeyOf(by))) similar.emplace_back(by, static_cast<float>(sum / weights));
  }
  KeepBest(similar, n);
  return similar;
}

}  // namespace segue::serve
