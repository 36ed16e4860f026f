#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"

namespace segue::models {

/// What most listeners like: score = ln(1 + listeners of the track) +
/// ln(1 + plays) / 1000, so that distinct listeners decide and plays break
/// ties. The floor that every other model has to beat. The listener's history
/// does not enter.
class PopularityModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "popularity";

  /// listeners, plays [n]: of each track, in the order of `track_ids`, ascending.
  static std::unique_ptr<Model> Make(std::span<const std::string> track_ids, std::vector<float> listeners,
                                     std::vector<float> plays);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override { return ProfileOf(history); }
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx, size_t) const override { return {}; }
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit PopularityModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  std::vector<float> own_listeners_;
  std::span<const float> listeners_;       // [n]
};

/// The score above; kNever where there are no listeners.
float PopularityScore(float listeners, float plays);

/// Rows whose score is not kNever, best first, ties by row: what is the same
/// for everybody is sorted once.
std::vector<uint32_t> RankedByScore(std::span<const float> scores);

/// SelectTop(scores, n, exclude) where the order is known already. O(n + excluded).
std::vector<ScoredTrack> TopOfRanked(std::span<const uint32_t> ranked, std::span<const float> scores, size_t n,
                                     std::span<const uint8_t> exclude);

}  // namespace segue::models
