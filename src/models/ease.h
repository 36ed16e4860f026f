#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/item_knn.h"

namespace segue::models {

/// EASE^R: every track is predicted from all others by ridge regression.
///
///   score(u, i) = x_u · B_i,   B = I − P·diag(1 / diag P),   P = (XᵀWX + Λ)⁻¹
///
/// X [listeners x tracks]: models::KnnScale's weights. W, Λ: how much a listener
/// counts and what is asked of a track's predictors, both diagonal (train/ease.h).
/// Source: Steck, "Embarrassingly Shallow Autoencoders for Sparse Data", WWW
/// 2019, eq. 8, where W = I and Λ = λI; "Autoencoders that don't overfit towards
/// the Identity", NeurIPS 2020, eq. 8: a Λ that grows with a track's listeners.
///
/// Two forms of the same model, the smaller is kept, and an approximation of it
/// (train/ease_sparse.h) where both would be too large:
///   dense   B [played x played]
///   narrow  where listeners are fewer than tracks, by Woodbury's identity
///           P = Λ^-½·(I − YᵀKY)·Λ^-½,  Y = W^½·X·Λ^-½,  K = (I + YYᵀ)⁻¹ [listeners²]
///           B_ji = λ_j^-½ · (YᵀKY)_ji · λ_i^½ / (1 − (YᵀKY)_ii)
///   sparse  what is not 0 of B, by rows: a listener's scores cost as many
///           multiply-adds as his tracks' rows have entries. Popularity at 1e-6
///           of its size orders what nothing of the history speaks for
/// Scores of the listener's own tracks leave out what they say of themselves,
/// as B's diagonal is 0. Tracks that nobody has are never recommended.
class EaseModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "ease";

  enum class Form { kDense, kNarrow, kSparse };

  struct Parts {
    Catalogue catalogue;
    KnnScale scale;
    std::vector<float> idf;              ///< [tracks]
    std::vector<uint32_t> played;        ///< [p] rows of the tracks that somebody has, ascending
    Form form = Form::kDense;
    std::vector<float> dense;            ///< [p x p] B, row j: what track j says of the others
    std::vector<float> inner;            ///< [m x m] K
    std::vector<uint64_t> begin;         ///< [p + 1] narrow: Y by tracks; sparse: B by rows
    std::vector<uint32_t> column;        ///< narrow: rows of K; sparse: of `played`; each row ascends
    std::vector<float> value;
    std::vector<float> says, heeds;      ///< [p] narrow: λ_j^-½ and λ_i^½ / (1 − (YᵀKY)_ii)
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  /// state: the weights of profile.history's tracks, 0 where not wanted.
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

 private:
  explicit EaseModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}
  void Prepare();
  /// B_ji. O(1) where dense, O(log p) where sparse; not for narrow.
  float At(uint32_t j, uint32_t i) const;
  /// B_ji for one j and all i. out [p]
  void RowOfB(uint32_t j, std::span<float> out) const;
  /// x·B for sparse x over played tracks. out [p]
  void Product(std::span<const std::pair<uint32_t, float>> x, std::span<float> out) const;

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  KnnScale scale_;
  Form form_ = Form::kDense;
  std::span<const float> idf_;
  std::span<const uint32_t> played_;
  std::span<const float> dense_, inner_;
  std::span<const uint64_t> begin_;
  std::span<const uint32_t> column_;
  std::span<const float> value_, says_, heeds_;
  size_t listeners_ = 0;
  std::vector<uint32_t> place_;  ///< [tracks] row in played_, or kNowhere
};

}  // namespace segue::models
