#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/preferences.h"
#include "models/past.h"
#include "serve/ground.h"

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

/// One model on the ground that it serves from. Several models may stand on one
/// ground: then a dataset is in memory once, and feedback counts for all of them
/// at once. Thread-safe.
class Snapshot {
 public:
  /// With a ground of its own. `model_id` "": only the catalogue, if there is a dataset.
  static Result<std::shared_ptr<Snapshot>> Load(const Context& context, std::string_view model_id,
                                                std::string_view dataset_id, int64_t live_since);
  /// A model on a ground that is there already.
  static Result<std::shared_ptr<Snapshot>> LoadOn(const Context& context, std::shared_ptr<Ground> ground, std::string_view model_id, int64_t live_since);
  /// This model, on another ground; nothing is read.
  std::shared_ptr<Snapshot> MovedTo(std::shared_ptr<Ground> ground) const;

  const std::string& model_id() const { return model_id_; }
  const std::string& dataset_id() const { return data().id; }
  /// Unix seconds; of a challenger, since when it is tried.
  int64_t live_since() const { return live_since_.load(); }
  /// Of a model that becomes live again.
  void SetLiveSince(int64_t at) { live_since_ = at; }
  const models::Model* model() const { return model_.get(); }
  const std::shared_ptr<Ground>& ground() const { return ground_; }
  const Dataset& data() const { return ground_->data(); }

  // As the ground has them.
  std::shared_ptr<const HitView> hits() const { return ground_->hits(); }
  std::string Canonical(std::string_view track_id) const { return ground_->Canonical(track_id); }
  std::optional<uint32_t> RowOf(std::string_view track_id) const { return ground_->RowOf(track_id); }
  Status CatchUp() { return ground_->CatchUp(); }
  bool Knows(const std::string& name) const { return ground_->Knows(name); }
  uint64_t VersionOf(const std::string& name) const { return ground_->VersionOf(name); }
  std::optional<std::vector<PlayedTrack>> PlaysOf(const std::string& name) const { return ground_->PlaysOf(name); }
  std::vector<Listen> ListensOf(const std::string& name, int64_t after, int64_t before, size_t n) const { return ground_->ListensOf(name, after, before, n); }
  size_t CountListens(const std::string& name) const { return ground_->CountListens(name); }
  std::vector<Opinion> OpinionsOf(const std::string& name) const { return ground_->OpinionsOf(name); }
  std::optional<std::string> TrackOfSource(const std::string& source_id) const { return ground_->TrackOfSource(source_id); }
  std::string MbidOf(const std::string& track_id) const { return ground_->MbidOf(track_id); }
  std::vector<uint32_t> Search(std::string_view query, size_t offset, size_t n) const { return ground_->Search(query, offset, n); }

  std::optional<uint32_t> RowOfModel(TrackIx track) const;              ///< dataset row of a model row
  std::optional<TrackIx> ModelRowOf(uint32_t row) const;
  /// [tracks of the model] 1 for rows that stand for no track: the catalogue has lost
  /// it, or, where the model is older than the dataset and knows one track by two
  /// ids, another row stands for it.
  const std::vector<uint8_t>& lost() const { return lost_; }

  /// Borrows the name. Who was forgotten since the model was trained is a stranger
  /// to it, whatever it keeps of him.
  ListenerNow Listener(const std::string& name) const;
  /// Somebody of whom nothing is known but these events, of the dataset's rows; in any order.
  ListenerNow WhoDid(std::span<const Event> events) const;

 private:
  Snapshot(StrengthRule rule, std::shared_ptr<Ground> ground) : rule_(rule), ground_(std::move(ground)) {}
  void LinkRows();

  bool TrainedOn(const std::string& listener) const;

  StrengthRule rule_;
  std::shared_ptr<Ground> ground_;
  std::string model_id_;
  int64_t model_tombstone_ = 0;  // the last of which the model's dataset knows
  std::atomic<int64_t> live_since_{0};
  std::shared_ptr<const models::Model> model_;
  std::vector<uint32_t> model_row_of_, row_of_model_;
  std::vector<uint8_t> lost_;
};

}  // namespace segue::serve
