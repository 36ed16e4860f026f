#include "serve/snapshot.h"

#include <algorithm>
#include <utility>

#include "store/dataset_store.h"
#include "store/layout.h"

namespace segue::serve {
namespace {

constexpr uint32_t kNone = UINT32_MAX;

}  // namespace

Result<std::shared_ptr<Snapshot>> Snapshot::Load(const Context& context, std::string_view model_id, std::string_view dataset_id, int64_t live_since) {
  SEGUE_TRY(auto ground, Ground::Load(context, dataset_id));
  return LoadOn(context, std::move(ground), model_id, live_since);
}

Result<std::shared_ptr<Snapshot>> Snapshot::LoadOn(const Context& context, std::shared_ptr<Ground> ground, std::string_view model_id, int64_t live_since) {
  std::shared_ptr<Snapshot> snapshot(new Snapshot({context.settings.skip_weight, context.settings.like_weight}, std::move(ground)));
  snapshot->model_id_ = std::string(model_id);
  snapshot->live_since_ = live_since;
  if (!model_id.empty()) {
    SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
    SEGUE_TRY(snapshot->model_, models::Load(path));
    SEGUE_TRY(const auto record, context.catalog.FindModel(model_id));
    if (record) snapshot->model_tombstone_ = store::ManifestNumber(context.bucket, record->dataset_id, "forgotten_through");
  }
  snapshot->LinkRows();
  return snapshot;
}

std::shared_ptr<Snapshot> Snapshot::MovedTo(std::shared_ptr<Ground> ground) const {
  std::shared_ptr<Snapshot> moved(new Snapshot(rule_, std::move(ground)));
  moved->model_id_ = model_id_;
  moved->live_since_ = live_since();
  moved->model_tombstone_ = model_tombstone_;
  moved->model_ = model_;
  moved->LinkRows();
  return moved;
}

void Snapshot::LinkRows() {
  model_row_of_.assign(data().tracks.size(), kNone);
  if (model_ == nullptr) return;
  row_of_model_.assign(model_->track_count(), kNone);
  lost_.assign(model_->track_count(), 1);
  for (uint32_t m = 0; m < model_->track_count(); ++m) {
    // The model may be older than the dataset: its ids are good as aliases.
    const auto row = RowOf(model_->TrackId(TrackIx{m}));
    if (!row) continue;
    row_of_model_[m] = *row;
    if (model_row_of_[*row] != kNone) continue;
    model_row_of_[*row] = m;
    lost_[m] = 0;
  }
}

std::optional<uint32_t> Snapshot::RowOfModel(TrackIx track) const {
  const uint32_t row = row_of_model_[Raw(track)];
  return row == kNone ? std::nullopt : std::optional(row);
}

std::optional<TrackIx> Snapshot::ModelRowOf(uint32_t row) const {
  return model_row_of_[row] == kNone ? std::nullopt : std::optional(TrackIx{model_row_of_[row]});
}

bool Snapshot::TrainedOn(const std::string& name) const { return ground_->TombstoneOf(name) <= model_tombstone_; }

ListenerNow Snapshot::Listener(const std::string& name) const {
  const Deeds deeds = ground_->DeedsOf(name);
  ListenerNow now = WhoDid(deeds.events);
  if (TrainedOn(name)) now.past.listener = name;
  now.known = deeds.known;
  now.version = deeds.version;
  for (const OtherDeed& other : deeds.others) {
    now.heard_ids.insert(other.track_id);
    if (other.kind == EventKind::kDislike) now.disliked.insert(other.track_id);
    if (other.kind == EventKind::kLike || other.kind == EventKind::kNeutral) now.disliked.erase(other.track_id);
  }
  return now;
}

ListenerNow Snapshot::WhoDid(std::span<const Event> events) const {
  ListenerNow now;
  now.known = !events.empty();
  for (const Preference& item : SumByTrack(events, rule_)) {
    const uint32_t row = Raw(item.track);
    now.heard.push_back(row);
    if (item.strength < 0) now.disliked.insert(data().tracks.id[row]);
    if (const auto model_row = ModelRowOf(row)) {
      now.past.tracks.push_back(item);
      now.past.tracks.back().track = *model_row;
    }
  }
  std::sort(now.past.tracks.begin(), now.past.tracks.end(),
            [](const Preference& a, const Preference& b) { return a.track < b.track; });
  for (const Played& play : RecentPlays(events)) {
    if (const auto model_row = ModelRowOf(Raw(play.track))) now.past.recent.push_back({*model_row, play.at});
  }
  return now;
}

}  // namespace segue::serve
