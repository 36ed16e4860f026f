#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"
#include "models/factor_index.h"
#include "models/liking.h"

namespace segue::models {

/// How strengths become confidences, and how strong the penalty is: the same in
/// training and in fold-in.
struct IalsWeights {
  float alpha = 2;           ///< c = 1 + alpha · f(strength)
  float regularization = 20; ///< λ
  float frequency_exponent = 0;  ///< ν: λ_row = λ · (row's interactions / mean)^ν
  float mean_listener_count = 1; ///< mean interactions of a listener, for ν
  Liked liked = Liked::kAll;
  bool linear = false;           ///< f(strength) = strength, else ln(1 + strength)
  float half_life_days = 0;      ///< > 0: f of what is so much older than the listener's newest counts half

  /// `age` in seconds, back from the listener's newest.
  float Confidence(float strength, int64_t age = 0) const;
  /// c of each of one listener's preferences; a dislike's as of kDislikeStrength plays,
  /// however old. Pairs whose time is unknown have no age.
  ///   confidence  [items]
  void Confidences(std::span<const Preference> items, std::vector<float>& confidence) const;
  /// λ for a listener with `count` interactions.
  float Penalty(float count, float mean_count) const;
};

/// A dislike weighs as much against a track as this many plays for it.
inline constexpr float kDislikeStrength = 10;

/// Implicit-feedback matrix factorisation, trained by ALS (train/ials.cc).
///
///   score(u, i) = x_u · y_i,
///   x_u = (YᵀY + Σ_{j∈S} (c_j − 1)·y_j·y_jᵀ + λI)⁻¹ · Σ_{j∈S, liked} c_j·y_j
///
/// Source: Hu, Koren, Volinsky, "Collaborative Filtering for Implicit Feedback
/// Datasets", ICDM 2008, eq. 4; explanations: section 5, where a track's score
/// is split into the listener's own tracks: c_j · y_iᵀ W_u y_j.
/// Departures: c = 1 + α·ln(1 + strength) (their eq. 6 with ε = 1) unless
/// `linear` (their eq. 3), times 2^(-age / half-life) where age counts; a dislike is
/// an observed 0 (it has confidence but no target), so that it pushes away;
/// tracks met but not wanted (strength 0) count as unobserved.
///
/// A newcomer (no wanted tracks) gets the order of popularity. Tracks that
/// nobody played in training have no factors and are never recommended.
class IalsModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "ials";

  struct Parts {
    Catalogue catalogue;                 ///< popularity kNever: no factors
    uint32_t factors = 0;                ///< d
    std::vector<float> y;                ///< [n x PaddedTo(d)]
    IalsWeights weights;
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  uint32_t factor_count() const { return factors_; }
  const IalsWeights& weights() const { return weights_; }
  /// Floats from one row of factors to the next, math::PaddedTo(factor_count()).
  size_t stride() const { return stride_; }
  /// [n x stride]; 0 for tracks that nobody played.
  std::span<const float> factors() const { return y_; }
  /// y [stride], pads zero; all zero for a track that nobody has. A listener's
  /// x is the first `stride` of his Profile::state.
  std::span<const float> FactorsOf(TrackIx track) const { return {Row(track), stride_}; }

  std::string_view algorithm() const override { return kAlgorithm; }
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::vector<ScoredTrack> Top(const Profile& profile, size_t n, std::span<const uint8_t> exclude) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override { return index_.Similar(track, n); }
  std::optional<float> Likeness(TrackIx a, TrackIx b) const override { return index_.Likeness(a, b); }
  Status Save(const std::filesystem::path& file) const override;

  /// This model over other tracks, or with other factors for them.
  std::unique_ptr<IalsModel> WithFactors(Catalogue catalogue, std::vector<float> y) const;
  /// All sections but "algorithm", for artifacts that have it as a part.
  void AddTo(ModelFileWriter& writer) const;

 private:
  explicit IalsModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  void Prepare();
  bool IsNewcomer(const Profile& profile) const { return profile.state.empty(); }
  const float* Row(TrackIx track) const { return y_.data() + static_cast<size_t>(Raw(track)) * stride_; }

  std::shared_ptr<const ModelFile> file_;
  std::vector<float> own_y_;
  IalsWeights weights_;
  uint32_t factors_ = 0;
  size_t stride_ = 0;
  std::span<const float> y_;             // [n x stride]
  std::vector<float> gram_;              // [stride x stride] YᵀY, upper triangle
  FactorIndex index_;
};

/// YᵀY, upper triangle [stride x stride], on all cores: partial sums of fixed
/// blocks of rows, added in order, so that the bytes do not depend on threads.
std::vector<float> Gram(std::span<const float> y, size_t n, size_t stride);

}  // namespace segue::models
