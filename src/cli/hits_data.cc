#include <cmath>
#include <limits>
#include <map>

#include "cli/hits.h"
#include "core/text.h"
#include "store/song_files.h"

namespace segue::cli {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

/// Genres as Spotify's seeds name them, by what they grew out of and are heard
/// as; each in one group. What is named after an occasion or an audience (study,
/// sleep, children, show-tunes) is "other", as is what is not listed.
constexpr std::pair<std::string_view, std::string_view> kGenreGroups[] = {
    {"electronic", "ambient breakbeat chill chicago-house club dance deep-house detroit-techno disco drum-and-bass dub dubstep edm electro "
                   "electronic garage hardstyle house idm minimal-techno post-dubstep progressive-house techno trance trip-hop"},
    {"rock", "alt-rock alternative british grunge guitar hard-rock indie j-rock psych-rock punk punk-rock rock rock-n-roll rockabilly goth emo "
             "industrial ska"},
    {"metal", "black-metal death-metal grindcore hardcore heavy-metal metal metalcore metal-misc"},
    {"pop", "cantopop french german indie-pop iranian j-dance j-idol j-pop k-pop malay mandopop pop power-pop swedish synth-pop turkish indian "
            "anime"},
    {"hip-hop", "hip-hop r-n-b trap"},
    {"soul-blues-jazz", "blues funk gospel groove jazz soul"},
    {"latin", "bossanova brazil forro latin latino mpb pagode salsa samba sertanejo spanish tango"},
    {"caribbean-african", "afrobeat dancehall reggae reggaeton"},
    {"folk-country", "acoustic bluegrass country folk honky-tonk singer-songwriter songwriter world-music"},
    {"classical", "classical opera piano new-age"},
};

/// Labels named anew; those that come to the same name are one, in order of the name.
void Relabel(SongTable& songs) {
  std::map<std::string, int32_t> row;
  for (const std::string& label : songs.labels) row.emplace(GenreGroup(label), 0);
  std::vector<std::string> names;
  for (auto& [name, at] : row) {
    at = static_cast<int32_t>(names.size());
    names.push_back(name);
  }
  for (int32_t& label : songs.label) {
    if (label >= 0) label = row[GenreGroup(songs.labels[static_cast<size_t>(label)])];
  }
  songs.labels = std::move(names);
}

}  // namespace

std::string GenreGroup(std::string_view genre) {
  for (const auto& [group, genres] : kGenreGroups) {
    for (size_t at = 0; at < genres.size();) {
      const size_t end = std::min(genres.find(' ', at), genres.size());
      if (genres.substr(at, end - at) == genre) return std::string(group);
      at = end + 1;
    }
  }
  return "other";
}

SongTable WithFeature(const SongTable& songs, const std::string& name, const std::vector<double>& values) {
  SongTable more = songs;
  more.features.push_back(name);
  more.values.clear();
  more.values.reserve(songs.size() * more.features.size());
  for (uint32_t row = 0; row < songs.size(); ++row) {
    const auto own = songs.Row(row);
    more.values.insert(more.values.end(), own.begin(), own.end());
    more.values.push_back(values[row]);
  }
  return more;
}

std::vector<double> DecadesOf(const SongTable& songs) {
  std::vector<double> decades;
  for (const int32_t decade : songs.decade) decades.push_back(decade < 0 ? kNan : decade);
  return decades;
}

std::vector<double> ArtistHitRate(const SongTable& songs, std::span<const uint32_t> train) {
  struct Tally {
    double hits = 0, songs = 0;
  };
  std::map<std::string_view, Tally> of_artist;
  std::vector<uint8_t> in_train(songs.size(), 0);
  for (const uint32_t row : train) {
    in_train[row] = 1;
    Tally& tally = of_artist[songs.artist[row]];
    tally.hits += songs.label[row] == 1 ? 1 : 0;
    tally.songs += 1;
  }
  std::vector<double> rate(songs.size(), kNan);
  for (uint32_t row = 0; row < songs.size(); ++row) {
    const auto found = of_artist.find(songs.artist[row]);
    if (found == of_artist.end() || songs.artist[row].empty()) continue;
    const double others = found->second.songs - in_train[row];
    const double hits = found->second.hits - (in_train[row] != 0 && songs.label[row] == 1 ? 1 : 0);
    if (others > 0) rate[row] = hits / others;
  }
  return rate;
}

Result<HitsData> ReadHitsData(const HitsFlags& flags) {
  const std::vector<std::filesystem::path> files(flags.csv.begin(), flags.csv.end());
  SEGUE_TRY(store::SongFiles read, store::ReadSongFiles(files, {.label = flags.by}));
  HitsData data{std::move(read.songs), {}};
  if (!read.text_columns.empty()) data.notes.push_back("no features, as they hold text: " + Joined(read.text_columns));
  if (!read.set_aside.empty()) data.notes.push_back("set aside, as they tell of the row or the outcome and not of the sound: " + Joined(read.set_aside));
  if (flags.group == "genres") Relabel(data.songs);
  if (flags.with == "decade") {
    const std::vector<double> decades = DecadesOf(data.songs);
    if (std::all_of(decades.begin(), decades.end(), [](double d) { return std::isnan(d); })) {
      return Error{ErrorCode::kInvalid, "--with decade: no song's decade is known. Give a column decade, year or release_date, or name files like dataset-of-60s.csv"};
    }
    data.songs = WithFeature(data.songs, "decade", decades);
  }
  if (!flags.leak.empty()) {
    if (data.songs.labels.size() != 2) return Error{ErrorCode::kInvalid, "--leak artist-hit-rate: needs two classes, there are " + std::to_string(data.songs.labels.size())};
    if (std::all_of(data.songs.artist.begin(), data.songs.artist.end(), [](const std::string& a) { return a.empty(); })) {
      return Error{ErrorCode::kInvalid, "--leak artist-hit-rate: the files name no artists"};
    }
  }
  uint64_t unlabelled = 0;
  for (const int32_t label : data.songs.label) unlabelled += label < 0 ? 1 : 0;
  if (unlabelled > 0) data.notes.push_back(std::to_string(unlabelled) + " songs have no label and are left out");
  return data;
}

}  // namespace segue::cli
