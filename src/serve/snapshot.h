#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "core/dataset.h"
#include "core/preferences.h"
#include "models/past.h"
#include "serve/hits.h"
#include "serve/server.h"

namespace segue::serve {

/// A listener as he is now: what the dataset knows, and what came since.
struct ListenerNow {
  bool known = false;                        ///< has any past at all
  uint64_t version = 0;                      ///< grows with each of his events
  models::Past past;                         ///< rows of the model
  std::unordered_set<std::string> disliked;  ///< track ids, canonical
  std::vector<uint32_t> heard;               ///< dataset rows he has met, ascending
  std::unordered_set<std::string> heard_ids; ///< ids of tracks that the dataset lacks
};

struct PlayedTrack {
  uint32_t row = 0;  ///< of the dataset
  uint64_t plays = 0;
};

/// All that answers requests at one moment: one model, the newest dataset, and
/// the feedback since; and the model of hits beside it. Immutable but for the
/// feedback and the model of hits. Thread-safe.
class Snapshot {
 public:
  /// The live model (none yet: only the catalogue, if there is a dataset).
  static Result<std::shared_ptr<Snapshot>> Load(const Context& context, std::string_view model_id,
                                                std::string_view dataset_id, int64_t live_since);

  const std::string& model_id() const { return model_id_; }
  const std::string& dataset_id() const { return data_.id; }
  int64_t live_since() const { return live_since_; }
  const models::Model* model() const { return model_.get(); }
  const Dataset& data() const { return data_; }

  /// What the live model of hits says of this dataset; null where none is live.
  std::shared_ptr<const HitView> hits() const;
  void SetHits(std::shared_ptr<const HitView> view);

  /// The canonical id for any id or name that a track may be asked for by.
  std::string Canonical(std::string_view track_id) const;
  std::optional<uint32_t> RowOf(std::string_view track_id) const;       ///< dataset row
  std::optional<uint32_t> RowOfModel(TrackIx track) const;              ///< dataset row of a model row
  std::optional<TrackIx> ModelRowOf(uint32_t row) const;

  /// Takes in the feedback that the catalog has and this has not.
  Status CatchUp();
  /// Borrows the name.
  ListenerNow Listener(const std::string& name) const;
  uint64_t VersionOf(const std::string& name) const;
  /// Tracks of the dataset that a listener has played, by row; nothing where he is not known.
  std::optional<std::vector<PlayedTrack>> PlaysOf(const std::string& name) const;

  /// Rows of tracks whose artist and title have all words of `query`, most
  /// played first, from `offset` on, at most n.
  std::vector<uint32_t> Search(std::string_view query, size_t offset, size_t n) const;

 private:
  struct Since {
    uint64_t version = 0;
    std::vector<Event> events;                             // rows of the dataset
    std::vector<std::pair<std::string, EventKind>> others; // tracks that it lacks
  };

  explicit Snapshot(const Context& context) : context_(context) {}
  void LinkRows();
  void BuildSearch();
  void Apply(const store::FeedbackEvent& event);

  Context context_;
  std::string model_id_;
  int64_t live_since_ = 0;
  std::unique_ptr<models::Model> model_;
  Dataset data_;
  std::unordered_map<std::string, std::string> aliases_;
  std::vector<uint32_t> model_row_of_, row_of_model_;
  std::vector<std::string> search_text_;  // normalised "artist title"
  std::vector<uint32_t> by_plays_;

  mutable std::mutex hits_mutex_;
  std::shared_ptr<const HitView> hits_;

  std::mutex catch_up_;                  // one at a time
  int64_t applied_seq_ = 0;
  mutable std::shared_mutex since_mutex_;
  std::unordered_map<std::string, Since> since_;
};

}  // namespace segue::serve
