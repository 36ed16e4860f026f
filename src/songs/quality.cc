#include <algorithm>
#include <cmath>
#include <functional>
#include <unordered_map>
#include <unordered_set>

#include "core/text.h"
#include "songs/specification.h"

namespace segue::songs {
namespace {

struct Rule {
  const char* feature;
  const char* what;
  bool (*broken)(double);
};

bool OutsideOne(double v) { return v < 0 || v > 1; }
bool NotWhole(double v) { return v != std::floor(v); }

// Spotify, "Get Track's Audio Features", Web API reference.
constexpr const char* kShare = "outside 0 to 1";
const Rule kRules[] = {
    {"danceability", kShare, OutsideOne},
    {"energy", kShare, OutsideOne},
    {"speechiness", kShare, OutsideOne},
    {"acousticness", kShare, OutsideOne},
    {"instrumentalness", kShare, OutsideOne},
    {"liveness", kShare, OutsideOne},
    {"valence", kShare, OutsideOne},
    {"tempo", "0: no beat was found", [](double v) { return v == 0; }},
    {"tempo", "below 0 or above 400 BPM", [](double v) { return v < 0 || v > 400; }},
    {"time_signature", "0: no bar was found", [](double v) { return v == 0; }},
    {"time_signature", "no count of beats from 0 to 12", [](double v) { return v < 0 || v > 12 || NotWhole(v); }},
    {"loudness", "above 0 dB", [](double v) { return v > 0; }},
    {"loudness", "below -60 dB", [](double v) { return v < -60; }},
    {"key", "-1: no key was found", [](double v) { return v == -1; }},
    {"key", "no pitch class from -1 to 11", [](double v) { return v < -1 || v > 11 || NotWhole(v); }},
    {"mode", "neither 0 (minor) nor 1 (major)", [](double v) { return v != 0 && v != 1; }},
    {"duration_ms", "not above 0", [](double v) { return v <= 0; }},
    {"chorus_hit", "below 0", [](double v) { return v < 0; }},
    {"sections", "no count of sections", [](double v) { return v < 0 || NotWhole(v); }},
    {"sections", "0: no section was found", [](double v) { return v == 0; }},
};

/// Rows as keys: equal in features, id, title, artist and label.
struct RowHash {
  const SongTable* songs;
  size_t operator()(uint32_t row) const {
    size_t hash = std::hash<std::string>()(songs->id[row]) * 31 + std::hash<std::string>()(songs->title[row]);
    for (const double value : songs->Row(row)) hash = hash * 1099511628211ULL + (std::isnan(value) ? 7 : std::hash<double>()(value));
    return hash;
  }
};
struct RowEqual {
  const SongTable* songs;
  bool operator()(uint32_t a, uint32_t b) const {
    const auto of_a = songs->Row(a), of_b = songs->Row(b);
    return songs->label[a] == songs->label[b] && songs->id[a] == songs->id[b] && songs->title[a] == songs->title[b] &&
           songs->artist[a] == songs->artist[b] &&
           std::equal(of_a.begin(), of_a.end(), of_b.begin(), [](double x, double y) { return x == y || (std::isnan(x) && std::isnan(y)); });
  }
};

}  // namespace

std::vector<Impossible> FindImpossible(const std::string& feature, const std::vector<double>& values) {
  std::vector<Impossible> found;
  for (const Rule& rule : kRules) {
    if (feature != rule.feature) continue;
    Impossible impossible{rule.what};
    for (size_t row = 0; row < values.size(); ++row) {
      if (std::isnan(values[row]) || !rule.broken(values[row])) continue;
      if (impossible.count++ == 0) impossible.example = values[row], impossible.row = row;
    }
    if (impossible.count > 0) found.push_back(impossible);
  }
  return found;
}

std::string OtherUnit(const FeatureReport& feature) {
  const double low = feature.quantiles.front(), median = feature.quantiles[4], high = feature.quantiles.back();
  const std::string half = "'" + feature.name + "': half of the values lie below " + Significant(median, 4);
  if (feature.all.n < 2) return "";
  if (feature.name == "duration_ms" && median >= 10 && median < 3600) return half + ", which looks like seconds, not milliseconds";
  if (feature.name == "duration_ms" && median >= 0.5 && median < 10) return half + ", which looks like minutes, not milliseconds";
  if (feature.name == "loudness" && low >= 0 && high > 0) {
    return "'loudness': no value is below 0 (" + Significant(low, 4) + " to " + Significant(high, 4) +
           "), but loudness in dB of full scale is: the sign is lost, or it is another scale";
  }
  if (feature.name == "tempo" && median > 0 && median < 10) return half + ", which looks like beats a second, not a minute";
  const bool share = std::any_of(std::begin(kRules), std::end(kRules), [&](const Rule& rule) { return rule.what == kShare && feature.name == rule.feature; });
  if (share && median > 1 && high <= 100) return half + ", which looks like percent, not a share of 0 to 1";
  return "";
}

Duplicates FindDuplicates(const SongTable& songs, std::vector<uint32_t>& rows_left) {
  Duplicates found;
  const auto n = static_cast<uint32_t>(songs.size());
  std::unordered_set<uint32_t, RowHash, RowEqual> rows(n, RowHash{&songs}, RowEqual{&songs});
  struct Id {
    uint32_t first;
    int32_t label;
    bool several;
  };
  std::unordered_map<std::string_view, Id> ids;
  std::vector<uint8_t> again(n, 0);
  for (uint32_t row = 0; row < n; ++row) {
    again[row] = rows.insert(row).second ? 0 : 1;
    found.whole_rows += again[row];
    if (songs.id[row].empty()) continue;
    found.has_ids = true;
    const auto [id, added] = ids.try_emplace(songs.id[row], Id{row, songs.label[row], false});
    if (added) continue;
    ++found.ids;
    again[row] = 1;
    const bool other = songs.label[row] >= 0 && id->second.label >= 0 && songs.label[row] != id->second.label;
    if (other && !id->second.several) ++found.ids_in_several;
    id->second.several = id->second.several || other;
    if (id->second.label < 0) id->second.label = songs.label[row];
  }
  rows_left.clear();
  for (uint32_t row = 0; row < n; ++row) {
    if (again[row] != 0) continue;
    const auto id = ids.find(songs.id[row]);
    if (id == ids.end() || !id->second.several) rows_left.push_back(row);
  }
  found.rows_left = rows_left.size();
  return found;
}

}  // namespace segue::songs
