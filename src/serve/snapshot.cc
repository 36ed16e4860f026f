#include "serve/snapshot.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>

#include <nlohmann/json.hpp>

#include "core/identity.h"
#include "store/dataset_store.h"

namespace segue::serve {
namespace {

using nlohmann::json;

constexpr uint32_t kNone = UINT32_MAX;
constexpr int64_t kBatch = 10'000;

int64_t EventsThrough(const store::ObjectStore& bucket, std::string_view dataset_id) {
  const auto text = bucket.Get(store::DatasetKey(dataset_id, "manifest.json"));
  if (!text.ok()) return 0;
  const json manifest = json::parse(*text, nullptr, false);
  return manifest.is_object() ? manifest.value("events_through_seq", int64_t{0}) : 0;
}

}  // namespace

Result<std::shared_ptr<Snapshot>> Snapshot::Load(const Context& context, std::string_view model_id,
                                                 std::string_view dataset_id, int64_t live_since) {
  std::shared_ptr<Snapshot> snapshot(new Snapshot(context));
  snapshot->model_id_ = std::string(model_id);
  snapshot->live_since_ = live_since;
  if (!model_id.empty()) {
    SEGUE_TRY(const auto path, context.bucket.LocalPath(store::ModelKey(model_id, "model.segue")));
    SEGUE_TRY(snapshot->model_, models::Load(path));
  }
  if (!dataset_id.empty()) {
    SEGUE_TRY(snapshot->data_, store::LoadDataset(context.bucket, dataset_id));
    SEGUE_TRY(snapshot->aliases_, store::LoadAliases(context.bucket, dataset_id));
    snapshot->applied_seq_ = EventsThrough(context.bucket, dataset_id);
  }
  if (snapshot->data_.begin.empty()) snapshot->data_.begin.push_back(0);
  snapshot->LinkRows();
  snapshot->BuildSearch();
  SEGUE_RETURN_IF_ERROR(snapshot->CatchUp());
  return snapshot;
}

void Snapshot::LinkRows() {
  model_row_of_.assign(data_.tracks.size(), kNone);
  if (model_ == nullptr) return;
  row_of_model_.assign(model_->track_count(), kNone);
  for (uint32_t m = 0; m < model_->track_count(); ++m) {
    // The model may be older than the dataset: its ids are good as aliases.
    const auto row = RowOf(model_->TrackId(TrackIx{m}));
    if (!row) continue;
    row_of_model_[m] = *row;
    if (model_row_of_[*row] == kNone) model_row_of_[*row] = m;
  }
}

void Snapshot::BuildSearch() {
  const size_t n = data_.tracks.size();
  search_text_.reserve(n);
  for (size_t i = 0; i < n; ++i) {
    search_text_.push_back(" " + NormalizeArtist(data_.tracks.artist[i]) + " " + NormalizeTitle(data_.tracks.title[i]));
  }
  std::vector<uint32_t> plays(n, 0);
  for (const Event& event : data_.events) ++plays[Raw(event.track)];
  by_plays_.resize(n);
  std::iota(by_plays_.begin(), by_plays_.end(), 0u);
  std::stable_sort(by_plays_.begin(), by_plays_.end(), [&](uint32_t a, uint32_t b) { return plays[a] > plays[b]; });
}

std::string Snapshot::Canonical(std::string_view track_id) const {
  const std::string id(track_id);
  const auto it = aliases_.find(id);
  return it == aliases_.end() ? id : it->second;
}

std::optional<uint32_t> Snapshot::RowOf(std::string_view track_id) const {
  if (const auto row = FindSorted(data_.tracks.id, track_id)) return row;
  const auto it = aliases_.find(std::string(track_id));
  return it == aliases_.end() ? std::nullopt : FindSorted(data_.tracks.id, it->second);
}

std::optional<uint32_t> Snapshot::RowOfModel(TrackIx track) const {
  const uint32_t row = row_of_model_[Raw(track)];
  return row == kNone ? std::nullopt : std::optional(row);
}

std::optional<TrackIx> Snapshot::ModelRowOf(uint32_t row) const {
  return model_row_of_[row] == kNone ? std::nullopt : std::optional(TrackIx{model_row_of_[row]});
}

Status Snapshot::CatchUp() {
  const std::lock_guard one(catch_up_);
  for (;;) {
    SEGUE_TRY(const auto events, context_.catalog.EventsAfter(applied_seq_, kBatch));
    if (events.empty()) return {};
    const std::unique_lock lock(since_mutex_);
    for (const auto& event : events) Apply(event);
    applied_seq_ = events.back().seq;
  }
}

void Snapshot::Apply(const store::FeedbackEvent& event) {
  Since& since = since_[event.listener];
  ++since.version;
  const auto kind = ParseEventKind(event.kind);
  if (!kind) return;
  if (const auto row = RowOf(event.track_id)) {
    since.events.push_back({TrackIx{*row}, *kind, static_cast<float>(event.value), -1, event.at});
  } else {
    since.others.emplace_back(event.track_id, *kind);
  }
}

std::shared_ptr<const HitView> Snapshot::hits() const {
  const std::lock_guard lock(hits_mutex_);
  return hits_;
}

void Snapshot::SetHits(std::shared_ptr<const HitView> view) {
  const std::lock_guard lock(hits_mutex_);
  hits_.swap(view);
}

std::optional<std::vector<PlayedTrack>> Snapshot::PlaysOf(const std::string& name) const {
  std::map<uint32_t, double> plays;
  const auto add = [&](std::span<const Event> events) {
    for (const Event& event : events) {
      if (event.kind == EventKind::kPlay) plays[Raw(event.track)] += static_cast<double>(event.value);
    }
  };
  const auto user = FindSorted(data_.listeners, name);
  if (user) add(data_.EventsOf(UserIx{*user}));
  {
    const std::shared_lock lock(since_mutex_);
    const auto it = since_.find(name);
    if (!user && it == since_.end()) return std::nullopt;
    if (it != since_.end()) add(it->second.events);
  }
  std::vector<PlayedTrack> played;
  for (const auto& [row, times] : plays) played.push_back({row, static_cast<uint64_t>(std::llround(times))});
  return played;
}

uint64_t Snapshot::VersionOf(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  const auto it = since_.find(name);
  return it == since_.end() ? 0 : it->second.version;
}

ListenerNow Snapshot::Listener(const std::string& name) const {
  ListenerNow now;
  now.past.listener = name;
  std::vector<Event> events;
  if (const auto user = FindSorted(data_.listeners, name)) {
    const auto past = data_.EventsOf(UserIx{*user});
    events.assign(past.begin(), past.end());
    now.known = true;
  }
  {
    const std::shared_lock lock(since_mutex_);
    if (const auto it = since_.find(name); it != since_.end()) {
      now.known = true;
      now.version = it->second.version;
      events.insert(events.end(), it->second.events.begin(), it->second.events.end());
      for (const auto& [id, kind] : it->second.others) {
        now.heard_ids.insert(id);
        if (kind == EventKind::kDislike) now.disliked.insert(id);
        if (kind == EventKind::kLike) now.disliked.erase(id);
      }
    }
  }
  for (const Preference& item : SumByTrack(events, {context_.settings.skip_weight, context_.settings.like_weight})) {
    const uint32_t row = Raw(item.track);
    now.heard.push_back(row);
    if (item.strength < 0) now.disliked.insert(data_.tracks.id[row]);
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

std::vector<uint32_t> Snapshot::Search(std::string_view query, size_t offset, size_t n) const {
  const std::string normal = NormalizeTitle(query);
  std::vector<std::string> words;
  for (size_t start = 0; start < normal.size();) {
    const size_t end = std::min(normal.find(' ', start), normal.size());
    if (end > start) words.push_back(" " + normal.substr(start, end - start));
    start = end + 1;
  }
  std::vector<uint32_t> found;
  size_t passed = 0;
  for (const uint32_t row : by_plays_) {
    const bool fits = std::all_of(words.begin(), words.end(), [&](const std::string& word) {
      return search_text_[row].find(word) != std::string::npos;
    });
    if (!fits || passed++ < offset) continue;
    found.push_back(row);
    if (found.size() == n) break;
  }
  return found;
}

}  // namespace segue::serve
