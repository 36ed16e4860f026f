#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/dataset.h"
#include "serve/facets.h"
#include "serve/hits.h"
#include "serve/server.h"

namespace segue::serve {

struct PlayedTrack {
  uint32_t row = 0;  ///< of the dataset
  uint64_t plays = 0;
};

/// One play of a listener, as he is shown it.
struct Listen {
  std::string track_id, artist, title, album;
  int64_t at = 0;           ///< Unix seconds
  int64_t duration_ms = 0;  ///< the track's; 0 unknown
};

/// What a listener thinks of a track.
struct Opinion {
  std::string track_id, artist, title;
  int verdict = 0;          ///< 1 liked, -1 disliked, 0 taken back
  int64_t at = 0;           ///< Unix seconds
};

/// An event of a track that the dataset lacks.
struct OtherDeed {
  std::string track_id, artist, title, album;
  EventKind kind = EventKind::kPlay;
  int64_t at = 0, duration_ms = 0;
};

/// The catalogue's audio features (kAudioFeatures), each over the tracks that have it.
struct FeatureMoments {
  std::array<double, kAudioFeatures.size()> mean{}, deviation{};  ///< 0 where fewer than two tracks have it
};

/// All that a listener did: rows of the dataset, and since.
struct Deeds {
  bool known = false;                                    ///< has any past at all
  bool forgotten = false;                                ///< the dataset's rows of him count no more
  uint64_t version = 0;                                  ///< grows with each of his events, and when he is forgotten
  std::vector<Event> events;                             ///< rows of the dataset
  std::vector<OtherDeed> others;
  std::set<std::pair<std::string, int64_t>> taken_back;  ///< plays, by track and time
};

/// What all models that serve at one moment stand on: the newest dataset, the
/// feedback since, and the model of hits. Immutable but for the last two, and for
/// listeners who were forgotten since: of them it knows what they did afterwards.
/// Thread-safe.
class Ground {
 public:
  /// "" where there is no dataset yet.
  static Result<std::shared_ptr<Ground>> Load(const Context& context, std::string_view dataset_id);

  const Dataset& data() const { return data_; }
  const FeatureMoments& moments() const { return moments_; }
  const Facets& facets() const { return facets_; }

  /// What the live model of hits says of this dataset; null where none is live.
  std::shared_ptr<const HitView> hits() const;
  void SetHits(std::shared_ptr<const HitView> view);

  /// The canonical id for any id or name that a track may be asked for by.
  std::string Canonical(std::string_view track_id) const;
  std::optional<uint32_t> RowOf(std::string_view track_id) const;

  /// Takes in the feedback that the catalog has and this has not, and who was forgotten.
  Status CatchUp();
  /// Is anything known of him?
  bool Knows(const std::string& listener) const;
  /// Number of his tombstone (store/listeners.h); 0 where he was never forgotten.
  int64_t TombstoneOf(const std::string& listener) const;
  /// Names in the dataset that count, ascending.
  std::vector<std::string> Listeners() const;
  Deeds DeedsOf(const std::string& listener) const;
  uint64_t VersionOf(const std::string& listener) const;
  /// Tracks of the dataset that a listener has played, by row; nothing where he is not known.
  std::optional<std::vector<PlayedTrack>> PlaysOf(const std::string& listener) const;

  /// His plays with after < at < before, newest first, at most n of them.
  std::vector<Listen> ListensOf(const std::string& listener, int64_t after, int64_t before, size_t n) const;
  /// How many plays whose time is known.
  size_t CountListens(const std::string& listener) const;
  /// His newest opinion of each track of which he ever told one, newest first.
  std::vector<Opinion> OpinionsOf(const std::string& listener) const;

  /// The track that another source calls "mbid:..." or the like.
  std::optional<std::string> TrackOfSource(const std::string& source_id) const;
  /// A track's MusicBrainz recording, "" where none is known; of several the smallest.
  std::string MbidOf(const std::string& track_id) const;

  /// Rows of tracks whose artist and title have all words of `query`, most
  /// played first, from `offset` on, at most n.
  std::vector<uint32_t> Search(std::string_view query, size_t offset, size_t n) const;

 private:
  explicit Ground(const Context& context) : context_(context) {}
  void BuildSearch();
  void MeasureFeatures();
  void Apply(const store::FeedbackEvent& event);
  Status Forget();
  bool KnownOf(const std::string& listener, const Deeds* since) const;
  void LinkMbids();
  void LinkSource(const std::string& source_id, const std::string& track_id);
  // With since_mutex_ held; null where he did nothing since.
  const Deeds* SinceOf(const std::string& listener) const;
  std::vector<Event> EventsOf(const std::string& listener, const Deeds* since) const;

  Context context_;
  Dataset data_;
  FeatureMoments moments_;
  Facets facets_;
  std::unordered_map<std::string, std::string> aliases_;
  std::vector<std::string> search_text_;  // normalised "artist title"

  mutable std::mutex hits_mutex_;
  std::shared_ptr<const HitView> hits_;

  std::mutex catch_up_;  // one at a time
  int64_t applied_seq_ = 0, applied_tombstone_ = 0;
  int64_t dataset_tombstone_ = 0;  // the last that the dataset knows of
  mutable std::shared_mutex since_mutex_;
  std::unordered_map<std::string, int64_t> tombstones_;
  std::unordered_map<std::string, Deeds> since_;  // of what the dataset has not
  std::unordered_map<std::string, std::string> track_of_source_, mbid_of_;  // the latter by track id
};

}  // namespace segue::serve
