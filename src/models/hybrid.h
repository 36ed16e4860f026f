#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "math/trees.h"
#include "models/catalogue.h"

namespace segue::models {

/// Tracks that are worth ranking for one listener, and what each member says
/// of them.
struct Candidates {
  size_t members = 0;
  uint32_t wanted = 0;            ///< the listener's wanted tracks
  std::vector<TrackIx> tracks;    ///< ascending
  std::vector<float> scores;      ///< [tracks x members] kNever: the member can say nothing
  std::vector<uint64_t> votes;    ///< [tracks] bit m: among member m's best
  std::vector<uint8_t> heard;     ///< [tracks] 1: in the listener's history
  std::vector<float> popularity;  ///< [tracks] kNever: nobody has played it

  /// As if there were these members only: the others' candidates are left out.
  Candidates Only(std::span<const size_t> kept) const;
  /// Without the heard.
  Candidates Unheard() const;
};

inline constexpr size_t kMostMembers = 64;

/// The union of each member's `best` tracks outside `heard` and `exclude`, and
/// the heard (repeats may be asked for).
///   profiles  [members]
///   exclude   [tracks] 1: no candidate unless heard; empty: nothing
///   scores    [members][tracks] what the members say of all tracks: filled
Candidates GatherCandidates(std::span<const std::unique_ptr<Model>> members, std::span<const Profile> profiles,
                            const Catalogue& catalogue, std::span<const Preference> heard,
                            std::span<const uint8_t> exclude, size_t best, std::vector<std::vector<float>>& scores);

/// Mean and deviation of a member's scores among the unheard candidates: so
/// that a track's standing does not depend on what the caller leaves out.
struct ScoreScale {
  float mean = 0;
  float deviation = 1;
  /// NaN where the member can say nothing.
  float Standard(float score) const;
};
std::vector<ScoreScale> ScalesOf(const Candidates& candidates);

/// [tracks x members] ScoreScale::Standard of all.
std::vector<float> StandardScores(const Candidates& candidates);

/// What the trees see of a candidate, for m members (in their order):
///   m times   the member's score; its standard score; 1 / log2(rank + 1)
///             among the candidates
///   then      the track's popularity (PopularityScore), the listener's wanted
///             tracks ln(1 + n), how many members have it among their best
/// NaN: not known. The last three say how warm track and listener are.
size_t RankingFeatures(size_t members);
/// [tracks x RankingFeatures]
std::vector<float> FeatureRows(const Candidates& candidates);

/// The weighted mean of those standard scores that are known (not NaN): a
/// track that is new to some members is judged by the others alone.
/// kUnknown where none is known.
float MeanOfKnown(std::span<const float> weights, const float* standard);
inline constexpr float kUnknown = -2;  ///< as a standard score: far from the best

/// What ranks candidates: a weighted mean of the members' standard scores, and
/// trees on top (trees alone would cut the members' fine order into steps).
///
///   score = mean_m (w_m(n) · z_m) + t(n) · Σ_trees leaf(features)
///
/// n: the listener's wanted tracks. Weights go from `few` (at kFew or less) to
/// `many` (at many_wanted or more) with t = ln(n / kFew) / ln(many_wanted / kFew),
/// between 0 and 1: other members are right about a newcomer than about an old
/// friend of whom much is known.
struct Ranker {
  static constexpr float kFew = 5;
  std::span<const float> few;   ///< [members] sum 1
  std::span<const float> many;  ///< [members] sum 1
  float many_wanted = 50;
  math::TreesView trees;

  float Warmth(uint32_t wanted) const;
  std::vector<float> WeightsAt(float warmth) const;
  /// Of all candidates.
  std::vector<float> Scores(const Candidates& candidates) const;
};

/// One list from many models: candidates of all members, ranked by what was
/// learned on held-out listening (train/hybrid.h).
///
/// Tracks that no member has among its best come behind all candidates, in the
/// order of the weighted mean. A newcomer gets what is popular.
class HybridModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "hybrid";

  struct Parts {
    Catalogue catalogue;
    std::vector<std::unique_ptr<Model>> members;  ///< over the same tracks in the same order
    std::vector<float> few;                       ///< [members] as in Ranker
    std::vector<float> many;
    float many_wanted = 50;
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
  /// The member of most weight speaks that can name the listener's own tracks.
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  /// That of the member with the largest weight that tells one.
  std::optional<float> Likeness(TrackIx a, TrackIx b) const override;
  Status Save(const std::filesystem::path& file) const override;

  std::span<const std::unique_ptr<Model>> members() const { return members_; }
  const Ranker& ranker() const { return ranker_; }

 private:
  explicit HybridModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}
  /// Members, those of most weight for the many first.
  std::vector<size_t> ByWeight() const;

  std::vector<std::unique_ptr<Model>> members_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  math::Trees own_trees_;
  std::vector<float> own_few_, own_many_;
  Ranker ranker_;
  uint32_t best_ = 100;
};

}  // namespace segue::models
