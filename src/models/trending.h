#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"

namespace segue::models {

/// What listeners like lately:
///
///   heat_i  = Σ_{u wants i} 2^(−age_ui / half_life),  age_ui = T − t_ui
///   score_i = ln(1 + heat_i) + PopularityScore_i / 1000
///
/// T: the newest time in the training data; t_ui: the newest play, like or
/// rating of track i by listener u, so that a listener counts once a track, as
/// in models/popularity.h, and one who plays a track all day makes no trend.
/// Events without a time are as old as the oldest that has one; without any
/// times all ages are 0. The second term orders what has gone cold.
/// The catalogue's popularity is the score: a newcomer gets the same list as
/// everybody, the listener's history does not enter.
class TrendingModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "trending";

  struct Parts {
    Catalogue catalogue;               ///< with the score above
    float half_life_days = 0;          ///< > 0
    std::vector<uint32_t> listeners;   ///< [tracks] who want it
    std::vector<uint32_t> lately;      ///< [tracks] of them, those of an age of at most half_life
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override { return ProfileOf(history); }
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx, size_t) const override { return {}; }
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit TrendingModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  float half_life_days_ = 0;
  std::span<const uint32_t> listeners_;
  std::span<const uint32_t> lately_;
};

/// score_i above. kNever where `popularity` is.
float TrendingScore(double heat, float popularity);

}  // namespace segue::models
