#include "serve/facets.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "core/identity.h"

namespace segue::serve {
namespace {

/// Keys as they come, each with its number.
class Numbers {
 public:
  uint32_t Of(std::string key, std::string_view name) {
    const auto [it, first] = number_.try_emplace(std::move(key), static_cast<uint32_t>(names_.size()));
    if (first) names_.emplace_back(name);
    return it->second;
  }
  /// Ascending keys with their names; and each number's place among them.
  std::vector<uint32_t> Sort(std::vector<std::string>& keys, std::vector<std::string>& names) const {
    std::vector<std::pair<std::string, uint32_t>> sorted(number_.begin(), number_.end());
    std::sort(sorted.begin(), sorted.end());
    std::vector<uint32_t> place(sorted.size());
    for (uint32_t at = 0; at < sorted.size(); ++at) {
      place[sorted[at].second] = at;
      keys.push_back(std::move(sorted[at].first));
      names.push_back(names_[sorted[at].second]);
    }
    return place;
  }

 private:
  std::unordered_map<std::string, uint32_t> number_;
  std::vector<std::string> names_;  // as first seen
};

}  // namespace

SearchWords::SearchWords(std::string_view query) {
  const std::string normal = NormalizeTitle(query);
  for (size_t start = 0; start < normal.size();) {
    const size_t end = std::min(normal.find(' ', start), normal.size());
    if (end > start) words_.push_back(" " + normal.substr(start, end - start));
    start = end + 1;
  }
}

std::string Facets::ArtistKey(std::string_view name) { return NormalizeArtist(name); }

const std::string& Facets::KeyOf(uint32_t artist) const {
  static const std::string kNobody;
  return artist == kNone ? kNobody : artists_.keys[artist];
}

std::optional<uint32_t> Facets::FindTag(std::string_view name) const { return tags_.Find(NormalizeTitle(name)); }

void Facets::Count(const Dataset& data) {
  const size_t n = data.tracks.size();
  plays_.assign(n, 0);
  listeners_.assign(n, 0);
  novelty_.resize(n);
  std::vector<uint32_t> last(n, UINT32_MAX);  // who met it last
  for (uint32_t user = 0; user < data.listener_count(); ++user) {
    for (const Event& event : data.EventsOf(UserIx{user})) {
      const uint32_t row = Raw(event.track);
      if (event.kind == EventKind::kPlay) plays_[row] += static_cast<double>(event.value);
      if (last[row] != user) ++listeners_[row];
      last[row] = user;
    }
  }
  const double all = std::log2(static_cast<double>(data.listener_count()) + 1);
  for (size_t row = 0; row < n; ++row) {
    novelty_[row] = all > 0 ? static_cast<float>(1 - std::log2(static_cast<double>(listeners_[row]) + 1) / all) : 1.0f;
  }
  by_plays_.resize(n);
  std::iota(by_plays_.begin(), by_plays_.end(), 0u);
  std::stable_sort(by_plays_.begin(), by_plays_.end(), [&](uint32_t a, uint32_t b) { return plays_[a] > plays_[b]; });
}

Facets::Facets(const Dataset& data) {
  Count(data);
  const size_t n = data.tracks.size();
  // The most played track comes first, so that its spelling stands for the others.
  Numbers artists, tags;
  artist_of_.assign(n, kNone);
  std::unordered_map<std::string, uint32_t> spelling;  // normalising is slow, and most names come again
  std::vector<std::pair<uint32_t, uint32_t>> tagged;   // tag, row
  std::unordered_map<std::string, uint32_t> tag_spelling;
  for (const uint32_t row : by_plays_) {
    const auto [artist, first] = spelling.try_emplace(data.tracks.artist[row], kNone);
    if (first) {
      std::string key = ArtistKey(artist->first);
      if (!key.empty()) artist->second = artists.Of(std::move(key), artist->first);
    }
    artist_of_[row] = artist->second;
    ForEachTag(data.tracks.tags[row], [&](std::string_view name) {
      const auto [tag, fresh] = tag_spelling.try_emplace(std::string(name), kNone);
      if (fresh) {
        std::string key = NormalizeTitle(name);
        if (!key.empty()) tag->second = tags.Of(std::move(key), name);
      }
      if (tag->second != kNone) tagged.emplace_back(tag->second, row);
    });
  }
  const auto artist_place = artists.Sort(artists_.keys, artists_.names);
  const auto tag_place = tags.Sort(tags_.keys, tags_.names);

  artists_.begin.assign(artists_.keys.size() + 1, 0);
  for (uint32_t& artist : artist_of_) {
    if (artist == kNone) continue;
    artist = artist_place[artist];
    ++artists_.begin[artist + 1];
  }
  std::partial_sum(artists_.begin.begin(), artists_.begin.end(), artists_.begin.begin());
  artists_.rows.resize(artists_.begin.back());
  std::vector<uint64_t> next(artists_.begin.begin(), artists_.begin.end() - 1);
  for (const uint32_t row : by_plays_) {
    if (artist_of_[row] != kNone) artists_.rows[next[artist_of_[row]]++] = row;
  }

  // By row and tag, for each track once; the rows of a tag stay in the order of plays.
  tags_.begin.assign(tags_.keys.size() + 1, 0);
  tag_begin_.assign(n + 1, 0);
  std::vector<std::vector<uint32_t>> rows(tags_.keys.size());
  for (const auto& [tag, row] : tagged) {
    auto& own = rows[tag_place[tag]];
    if (own.empty() || own.back() != row) own.push_back(row);
  }
  for (uint32_t tag = 0; tag < rows.size(); ++tag) {
    tags_.begin[tag + 1] = tags_.begin[tag] + rows[tag].size();
    tags_.rows.insert(tags_.rows.end(), rows[tag].begin(), rows[tag].end());
    for (const uint32_t row : rows[tag]) ++tag_begin_[row + 1];
  }
  std::partial_sum(tag_begin_.begin(), tag_begin_.end(), tag_begin_.begin());
  tag_of_.resize(tag_begin_.back());
  std::vector<uint64_t> at(tag_begin_.begin(), tag_begin_.end() - 1);
  for (uint32_t tag = 0; tag < rows.size(); ++tag) {
    for (const uint32_t row : rows[tag]) tag_of_[at[row]++] = tag;
  }
}

}  // namespace segue::serve
