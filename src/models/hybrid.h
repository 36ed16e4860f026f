#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "math/trees.h"
#include "models/catalogue.h"

namespace segue::models {

/// Tracks that are worth ranking for one listener, and what is known of each:
/// the rows that the learned ranker sees, in training and in serving alike.
struct Candidates {
  std::vector<TrackIx> tracks;    ///< ascending
  std::vector<float> features;    ///< [tracks x RankingFeatures(members)]; NaN: not known
};

/// Features of a candidate, for m members (in their order):
///   m times   the member's score; its standard score among the candidates;
///             1 / log2(rank + 1) among the candidates
///   then      the track's popularity (PopularityScore), the listener's wanted
///             tracks ln(1 + n), how many members have it among their best
/// The last three say how warm track and listener are.
size_t RankingFeatures(size_t members);
std::vector<std::string> RankingFeatureNames(std::span<const std::string> members);

/// The union of each member's `best` tracks outside the listener's history,
/// and the history itself (repeats may be asked for). Standard scores and
/// ranks are those among the unheard, so that a track's features do not depend
/// on what the caller leaves out.
///   profiles [members]
Candidates GatherCandidates(std::span<const std::unique_ptr<Model>> members, std::span<const Profile> profiles,
                            const Catalogue& catalogue, std::span<const Preference> history, size_t best);

/// What ranks candidates: a weighted sum of features, and trees on top.
///
///   score = Σ_f weights[f] · x_f + Σ_trees leaf(x),   x_f = kUnknownFeature where NaN
///
/// Trees alone would cut the members' fine order into steps.
struct Ranker {
  static constexpr float kUnknownFeature = -2;  ///< of the sum: as a standard score, far from the best
  std::span<const float> weights;               ///< [features]
  math::TreesView trees;

  float Linear(const float* row) const;
  float Score(const float* row) const { return Linear(row) + trees.Predict(row); }
};

/// One list from many models: candidates of all members, ranked by what
/// LambdaMART learned (train/hybrid.h).
///
/// Tracks that no member has among its best come behind all candidates, by
/// popularity. A newcomer gets what is popular.
class HybridModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "hybrid";

  struct Parts {
    Catalogue catalogue;
    std::vector<std::unique_ptr<Model>> members;  ///< over the same tracks in the same order
    std::vector<float> weights;                   ///< [RankingFeatures]
    math::Trees trees;
    uint32_t best = 100;                          ///< candidates from each member
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  std::optional<float> PredictRating(const Profile& profile, TrackIx track) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

  std::span<const std::unique_ptr<Model>> members() const { return members_; }

 private:
  explicit HybridModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}
  /// Candidates with the ranker's scores.
  std::vector<ScoredTrack> Ranked(const Profile& profile) const;

  std::vector<std::unique_ptr<Model>> members_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  math::Trees own_trees_;
  std::vector<float> own_weights_;
  Ranker ranker_;
  uint32_t best_ = 100;
};

}  // namespace segue::models
