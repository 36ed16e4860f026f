#include "serve/ground.h"

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

constexpr int64_t kBatch = 10'000;

int64_t EventsThrough(const store::ObjectStore& bucket, std::string_view dataset_id) {
  const auto text = bucket.Get(store::DatasetKey(dataset_id, "manifest.json"));
  if (!text.ok()) return 0;
  const json manifest = json::parse(*text, nullptr, false);
  return manifest.is_object() ? manifest.value("events_through_seq", int64_t{0}) : 0;
}

}  // namespace

Result<std::shared_ptr<Ground>> Ground::Load(const Context& context, std::string_view dataset_id) {
  std::shared_ptr<Ground> ground(new Ground(context));
  if (!dataset_id.empty()) {
    SEGUE_TRY(ground->data_, store::LoadDataset(context.bucket, dataset_id));
    SEGUE_TRY(ground->aliases_, store::LoadAliases(context.bucket, dataset_id));
    ground->applied_seq_ = EventsThrough(context.bucket, dataset_id);
  }
  if (ground->data_.begin.empty()) ground->data_.begin.push_back(0);
  ground->LinkMbids();
  ground->BuildSearch();
  SEGUE_RETURN_IF_ERROR(ground->CatchUp());
  return ground;
}

void Ground::BuildSearch() {
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

std::string Ground::Canonical(std::string_view track_id) const {
  const std::string id(track_id);
  const auto it = aliases_.find(id);
  return it == aliases_.end() ? id : it->second;
}

std::optional<uint32_t> Ground::RowOf(std::string_view track_id) const {
  if (const auto row = FindSorted(data_.tracks.id, track_id)) return row;
  const auto it = aliases_.find(std::string(track_id));
  return it == aliases_.end() ? std::nullopt : FindSorted(data_.tracks.id, it->second);
}

Status Ground::CatchUp() {
  const std::lock_guard one(catch_up_);
  for (;;) {
    SEGUE_TRY(const auto events, context_.catalog.EventsAfter(applied_seq_, kBatch));
    if (events.empty()) return {};
    const std::unique_lock lock(since_mutex_);
    for (const auto& event : events) Apply(event);
    applied_seq_ = events.back().seq;
  }
}

void Ground::Apply(const store::FeedbackEvent& event) {
  Deeds& since = since_[event.listener];
  ++since.version;
  if (!event.source_id.empty()) LinkSource(event.source_id, event.track_id);
  const auto row = RowOf(event.track_id);
  if (event.kind == store::kTakenBack) {
    const std::string id = row ? data_.tracks.id[*row] : event.track_id;
    since.taken_back.emplace(id, event.at);
    std::erase_if(since.events, [&](const Event& e) { return row && e.kind == EventKind::kPlay && Raw(e.track) == *row && e.at == event.at; });
    std::erase_if(since.others, [&](const OtherDeed& e) { return e.kind == EventKind::kPlay && e.track_id == id && e.at == event.at; });
    return;
  }
  const auto kind = ParseEventKind(event.kind);
  if (!kind) return;
  if (row) {
    since.events.push_back({TrackIx{*row}, *kind, static_cast<float>(event.value), static_cast<int32_t>(event.ms_played), event.at});
  } else {
    since.others.push_back({event.track_id, event.artist, event.title, event.album, *kind, event.at, event.duration_ms});
  }
}

const Deeds* Ground::SinceOf(const std::string& name) const {
  const auto it = since_.find(name);
  return it == since_.end() ? nullptr : &it->second;
}

std::vector<Event> Ground::EventsOf(const std::string& name, const Deeds* since) const {
  std::vector<Event> events;
  if (const auto user = FindSorted(data_.listeners, name)) {
    const auto past = data_.EventsOf(UserIx{*user});
    events.assign(past.begin(), past.end());
  }
  if (since == nullptr) return events;
  if (!since->taken_back.empty()) {
    std::erase_if(events, [&](const Event& event) {
      return event.kind == EventKind::kPlay && since->taken_back.contains({data_.tracks.id[Raw(event.track)], event.at});
    });
  }
  events.insert(events.end(), since->events.begin(), since->events.end());
  return events;
}

std::shared_ptr<const HitView> Ground::hits() const {
  const std::lock_guard lock(hits_mutex_);
  return hits_;
}

void Ground::SetHits(std::shared_ptr<const HitView> view) {
  const std::lock_guard lock(hits_mutex_);
  hits_.swap(view);
}

std::optional<std::vector<PlayedTrack>> Ground::PlaysOf(const std::string& name) const {
  std::map<uint32_t, double> plays;
  {
    const std::shared_lock lock(since_mutex_);
    const Deeds* since = SinceOf(name);
    if (since == nullptr && !FindSorted(data_.listeners, name)) return std::nullopt;
    for (const Event& event : EventsOf(name, since)) {
      if (event.kind == EventKind::kPlay) plays[Raw(event.track)] += static_cast<double>(event.value);
    }
  }
  std::vector<PlayedTrack> played;
  for (const auto& [row, times] : plays) played.push_back({row, static_cast<uint64_t>(std::llround(times))});
  return played;
}

uint64_t Ground::VersionOf(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  const Deeds* since = SinceOf(name);
  return since == nullptr ? 0 : since->version;
}

Deeds Ground::DeedsOf(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  const Deeds* since = SinceOf(name);
  Deeds deeds{.known = since != nullptr || FindSorted(data_.listeners, name).has_value(), .events = EventsOf(name, since)};
  if (since != nullptr) {
    deeds.version = since->version;
    deeds.others = since->others;
  }
  return deeds;
}

std::vector<uint32_t> Ground::Search(std::string_view query, size_t offset, size_t n) const {
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
