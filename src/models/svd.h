#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"
#include "models/rating_scale.h"

namespace segue::models {

/// What a listener says of himself by his ratings, for given tracks: the ridge
/// regression that has the same minimum as training on his ratings alone.
struct ListenerPenalty {
  float bias = 0;     ///< λ of b_u, a rating
  float factors = 0;  ///< λ of p_u, a rating
  /// The penalty of one with n ratings in all is λ · n^exponent.
  float exponent = 1;
};

/// Biased matrix factorisation ("svd"), with implicit feedback ("svdpp"):
///
///   z(u, i) = b_u + b_i + q_iᵀ (p_u + |N(u)|^-½ Σ_{j∈N(u)} y_j)
///
/// with z the rating on the scale of models/rating_scale.h; N(u): the tracks
/// that the listener chose; y = 0 in svd. Trained by train/svd.cc.
/// Source: Koren, "Factorization Meets the Neighborhood", KDD 2008, eq. 15;
/// svd: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender
/// Systems", IEEE Computer 2009, eq. 4.
///
/// A listener of the training data, known by name, has his own b_u and p_u, and
/// N(u) of his present history, so that every play counts at once. A stranger's
/// are the ridge regression of his targets on the tracks' factors:
///
///   min over b, p of  Σ_{i∈R} (z_i − b − b_i − q_iᵀ(p + s))² + n^e·(λ_b·b² + λ_p·|p|²)
///
/// Score is the predicted rating, not clamped. A newcomer (a stranger of whom
/// nothing is known) gets the order of popularity.
class SvdModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kSvd = "svd";
  static constexpr std::string_view kSvdpp = "svdpp";

  /// Rows are `stride` apart: PaddedTo(factors + 2), pads zero.
  struct Parts {
    Catalogue catalogue;
    RatingScale scale;
    uint32_t factors = 0;                ///< d
    std::vector<float> tracks;           ///< [n x stride] q_i, 1, b_i
    std::vector<float> implicit;         ///< [n x stride] y_j, 0, 0; empty: svd
    std::vector<std::string> names;      ///< [m] of listeners, ascending
    std::vector<float> listeners;        ///< [m x stride] p_u, b_u, 1
    ListenerPenalty penalty;
  };
  static size_t Stride(size_t factors);
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return implicit_.empty() ? kSvd : kSvdpp; }
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  std::optional<float> PredictRating(const Profile& profile, TrackIx track) const override;
  /// Tracks alike in taste that the listener rated above what was expected of
  /// him, and those whose choice alone speaks for it (the share of y_j).
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  /// By the cosine of q.
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit SvdModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  bool IsNewcomer(const Profile& profile) const;
  const float* Track(TrackIx track) const { return tracks_.data() + Raw(track) * stride_; }
  std::optional<uint32_t> FindListener(std::string_view name) const;

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  TrackIds mapped_names_;
  RatingScale scale_;
  ListenerPenalty penalty_;
  uint32_t factors_ = 0;
  uint32_t listener_count_ = 0;
  size_t stride_ = 0;
  std::span<const float> tracks_;
  std::span<const float> implicit_;
  std::span<const float> listeners_;
};

/// The best tracks that speak for something, at most 3, strongest first.
std::vector<ScoredTrack> Strongest(std::vector<ScoredTrack> shares);

/// Solves a listener's b and p, given the tracks' rows (q, 1, b_i):
///
///   min over x = (p, b) of  w·Σ_k (z_k − b_i − rowᵀ(x + x0))² + Σ_j penalty_j (x_j − mean_j)²
///
///   rows     which tracks    z  their targets
///   x        [stride] in: x0 (the implicit sum; 1 at factors + 1); out: x0 + x
///   penalty, mean  [factors + 1]
/// False, with x as it was plus the mean, where a pivot is not positive.
bool SolveListener(std::span<const float> tracks, size_t stride, size_t factors, std::span<const uint32_t> rows,
                   std::span<const float> z, float w, const float* penalty, const float* mean, float* x);

}  // namespace segue::models
