#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/catalogue.h"
#include "models/factor_index.h"
#include "models/liking.h"

namespace segue::models {

/// What the model must know of a listener's past beside its factors.
struct PairwiseRule {
  float mean_weight = 1;       ///< mean ln(1 + strength) of what listeners want
  Liked liked = Liked::kAll;
  // The fold-in; as measured best, kept in the artifact.
  float spread = 10;           ///< γ: the others' weight
  float penalty = 10;          ///< λ: so many mean tracks' worth of pull to 0
  float margin = 4;            ///< what a wanted track is to score above the mean track

  /// ln(1 + strength) / mean_weight: how much a wanted track counts, in training
  /// and in fold-in. A dislike counts as much as kDislikeStrength plays.
  float Weight(float strength) const;
};

/// Factors and biases trained on pairs of tracks, by BPR or WARP
/// (train/pairwise.h).
///
///   score(u, i) = x_u · y_i + b_i
///
/// A listener, trained with or a stranger, is folded in with the factors fixed,
/// so that what is evaluated is what is served. With z_i = y_i − ȳ, ȳ and C the
/// mean and covariance of the factors of all N tracks that somebody has,
/// W = Σ_{i∈S} w_i:
///
///   x = argmin Σ_{i∈S} w_i (x·z_i − m_i)² + γ·W·(x·C·x) + λ·γ·t·|x|²
///     = (Σ_{i∈S} w_i z_i z_iᵀ + γ·W·C + λ·γ·t·I)⁻¹ · Σ_{i∈S} w_i m_i z_i
///
/// m_i = m for what he wants, −m for what he dislikes; t: mean of C's diagonal.
///
/// With γ = 1 this is the mean over all pairs of (x·(y_i − y_j) − m)², which is
/// BPR's −ln σ to second order at 0 (where m = 2), as RankALS has it: Takács,
/// Tikk, "Alternating Least Squares for Personalized Ranking", RecSys 2012, eq. 5;
/// solved at once, as the pairs of one track with all are a square and a
/// variance: Σ_j (x·z_i − x·z_j − m)² = N·((x·z_i − m)² + x·C·x).
/// Departures: γ = 10 (a listener's tracks are few, and C is what the other
/// listeners have said), and biases stay out of the pairs, in the score alone;
/// both rank better, as this does than the x of training or than its descent
/// repeated (NDCG@10 on a fifth of lastfm-2k's train, bpr: .172, .170, .171;
/// warp: .171, .162, .167).
///
/// O(s·d² + d³). A newcomer (no wanted tracks) gets the order of popularity.
/// Tracks that nobody has have no factors and are never recommended.
class PairwiseModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kBpr = "bpr";
  static constexpr std::string_view kWarp = "warp";

  struct Parts {
    std::string_view algorithm;  ///< kBpr or kWarp
    Catalogue catalogue;         ///< popularity kNever: no factors
    uint32_t factors = 0;        ///< d
    std::vector<float> y;        ///< [n x PaddedTo(d + 1)], b in column d
    PairwiseRule rule;
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  /// Floats from one row of factors to the next.
  size_t stride() const { return stride_; }
  /// [n x stride], the bias in column `factor_count`; 0 for tracks that nobody has.
  std::span<const float> factors() const { return y_; }
  uint32_t factor_count() const { return factors_; }

  std::string_view algorithm() const override { return algorithm_; }
  /// state: x [stride] with 1 for the bias, then U of A's Cholesky factor
  /// [stride x stride], A = Σ w z zᵀ + ...; empty for a newcomer.
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  /// A track's share of the score: w_k·m·z_kᵀA⁻¹z_i, after Hu, Koren, Volinsky,
  /// "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, section 5.
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override { return index_.Similar(track, n); }
  std::optional<float> Likeness(TrackIx a, TrackIx b) const override { return index_.Likeness(a, b); }
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit PairwiseModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  /// Mean and covariance of the factors, and the index.
  void Prepare();
  bool IsNewcomer(const Profile& profile) const { return profile.state.empty(); }
  /// z [stride] of a track: its factors less the mean, 0 for the bias.
  void Centred(TrackIx track, float* z) const;

  std::string_view algorithm_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  std::vector<float> own_y_;
  PairwiseRule rule_;
  uint32_t factors_ = 0;
  size_t stride_ = 0;
  std::span<const float> y_;        // [n x stride]
  std::vector<float> mean_;         // [stride] ȳ
  std::vector<float> covariance_;   // [stride x stride] C, upper triangle
  float scale_ = 0;                 // t
  FactorIndex index_;
};

}  // namespace segue::models
