#include "core/songs.h"

#include <limits>

namespace segue {

SongTable SongsOf(const Tracks& tracks) {
  SongTable songs;
  songs.features.assign(kAudioFeatures.begin(), kAudioFeatures.end());
  songs.features.emplace_back("duration_ms");
  songs.labels = {"0", "1"};
  songs.id = tracks.id;
  songs.title = tracks.title;
  songs.artist = tracks.artist;
  songs.files = {"tracks.parquet"};
  songs.file.assign(tracks.size(), 0);
  const size_t audio = kAudioFeatures.size();
  songs.values.reserve(tracks.size() * songs.features.size());
  for (size_t row = 0; row < tracks.size(); ++row) {
    for (size_t f = 0; f < audio; ++f) songs.values.push_back(static_cast<double>(tracks.features[row * audio + f]));
    songs.values.push_back(tracks.duration_ms[row] > 0 ? tracks.duration_ms[row] : std::numeric_limits<double>::quiet_NaN());
    songs.decade.push_back(tracks.year[row] > 0 ? tracks.year[row] / 10 * 10 : -1);
    songs.label.push_back(tracks.hit[row] < 0 ? -1 : tracks.hit[row] > 0 ? 1 : 0);
    songs.line.push_back(row + 1);
  }
  return songs;
}

}  // namespace segue
