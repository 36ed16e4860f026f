#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/dataset.h"

namespace segue::serve {

/// The catalogue by artist, by tag and by popularity. An artist's names are the
/// same where NormalizeArtist makes them so (the first of several counts), a tag's
/// where NormalizeTitle does: case, accents and punctuation do not matter.
/// Artists and tags are numbered by their normal form. Immutable.
class Facets {
 public:
  static constexpr uint32_t kNone = UINT32_MAX;

  Facets() = default;
  /// Reads each event once. Copies what it keeps.
  explicit Facets(const Dataset& data);

  size_t artist_count() const { return artists_.keys.size(); }
  std::optional<uint32_t> FindArtist(std::string_view name) const { return artists_.Find(ArtistKey(name)); }
  std::optional<uint32_t> FindArtistKey(std::string_view key) const { return artists_.Find(key); }
  /// kNone where the track names none.
  uint32_t ArtistOf(uint32_t row) const { return artist_of_[row]; }
  /// "" for kNone.
  const std::string& KeyOf(uint32_t artist) const;
  /// As its most played track spells it.
  const std::string& ArtistName(uint32_t artist) const { return artists_.names[artist]; }
  /// Rows, most played first.
  std::span<const uint32_t> TracksOf(uint32_t artist) const { return artists_.Rows(artist); }
  static std::string ArtistKey(std::string_view name);

  std::optional<uint32_t> FindTag(std::string_view name) const;
  const std::string& TagName(uint32_t tag) const { return tags_.names[tag]; }
  /// Rows, most played first.
  std::span<const uint32_t> Tagged(uint32_t tag) const { return tags_.Rows(tag); }
  /// A track's tags, ascending.
  std::span<const uint32_t> TagsOf(uint32_t row) const {
    return {tag_of_.data() + tag_begin_[row], tag_of_.data() + tag_begin_[row + 1]};
  }

  /// How often the dataset's listeners played it.
  double Plays(uint32_t row) const { return plays_[row]; }
  /// How many of them met it at all.
  uint32_t Listeners(uint32_t row) const { return listeners_[row]; }
  /// The self-information of being known, as a share of what a track that nobody
  /// knows has:
  ///
  ///   novelty(i) = −log₂ p(i) / log₂(|U| + 1),   p(i) = (|U_i| + 1) / (|U| + 1)
  ///
  /// with U the listeners and U_i those who met i: 0 where all did, 1 where nobody.
  /// Source: Vargas, Castells, "Rank and Relevance in Novelty and Diversity Metrics
  /// for Recommender Systems", RecSys 2011, section 4.1 (popularity complement as
  /// −log₂ p(seen|i)). Departure: one is added, so that unmet tracks have a value.
  float Novelty(uint32_t row) const { return novelty_[row]; }
  /// Rows, most played first.
  std::span<const uint32_t> ByPlays() const { return by_plays_; }

 private:
  /// Rows under names; keys ascend.
  struct Index {
    std::vector<std::string> keys, names;
    std::vector<uint64_t> begin;   // [keys + 1] into rows
    std::vector<uint32_t> rows;

    std::optional<uint32_t> Find(std::string_view key) const { return key.empty() ? std::nullopt : FindSorted(keys, key); }
    std::span<const uint32_t> Rows(uint32_t key) const { return {rows.data() + begin[key], rows.data() + begin[key + 1]}; }
  };
  void Count(const Dataset& data);

  Index artists_, tags_;
  std::vector<uint32_t> artist_of_;   // [tracks]
  std::vector<uint64_t> tag_begin_;   // [tracks + 1]
  std::vector<uint32_t> tag_of_;
  std::vector<double> plays_;         // [tracks]
  std::vector<uint32_t> listeners_;   // [tracks]
  std::vector<float> novelty_;        // [tracks]
  std::vector<uint32_t> by_plays_;
};

/// What somebody looks for by name: the beginnings of words, in any order.
class SearchWords {
 public:
  explicit SearchWords(std::string_view query);
  /// Are all of them in " a normal form", which begins with a blank?
  bool In(std::string_view text) const {
    return std::all_of(words_.begin(), words_.end(), [&](const std::string& word) { return text.find(word) != std::string_view::npos; });
  }

 private:
  std::vector<std::string> words_;
};

/// Calls `take` with each tag of "rock;indie", as Tracks::tags has them.
template <typename Take>
void ForEachTag(std::string_view tags, const Take& take) {
  while (!tags.empty()) {
    const size_t end = std::min(tags.find(';'), tags.size());
    if (end > 0) take(tags.substr(0, end));
    tags.remove_prefix(std::min(end + 1, tags.size()));
  }
}

}  // namespace segue::serve
