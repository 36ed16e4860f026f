#include "simulate/simulate.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <vector>

#include <nlohmann/json.hpp>

#include "simulate/names.h"
#include "store/file_system.h"

namespace segue::simulate {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int64_t kPlaysAFile = 10'000;
constexpr int64_t kDay = 86'400;
constexpr int kFeatures = 9;  // those between 0 and 1, of which tastes have means
constexpr double kCatchy = 0.8;  ///< correlation of a track's appeal with how it sounds

struct SimTrack {
  std::string title, artist, album, uri;
  int taste = 0;          // the main one
  int64_t duration_ms = 0;
  int decade = 0;         // 1960 ... 2010
  double popularity = 0;  // relative
  std::array<double, kFeatures> features{};
};

/// The catalogue, and for each taste its tracks with running sums of
/// popularity to draw from.
struct Catalogue {
  std::vector<SimTrack> tracks;
  std::vector<std::vector<int64_t>> of_taste;
  std::vector<std::vector<double>> running;

  int64_t Draw(size_t taste, Random& random) const {
    const auto& sums = running[taste];
    const auto at = std::upper_bound(sums.begin(), sums.end(), random.Uniform() * sums.back()) - sums.begin();
    return of_taste[taste][std::min(static_cast<size_t>(at), sums.size() - 1)];
  }
};

/// u^-1/2 of a u in (0, 1): a power law. `catchy` is standard normal; with it
/// u leans towards 0, so that how a track sounds tells something of its success.
double Popularity(double catchy, Random& random) {
  const double appeal = kCatchy * catchy + std::sqrt(1 - kCatchy * kCatchy) * random.Normal();
  const double u = 0.5 * std::erfc(appeal / std::sqrt(2.0));  // uniform, as appeal is standard normal
  return std::pow(u + 0.01, -0.5);
}

Catalogue MakeCatalogue(const World& world) {
  Catalogue catalogue;
  const auto tastes = static_cast<size_t>(world.tastes);
  std::vector<std::array<double, kFeatures>> means(tastes);
  for (size_t g = 0; g < tastes; ++g) {
    Random random(world.seed ^ 0xD4, g);
    for (double& mean : means[g]) mean = 0.1 + 0.8 * random.Uniform();
  }
  catalogue.of_taste.resize(tastes);
  catalogue.running.resize(tastes);
  for (int64_t i = 0; i < world.tracks; ++i) {
    Random random(world.seed ^ 0xE5, static_cast<uint64_t>(i));
    const auto artist = static_cast<int64_t>(random.Below(static_cast<uint64_t>(world.artists)));
    SimTrack track;
    // An artist keeps to one taste, with a few steps aside.
    track.taste = static_cast<int>((random.Uniform() < 0.9 ? static_cast<uint64_t>(artist) : random.Next()) % tastes);
    track.title = TrackTitle(world.seed, i);
    track.artist = ArtistName(world.seed, artist);
    track.album = TrackTitle(world.seed ^ 1, artist * 7 + static_cast<int64_t>(random.Below(3)));
    track.uri = "spotify:track:" + SpotifyId(world.seed, i);
    track.duration_ms = 120'000 + static_cast<int64_t>(random.Below(240'000));
    track.decade = 1960 + 10 * static_cast<int>(random.Below(6));
    std::array<double, kFeatures> apart{};  // from others of its taste, standard normal
    for (int f = 0; f < kFeatures; ++f) {
      const double mean = means[static_cast<size_t>(track.taste)][static_cast<size_t>(f)];
      apart[static_cast<size_t>(f)] = random.Normal();
      track.features[static_cast<size_t>(f)] = std::clamp(mean + 0.12 * apart[static_cast<size_t>(f)], 0.0, 1.0);
    }
    track.popularity = Popularity((apart[0] + apart[1]) / std::sqrt(2.0), random);
    const auto taste = static_cast<size_t>(track.taste);
    catalogue.of_taste[taste].push_back(i);
    const double before = catalogue.running[taste].empty() ? 0 : catalogue.running[taste].back();
    catalogue.running[taste].push_back(before + track.popularity);
    catalogue.tracks.push_back(std::move(track));
  }
  // A taste without tracks would have nothing to draw.
  for (size_t g = 0; g < tastes; ++g) {
    if (!catalogue.of_taste[g].empty()) continue;
    catalogue.of_taste[g] = {0};
    catalogue.running[g] = {1};
  }
  return catalogue;
}

/// A listener's taste: shares over tastes that sum to 1.
class Taste {
 public:
  Taste(size_t tastes, Random& random) : shares_(tastes) {
    // A high power of a uniform: one to three large shares, many tiny.
    for (double& share : shares_) share = std::pow(random.Uniform(), 12.0) + 1e-4;
    Normalize();
  }

  /// `drift` of the whole moves to a taste drawn at random.
  void Drift(double drift, Random& random) {
    const size_t towards = random.Below(shares_.size());
    for (double& share : shares_) share *= 1 - drift;
    shares_[towards] += drift;
  }

  /// Every share moves to another taste; a single taste has no other.
  void Switch(Random& random) {
    if (shares_.size() < 2) return;
    const size_t by = 1 + random.Below(shares_.size() - 1);
    std::rotate(shares_.begin(), shares_.begin() + static_cast<std::ptrdiff_t>(by), shares_.end());
  }

  size_t Draw(Random& random) const {
    double at = random.Uniform();
    for (size_t g = 0; g < shares_.size(); ++g) {
      if ((at -= shares_[g]) < 0) return g;
    }
    return shares_.size() - 1;
  }

  double share(size_t taste) const { return shares_[taste]; }
  const std::vector<double>& shares() const { return shares_; }

 private:
  void Normalize() {
    double sum = 0;
    for (const double share : shares_) sum += share;
    for (double& share : shares_) share /= sum;
  }
  std::vector<double> shares_;
};

/// A stream of its own, so that a taste can be told without its plays.
Random TasteStream(const World& world, int64_t listener) {
  return Random(world.seed ^ 0x28, static_cast<uint64_t>(listener));
}

struct Play {
  int64_t end = 0;  // Unix seconds
  int64_t track = 0;
  int64_t ms_played = 0;
  bool cut_short = false;
};

std::vector<Play> PlaysOf(const World& world, const Catalogue& catalogue, int64_t listener) {
  Random random(world.seed ^ 0xF6, static_cast<uint64_t>(listener));
  Random moods = TasteStream(world, listener);
  Taste taste(static_cast<size_t>(world.tastes), moods);
  const double eagerness = std::exp(0.6 * random.Normal() - 0.18) * world.plays_per_day;
  std::vector<int64_t> favourites;
  std::vector<Play> plays;
  for (int64_t day = 0; day < world.days; ++day) {
    if (day == world.switch_day) {
      taste.Switch(moods);
      favourites.clear();
    }
    taste.Drift(world.drift, moods);
    const auto count = static_cast<int64_t>(eagerness * 2 * random.Uniform() + random.Uniform());
    int64_t at = world.first_day + day * kDay + 7 * 3600 + static_cast<int64_t>(random.Below(8 * 3600));
    for (int64_t k = 0; k < count; ++k) {
      const bool again = !favourites.empty() && random.Uniform() < 0.4;
      const int64_t track = again ? favourites[random.Below(favourites.size())]
                                  : catalogue.Draw(taste.Draw(random), random);
      const SimTrack& played = catalogue.tracks[static_cast<size_t>(track)];
      const double suits = again ? 0.95 : std::min(0.95, 0.45 + 2 * taste.share(static_cast<size_t>(played.taste)));
      const bool whole = random.Uniform() < suits;
      const int64_t ms = whole ? played.duration_ms : static_cast<int64_t>(random.Below(25'000));
      at += ms / 1000 + 2 + static_cast<int64_t>(random.Below(4));
      plays.push_back({at, track, ms, !whole});
      if (whole && random.Uniform() < 0.25) favourites.push_back(track);
      if (random.Uniform() < 0.1) at += static_cast<int64_t>(random.Below(3 * 3600));
    }
  }
  return plays;
}

std::string TimeText(int64_t seconds, const char* format) {
  const std::time_t time = seconds;
  std::tm utc{};
  gmtime_r(&time, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, format, &utc)};
}

std::string ListenerName(int64_t listener) {
  char name[32];
  std::snprintf(name, sizeof name, "listener-%03lld", static_cast<long long>(listener + 1));
  return name;
}

/// A file that is written record by record.
class RecordFile {
 public:
  static Result<RecordFile> Create(const fs::path& path) {
    SEGUE_RETURN_IF_ERROR(store::RealFileSystem().CreateFolders(path.parent_path()));
    SEGUE_TRY(auto writer, store::RealFileSystem().Create(path));
    return RecordFile(std::move(writer));
  }

  Status Add(std::string_view text) {
    buffer_ += text;
    return buffer_.size() > (1 << 18) ? Flush() : Status();
  }

  Status Flush() {
    SEGUE_RETURN_IF_ERROR(writer_->Append(buffer_));
    buffer_.clear();
    return {};
  }

 private:
  explicit RecordFile(std::unique_ptr<store::FileSystem::Writer> writer) : writer_(std::move(writer)) {}
  std::unique_ptr<store::FileSystem::Writer> writer_;
  std::string buffer_;
};

std::string AccountRecord(const Play& play, const SimTrack& track) {
  return "  {\n    \"endTime\" : \"" + TimeText(play.end, "%Y-%m-%d %H:%M") + "\",\n    \"artistName\" : " +
         json(track.artist).dump() + ",\n    \"trackName\" : " + json(track.title).dump() + ",\n    \"msPlayed\" : " +
         std::to_string(play.ms_played) + "\n  }";
}

std::string ExtendedRecord(const Play& play, const SimTrack& track, const std::string& listener) {
  nlohmann::ordered_json record = {{"ts", TimeText(play.end, "%Y-%m-%dT%H:%M:%SZ")},
                                   {"username", listener},
                                   {"platform", "linux"},
                                   {"ms_played", play.ms_played},
                                   {"conn_country", "ZZ"},
                                   {"ip_addr_decrypted", "0.0.0.0"},
                                   {"user_agent_decrypted", "unknown"},
                                   {"master_metadata_track_name", track.title},
                                   {"master_metadata_album_artist_name", track.artist},
                                   {"master_metadata_album_album_name", track.album},
                                   {"spotify_track_uri", track.uri},
                                   {"episode_name", nullptr},
                                   {"episode_show_name", nullptr},
                                   {"spotify_episode_uri", nullptr},
                                   {"reason_start", "trackdone"},
                                   {"reason_end", play.cut_short ? "fwdbtn" : "trackdone"},
                                   {"shuffle", false},
                                   {"skipped", play.cut_short},
                                   {"offline", false},
                                   {"offline_timestamp", play.end * 1000},
                                   {"incognito_mode", false}};
  return record.dump();
}

Result<Summary> WriteListener(const World& world, const Catalogue& catalogue, int64_t listener, const fs::path& folder) {
  const bool extended = listener % 5 == 4;
  const std::string name = ListenerName(listener);
  const auto plays = PlaysOf(world, catalogue, listener);
  Summary summary;
  for (size_t first = 0; first < plays.size(); first += kPlaysAFile) {
    const std::string number = std::to_string(first / kPlaysAFile);
    const std::string leaf = extended ? "Streaming_History_Audio_" + TimeText(plays[first].end, "%Y") + "_" + number + ".json"
                                      : "StreamingHistory" + number + ".json";
    SEGUE_TRY(RecordFile file, RecordFile::Create(folder / name / leaf));
    SEGUE_RETURN_IF_ERROR(file.Add(extended ? "[" : "[\n"));
    const size_t end = std::min(plays.size(), first + kPlaysAFile);
    for (size_t i = first; i < end; ++i) {
      const SimTrack& track = catalogue.tracks[static_cast<size_t>(plays[i].track)];
      const char* between = i == first ? "" : extended ? "," : ",\n";
      SEGUE_RETURN_IF_ERROR(file.Add(between + (extended ? ExtendedRecord(plays[i], track, name) : AccountRecord(plays[i], track))));
    }
    SEGUE_RETURN_IF_ERROR(file.Add(extended ? "]" : "\n]\n"));
    SEGUE_RETURN_IF_ERROR(file.Flush());
    ++summary.files;
  }
  summary.plays = static_cast<int64_t>(plays.size());
  return summary;
}

/// RFC 4180.
std::string Csv(const std::string& text) {
  if (text.find_first_of(",\"\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + "\"";
}

std::string TrackRow(const SimTrack& track, uint64_t seed, int64_t index) {
  Random random(seed ^ 0x17, static_cast<uint64_t>(index));
  const auto& f = track.features;
  char numbers[400];
  std::snprintf(numbers, sizeof numbers,
                "%.3f,%.3f,%d,%.3f,%d,%.4f,%.4f,%.5f,%.4f,%.3f,%.3f,%lld,%d,%.5f,%d,%d\n", f[0], f[1],
                static_cast<int>(random.Below(12)), -20 + 18 * f[2], static_cast<int>(random.Below(2)), 0.3 * f[3], f[4],
                f[5] * f[5], f[6], f[7], 70 + 110 * f[8], static_cast<long long>(track.duration_ms),
                random.Uniform() < 0.9 ? 4 : 3, 20 + 40 * random.Uniform(), 6 + static_cast<int>(random.Below(10)),
                track.popularity > 2.2 ? 1 : 0);
  return Csv(track.title) + "," + Csv(track.artist) + "," + track.uri + "," + numbers;
}

Status WriteTracks(const World& world, const Catalogue& catalogue, const fs::path& folder, Summary& summary) {
  for (int decade = 1960; decade <= 2010; decade += 10) {
    char leaf[40];
    std::snprintf(leaf, sizeof leaf, "simulated-of-%02ds.csv", decade % 100);
    SEGUE_TRY(RecordFile file, RecordFile::Create(folder / "tracks" / leaf));
    SEGUE_RETURN_IF_ERROR(file.Add("track,artist,uri,danceability,energy,key,loudness,mode,speechiness,acousticness,"
                                   "instrumentalness,liveness,valence,tempo,duration_ms,time_signature,chorus_hit,"
                                   "sections,target\n"));
    for (size_t i = 0; i < catalogue.tracks.size(); ++i) {
      if (catalogue.tracks[i].decade != decade) continue;
      SEGUE_RETURN_IF_ERROR(file.Add(TrackRow(catalogue.tracks[i], world.seed, static_cast<int64_t>(i))));
    }
    SEGUE_RETURN_IF_ERROR(file.Flush());
    ++summary.files;
  }
  return {};
}

}  // namespace

Result<Summary> Simulate(const World& world, const fs::path& folder, Instruments& instruments) {
  if (world.listeners < 1 || world.tracks < 1 || world.artists < 1 || world.tastes < 1 || world.days < 1 ||
      !(world.plays_per_day > 0) || !(world.drift >= 0 && world.drift <= 1)) {
    return Error{ErrorCode::kInvalid, "simulate: listeners, tracks, artists, tastes, days and plays a day must be "
                                      "above 0, drift from 0 to 1"};
  }
  const Catalogue catalogue = MakeCatalogue(world);
  Summary summary;
  for (int64_t listener = 0; listener < world.listeners; ++listener) {
    if (instruments.Cancelled()) return Error{ErrorCode::kCancelled, "simulate: asked to stop"};
    instruments.Progress("simulate", static_cast<uint64_t>(listener), static_cast<uint64_t>(world.listeners), "listeners");
    SEGUE_TRY(const Summary one, WriteListener(world, catalogue, listener, folder));
    summary.files += one.files;
    summary.plays += one.plays;
  }
  instruments.Progress("simulate", static_cast<uint64_t>(world.listeners), static_cast<uint64_t>(world.listeners), "listeners");
  SEGUE_RETURN_IF_ERROR(WriteTracks(world, catalogue, folder, summary));
  return summary;
}

std::vector<double> TasteOn(const World& world, int64_t listener, int64_t day) {
  Random moods = TasteStream(world, listener);
  Taste taste(static_cast<size_t>(world.tastes), moods);
  for (int64_t d = 0; d <= day; ++d) {
    if (d == world.switch_day) taste.Switch(moods);
    taste.Drift(world.drift, moods);
  }
  return taste.shares();
}

std::vector<int> TrackTastes(const World& world) {
  std::vector<int> tastes;
  for (const SimTrack& track : MakeCatalogue(world).tracks) tastes.push_back(track.taste);
  return tastes;
}

}  // namespace segue::simulate
