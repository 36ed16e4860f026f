#include "evaluate/song_split.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <map>
#include <unordered_set>

#include "core/random.h"

namespace segue::evaluate {
namespace {

template <typename T>
bool Read(std::string_view text, T& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

std::string KeyOf(const SongTable& songs, uint32_t row) {
  if (!songs.id[row].empty()) return songs.id[row];
  const auto values = songs.Row(row);
  return {reinterpret_cast<const char*>(values.data()), values.size_bytes()};
}

}  // namespace

Result<SongSplit> ParseSongSplit(std::string_view text) {
  const Error wrong{ErrorCode::kInvalid, "split '" + std::string(text) + "': expected random:SHARE:SEED or artist:SHARE:SEED, SHARE above 0 and below 1, as random:0.3:1"};
  const size_t first = text.find(':');
  if (first == std::string_view::npos) return wrong;
  const std::string_view by = text.substr(0, first);
  const size_t second = text.find(':', first + 1);
  SongSplit split;
  if (by != "random" && by != "artist") return wrong;
  split.by = by == "artist" ? SongSplit::By::kArtist : SongSplit::By::kRandom;
  if (!Read(text.substr(first + 1, second == std::string_view::npos ? second : second - first - 1), split.share)) return wrong;
  if (!(split.share > 0 && split.share < 1)) return wrong;
  if (second != std::string_view::npos && !Read(text.substr(second + 1), split.seed)) return wrong;
  return split;
}

std::string Describe(const SongSplit& split) {
  char text[64];
  std::snprintf(text, sizeof text, "%s:%g:%llu", split.by == SongSplit::By::kArtist ? "artist" : "random", split.share,
                static_cast<unsigned long long>(split.seed));
  return text;
}

Result<TrainTestRows> SplitSongs(const SongTable& songs, const SongSplit& split) {
  std::vector<uint32_t> labelled;
  for (uint32_t row = 0; row < songs.size(); ++row) {
    if (songs.label[row] >= 0) labelled.push_back(row);
  }
  const auto wanted = static_cast<size_t>(std::ceil(split.share * static_cast<double>(labelled.size()) - 1e-9));
  Random random(split.seed, 0x73706c6974);
  TrainTestRows parts;
  if (split.by == SongSplit::By::kRandom) {
    std::vector<uint32_t> order = labelled;
    Shuffle(std::span(order), random);
    parts.test.assign(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(wanted));
    parts.train.assign(order.begin() + static_cast<std::ptrdiff_t>(wanted), order.end());
  } else {
    std::map<std::string, std::vector<uint32_t>> of_artist;
    for (const uint32_t row : labelled) {
      const std::string& artist = songs.artist[row];
      of_artist[artist.empty() ? std::string(1, '\0') + std::to_string(row) : artist].push_back(row);
    }
    std::vector<const std::vector<uint32_t>*> artists;
    for (const auto& [artist, rows] : of_artist) artists.push_back(&rows);
    Shuffle(std::span(artists), random);
    for (const auto* rows : artists) {
      std::vector<uint32_t>& to = parts.test.size() < wanted ? parts.test : parts.train;
      to.insert(to.end(), rows->begin(), rows->end());
    }
  }
  if (parts.train.empty() || parts.test.empty()) {
    return Error{ErrorCode::kInvalid, "split " + Describe(split) + ": of " + std::to_string(labelled.size()) + " labelled songs " +
                                          std::to_string(parts.train.size()) + " are left to learn from and " + std::to_string(parts.test.size()) +
                                          " to test on; give more songs or another share"};
  }
  std::sort(parts.train.begin(), parts.train.end());
  std::sort(parts.test.begin(), parts.test.end());
  return parts;
}

std::vector<uint8_t> KnownFromTrain(const SongTable& songs, const TrainTestRows& parts) {
  std::unordered_set<std::string> known;
  for (const uint32_t row : parts.train) known.insert(KeyOf(songs, row));
  std::vector<uint8_t> result;
  for (const uint32_t row : parts.test) result.push_back(known.contains(KeyOf(songs, row)) ? 1 : 0);
  return result;
}

}  // namespace segue::evaluate
