#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"
#include "models/rating_scale.h"

namespace segue::models {

/// Biased matrix factorisation ("svd"), with implicit feedback ("svdpp"), and
/// the mean of many such drawn from their posterior ("svdpp_gibbs"):
///
///   z(u, i) = b_u + b_i + q_iᵀ (p_u + |N(u)|^-½ Σ_{j∈N(u)} y_j)
///
/// with z the rating on the scale of models/rating_scale.h; N(u): the tracks
/// that the listener chose; y = 0 in svd. Trained by train/svd.cc and
/// train/svdpp_gibbs.cc; in the latter y_j also has a part in b_u.
/// Source: Koren, "Factorization Meets the Neighborhood", KDD 2008, eq. 15;
/// svd: Koren, Bell, Volinsky, "Matrix Factorization Techniques for Recommender
/// Systems", IEEE Computer 2009, eq. 4.
///
/// svd, svdpp: a listener of the training data, known by name, has his own b_u
/// and p_u, and N(u) of his present history, so that every play counts at once.
/// A stranger (with svdpp_gibbs: everybody) is folded in by the ridge regression
/// of his n targets on the tracks' factors, s being his sum over N(u):
///
///   min over x = (p, b) of
///     w·Σ_{i∈R} (z_i − b − b_i − q_iᵀ(p + s))² + n^e·Σ_j precision_j·(x_j − mean_j)²
///
/// For a sample of the posterior, with w the noise's precision, e = 0 and the
/// sample's prior, this is the conditional mean of his parameters given all the
/// others: averaged over samples, a better estimate than the mean of his own
/// samples would be (Rao and Blackwell), and it needs nothing kept of him.
///
/// Score is the predicted rating, not clamped. A newcomer (a stranger of whom
/// nothing is known) gets the order of popularity.
class SvdModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kSvd = "svd";
  static constexpr std::string_view kSvdpp = "svdpp";
  static constexpr std::string_view kGibbs = "svdpp_gibbs";

  /// Rows are `stride` apart: Stride(factors), pads zero. S samples one after
  /// the other; svd and svdpp have one.
  struct Parts {
    std::string_view algorithm = kSvd;
    Catalogue catalogue;
    RatingScale scale;
    uint32_t factors = 0;            ///< d
    uint32_t samples = 1;            ///< S
    std::vector<float> tracks;       ///< [S x n x stride] q_i, 1, b_i
    std::vector<float> implicit;     ///< [S x n x stride] y_j, its part in b_u, 0; empty: svd
    std::vector<std::string> names;  ///< [m] of listeners, ascending; none: all are folded in
    std::vector<float> listeners;    ///< [m x stride] p_u, b_u, 1
    std::vector<float> weight;       ///< [S] w
    std::vector<float> mean;         ///< [S x stride] of p and b_u
    std::vector<float> precision;    ///< [S x stride]
    float exponent = 0;              ///< e
  };
  static size_t Stride(size_t factors);
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return algorithm_; }
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
  std::optional<uint32_t> FindListener(std::string_view name) const;
  /// [n x stride] of a sample.
  std::span<const float> Tracks(size_t sample) const {
    const size_t size = track_count() * stride_;
    return tracks_.subspan(sample * size, size);
  }
  /// y_j of a sample; only where there are any.
  const float* Implicit(size_t sample, TrackIx track) const {
    return implicit_.data() + (sample * track_count() + Raw(track)) * stride_;
  }

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  TrackIds mapped_names_;
  std::string_view algorithm_;
  RatingScale scale_;
  float exponent_ = 0;
  uint32_t factors_ = 0;
  uint32_t samples_ = 1;
  uint32_t listener_count_ = 0;
  size_t stride_ = 0;
  std::span<const float> tracks_;
  std::span<const float> implicit_;
  std::span<const float> listeners_;
  std::span<const float> weight_;
  std::span<const float> mean_;
  std::span<const float> precision_;
};

}  // namespace segue::models
