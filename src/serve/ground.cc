#include "serve/ground.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "core/identity.h"
#include "store/dataset_store.h"

namespace segue::serve {
namespace {

constexpr int64_t kBatch = 10'000;

/// What taking back a listen takes back, as cleaning has it.
bool IsHearing(EventKind kind) { return kind == EventKind::kPlay || kind == EventKind::kSkip; }

}  // namespace

Result<std::shared_ptr<Ground>> Ground::Load(const Context& context, std::string_view dataset_id) {
  std::shared_ptr<Ground> ground(new Ground(context));
  if (!dataset_id.empty()) {
    SEGUE_TRY(ground->data_, store::LoadDataset(context.bucket, dataset_id));
    SEGUE_TRY(ground->aliases_, store::LoadAliases(context.bucket, dataset_id));
    ground->applied_seq_ = store::ManifestNumber(context.bucket, dataset_id, "events_through_seq");
    ground->dataset_tombstone_ = store::ManifestNumber(context.bucket, dataset_id, "forgotten_through");
  }
  if (ground->data_.begin.empty()) ground->data_.begin.push_back(0);
  ground->LinkMbids();
  ground->facets_ = Facets(ground->data_);
  ground->BuildSearch();
  ground->MeasureFeatures();
  SEGUE_RETURN_IF_ERROR(ground->CatchUp());
  return ground;
}

void Ground::BuildSearch() {
  const size_t n = data_.tracks.size();
  search_text_.reserve(n);
  for (uint32_t i = 0; i < n; ++i) {
    search_text_.push_back(" " + facets_.KeyOf(facets_.ArtistOf(i)) + " " + NormalizeTitle(data_.tracks.title[i]));
  }
}

void Ground::MeasureFeatures() {
  for (size_t f = 0; f < kAudioFeatures.size(); ++f) {
    double n = 0, mean = 0, squares = 0;  // Welford's: no difference of large sums
    for (size_t i = 0; i < data_.tracks.size(); ++i) {
      const float value = data_.tracks.features[i * kAudioFeatures.size() + f];
      if (!std::isfinite(value)) continue;
      const double off = static_cast<double>(value) - mean;
      mean += off / ++n;
      squares += off * (static_cast<double>(value) - mean);
    }
    if (n < 2) continue;
    moments_.mean[f] = mean;
    moments_.deviation[f] = std::sqrt(squares / (n - 1));
  }
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
  SEGUE_RETURN_IF_ERROR(Forget());
  for (;;) {
    SEGUE_TRY(const auto events, context_.catalog.EventsAfter(applied_seq_, kBatch));
    if (events.empty()) return {};
    const std::unique_lock lock(since_mutex_);
    for (const auto& event : events) Apply(event);
    applied_seq_ = events.back().seq;
  }
}

Status Ground::Forget() {
  SEGUE_TRY(const auto fresh, context_.catalog.listeners().ForgottenAfter(applied_tombstone_));
  for (const store::ForgottenListener& one : fresh) {
    // What he did since, as far as it was taken in already. The dataset that knows of it has that.
    std::vector<store::FeedbackEvent> later;
    const bool here = one.id > dataset_tombstone_;
    if (here && applied_seq_ > one.through_seq) {
      SEGUE_TRY(later, context_.catalog.listeners().EventsOf(one.listener, one.through_seq, applied_seq_ - one.through_seq));
      std::erase_if(later, [&](const store::FeedbackEvent& event) { return event.seq > applied_seq_; });
    }
    const std::unique_lock lock(since_mutex_);
    tombstones_[one.listener] = applied_tombstone_ = one.id;
    if (!here) continue;
    // A version that no list of before was made of.
    since_[one.listener] = {.forgotten = true, .version = static_cast<uint64_t>(one.id) << 32};
    for (const auto& event : later) Apply(event);
  }
  return {};
}

void Ground::Apply(const store::FeedbackEvent& event) {
  Deeds& since = since_[event.listener];
  since.known = true;
  ++since.version;
  if (!event.source_id.empty()) LinkSource(event.source_id, event.track_id);
  const auto row = RowOf(event.track_id);
  if (event.kind == store::kTakenBack) {
    const std::string id = row ? data_.tracks.id[*row] : event.track_id;
    since.taken_back.emplace(id, event.at);
    std::erase_if(since.events, [&](const Event& e) { return row && IsHearing(e.kind) && Raw(e.track) == *row && e.at == event.at; });
    std::erase_if(since.others, [&](const OtherDeed& e) { return IsHearing(e.kind) && e.track_id == id && e.at == event.at; });
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

bool Ground::KnownOf(const std::string& name, const Deeds* since) const {
  if (since != nullptr && (since->known || since->forgotten)) return since->known;
  return FindSorted(data_.listeners, name).has_value();
}

bool Ground::Knows(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  return KnownOf(name, SinceOf(name));
}

int64_t Ground::TombstoneOf(const std::string& name) const {
  const std::shared_lock lock(since_mutex_);
  const auto it = tombstones_.find(name);
  return it == tombstones_.end() ? 0 : it->second;
}

std::vector<std::string> Ground::Listeners() const {
  const std::shared_lock lock(since_mutex_);
  std::vector<std::string> names;
  names.reserve(data_.listeners.size());
  for (const std::string& name : data_.listeners) {
    const Deeds* since = SinceOf(name);
    if (since == nullptr || !since->forgotten) names.push_back(name);
  }
  return names;
}

std::vector<Event> Ground::EventsOf(const std::string& name, const Deeds* since) const {
  std::vector<Event> events;
  const bool counts = since == nullptr || !since->forgotten;
  if (const auto user = counts ? FindSorted(data_.listeners, name) : std::nullopt) {
    const auto past = data_.EventsOf(UserIx{*user});
    events.assign(past.begin(), past.end());
  }
  if (since == nullptr) return events;
  if (!since->taken_back.empty()) {
    std::erase_if(events, [&](const Event& event) {
      return IsHearing(event.kind) && since->taken_back.contains({data_.tracks.id[Raw(event.track)], event.at});
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
    if (!KnownOf(name, since)) return std::nullopt;
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
  Deeds deeds{.known = KnownOf(name, since), .forgotten = since != nullptr && since->forgotten, .events = EventsOf(name, since)};
  if (since != nullptr) {
    deeds.version = since->version;
    deeds.others = since->others;
  }
  return deeds;
}

std::vector<uint32_t> Ground::Search(std::string_view query, size_t offset, size_t n) const {
  const SearchWords words(query);
  std::vector<uint32_t> found;
  size_t passed = 0;
  for (const uint32_t row : facets_.ByPlays()) {
    if (!words.In(search_text_[row]) || passed++ < offset) continue;
    found.push_back(row);
    if (found.size() == n) break;
  }
  return found;
}

}  // namespace segue::serve
