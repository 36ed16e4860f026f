#pragma once

#include "core/dataset.h"
#include "core/preferences.h"
#include "models/model.h"
#include "models/past.h"

namespace segue::pipeline {

/// A model as a system without fold-in has it: a listener is who he was when it
/// was trained, whatever history is given; who came later is a newcomer. All
/// else is the model's own. Borrows both; History::listener says who it is.
class AsTrained final : public models::Model {
 public:
  AsTrained(const models::Model& model, const Dataset& data, int64_t trained_at, const StrengthRule& rule)
      : model_(model), data_(data), trained_at_(trained_at), rule_(rule), rows_(model, data.tracks.id) {}

  std::string_view algorithm() const override { return model_.algorithm(); }
  uint32_t track_count() const override { return model_.track_count(); }
  std::string_view TrackId(TrackIx track) const override { return model_.TrackId(track); }
  models::Profile FoldIn(const History& history) const override;
  void Score(const models::Profile& profile, std::span<float> scores) const override { model_.Score(profile, scores); }
  std::vector<models::ScoredTrack> Top(const models::Profile& profile, size_t n, std::span<const uint8_t> exclude) const override {
    return model_.Top(profile, n, exclude);
  }
  std::optional<float> PredictRating(const models::Profile& profile, TrackIx track) const override {
    return model_.PredictRating(profile, track);
  }
  models::Explanation Explain(const models::Profile& profile, TrackIx track) const override { return model_.Explain(profile, track); }
  std::vector<models::ScoredTrack> Similar(TrackIx track, size_t n) const override { return model_.Similar(track, n); }
  Status Save(const std::filesystem::path& file) const override { return model_.Save(file); }

 private:
  const models::Model& model_;
  const Dataset& data_;
  const int64_t trained_at_;
  const StrengthRule rule_;
  const models::RowMap rows_;
};

}  // namespace segue::pipeline
