#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/dataset.h"
#include "models/catalogue.h"

namespace segue::evaluate {

/// A dataset of tracks "a", "b", ... and what is added by name.
class DatasetBuilder {
 public:
  explicit DatasetBuilder(std::vector<std::string> track_ids) { data_.tracks.id = std::move(track_ids); }

  DatasetBuilder& Listener(const std::string& name) {
    events_[name];
    return *this;
  }
  DatasetBuilder& Add(const std::string& listener, const std::string& track, int64_t at,
                      EventKind kind = EventKind::kPlay, float value = 1) {
    const auto row = FindSorted(data_.tracks.id, track);
    events_[listener].push_back({TrackIx{row.value()}, kind, value, -1, at});
    return *this;
  }

  Dataset Build() {
    data_.begin = {0};
    for (auto& [listener, events] : events_) {
      std::stable_sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.at < b.at; });
      data_.listeners.push_back(listener);
      data_.events.insert(data_.events.end(), events.begin(), events.end());
      data_.begin.push_back(data_.events.size());
    }
    const size_t n = data_.tracks.size();
    data_.tracks.title.resize(n);
    data_.tracks.artist.resize(n);
    return std::move(data_);
  }

 private:
  Dataset data_;
  std::map<std::string, std::vector<Event>> events_;
};

/// A model whose scores the test gives.
class GivenModel final : public models::Model {
 public:
  using Scorer = std::function<float(const models::Profile& profile, uint32_t row)>;
  GivenModel(std::vector<std::string> ids, Scorer scorer) : ids_(std::move(ids)), scorer_(std::move(scorer)) {}

  std::string_view algorithm() const override { return "given"; }
  uint32_t track_count() const override { return static_cast<uint32_t>(ids_.size()); }
  std::string_view TrackId(TrackIx track) const override { return ids_[Raw(track)]; }
  models::Profile FoldIn(const History& history) const override { return models::ProfileOf(history); }
  void Score(const models::Profile& profile, std::span<float> scores) const override {
    for (uint32_t row = 0; row < scores.size(); ++row) scores[row] = scorer_(profile, row);
  }
  models::Explanation Explain(const models::Profile&, TrackIx) const override { return {{}, "the test says so"}; }
  std::vector<models::ScoredTrack> Similar(TrackIx, size_t) const override { return {}; }
  Status Save(const std::filesystem::path&) const override { return {}; }

 private:
  std::vector<std::string> ids_;
  Scorer scorer_;
};

}  // namespace segue::evaluate
