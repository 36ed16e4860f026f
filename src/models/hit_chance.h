#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "models/catalogue.h"
#include "models/classifier.h"

namespace segue::models {

/// [tracks] the probability of the second class ("1", a hit); NaN for tracks
/// of which no audio feature is known. kInvalid where the model has other
/// classes than two, or learned from features that tracks do not have.
Result<std::vector<float>> HitChances(const Classifier& model, const Tracks& tracks);

/// Tracks by how probable a model of hits says they are one:
///
///   score = ln(p / (1 - p)), p kept in [1e-6, 1 - 1e-6]
///
/// The same for everybody, and of use beside others: a member of the hybrid,
/// which keeps it only where lists are better with it. kNever where p is not known.
class HitChanceModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "hit_chance";

  /// chances [n]: as of HitChances, in the order of `track_ids`, ascending.
  static std::unique_ptr<Model> Make(std::span<const std::string> track_ids, std::span<const float> chances);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override { return ProfileOf(history); }
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx, size_t) const override { return {}; }
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit HitChanceModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
};

}  // namespace segue::models
