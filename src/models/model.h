#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/ids.h"
#include "core/preferences.h"
#include "core/result.h"

namespace segue::models {

class ModelFile;

/// Row of a listener that a model was trained with.
inline constexpr uint32_t kStranger = std::numeric_limits<uint32_t>::max();

/// What a model remembers of one listener: made by FoldIn, opaque to callers.
struct Profile {
  std::vector<float> state;         ///< e.g. the listener's factors [d]
  std::vector<Preference> history;  ///< as given, tracks in the model's rows
  std::vector<Played> recent;       ///< as given
  uint32_t listener = kStranger;    ///< the model's own row of him, where it keeps one
  std::vector<Profile> members;     ///< of models that are made of models
};

/// The score of a track that is never recommended: nobody has played it, so
/// that this model can say nothing of it. Top and SelectTop leave it out.
inline constexpr float kNever = -std::numeric_limits<float>::infinity();

struct ScoredTrack {
  TrackIx track{};
  float score = 0;
};

/// Why a track is in the list: the listener's own tracks that speak for it.
struct Explanation {
  std::vector<ScoredTrack> because;  ///< strongest first; score: its share of the track's score
  std::string general;               ///< a phrase where no track speaks: "popular with listeners"
};

/// A trained, immutable model over its own catalogue: rows are the model's
/// TrackIx, 0 to track_count()-1, with track ids ascending. Inductive: a
/// listener is given by his history, so that his newest events count on the
/// very next request and nobody needs retraining to be served.
/// Thread-safe: all methods are const.
class Model {
 public:
  virtual ~Model() = default;

  virtual std::string_view algorithm() const = 0;  ///< "popularity", "ials", ...
  virtual uint32_t track_count() const = 0;
  virtual std::string_view TrackId(TrackIx track) const = 0;
  /// Row of a track id, if the model knows it. O(log n).
  std::optional<TrackIx> Find(std::string_view track_id) const;

  /// The listener of this history; strength as in core/preferences.h. Empty
  /// history: a newcomer.
  virtual Profile FoldIn(const History& history) const = 0;

  /// Scores of all tracks for the listener, higher is better.
  ///   scores  [track_count]
  virtual void Score(const Profile& profile, std::span<float> scores) const = 0;

  /// The listener's n best, best first, ties by row. Tracks with
  /// exclude[track] != 0 are left out (empty span: none).
  /// Default: Score, then select; models with an index override it.
  virtual std::vector<ScoredTrack> Top(const Profile& profile, size_t n,
                                       std::span<const uint8_t> exclude) const;

  /// The rating that the listener would give, on the scale of the training
  /// data; nothing for models that only rank.
  virtual std::optional<float> PredictRating(const Profile& profile, TrackIx track) const;

  virtual Explanation Explain(const Profile& profile, TrackIx track) const = 0;

  /// The n tracks nearest to `track` (itself left out), best first; empty
  /// where the model knows no likeness.
  virtual std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const = 0;

  /// How alike two tracks are, as Similar scores one for the other: the same both
  /// ways. Nothing where that is not told by the two alone, or nothing is known of one.
  virtual std::optional<float> Likeness(TrackIx a, TrackIx b) const;

  /// Writes the artifact (models/model_file.h). Same model, same bytes.
  virtual Status Save(const std::filesystem::path& file) const = 0;
};

/// Names of the algorithms whose artifacts Load knows.
std::vector<std::string_view> KnownArtifacts();

/// Maps an artifact read-only, whatever its algorithm. kCorrupt for a damaged,
/// cut or newer file, with what is wrong with it.
Result<std::unique_ptr<Model>> Load(const std::filesystem::path& file);
/// The same for an artifact that is mapped already.
Result<std::unique_ptr<Model>> Load(std::shared_ptr<const ModelFile> file);

/// a before b in a list: higher score, ties by row.
bool Better(const ScoredTrack& a, const ScoredTrack& b);

/// The three strongest of the shares that tracks have in a score (all above 0);
/// where there are none, that others with such tastes play it.
Explanation StrongestOf(std::vector<ScoredTrack> shares);

/// The n best of scores, best first, ties by row. Excluded as in Model::Top.
std::vector<ScoredTrack> SelectTop(std::span<const float> scores, size_t n,
                                   std::span<const uint8_t> exclude);

}  // namespace segue::models
