#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/item_knn.h"

namespace segue::models {

/// Memory-based collaborative filtering over listeners:
///
///   score(u, i) = Σ_{v ∈ N(u), v has i} s_uv^q · w_vi / |w_v|
///
/// N(u): the k listeners most like u, found at fold-in over an inverted index,
/// so that a stranger is served as well as those the model was trained with. A
/// known listener (by name) is not his own neighbour. Likeness of the weighted
/// rows w_u, w_v [tracks], shrunk: s_uv · common / (common + shrinkage):
///   cosine     w_u·w_v / (|w_u|·|w_v|)
///   pearson    correlation over all tracks, what is missing being 0; a row that is
///              the same everywhere correlates with none
///   euclidean  1 / (1 + |w_u − w_v|)
///   jaccard    common / (size u + size v − common)
/// Scoring: sum as above; mean: divided by the s_uv^q of those who have i; max:
/// the largest addend; rank: Σ s_uv^q / (10 + rank of i in v's own order),
/// reciprocal rank fusion (Cormack, Clarke, Büttcher, SIGIR 2009).
/// Source: Herlocker et al., "An algorithmic framework for performing
/// collaborative filtering", SIGIR 1999; q ("locality"): Aiolli, RecSys 2013.
///
/// Where the data tell who knows whom, and `friends` is the algorithm, N(u) is
/// u's friends, and s_uv = friend_floor + cosine: taste weighs friends, and a
/// friend of other taste still counts. Without friends he has the nearest
/// listeners as above.
class UserKnnModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "user_knn";
  static constexpr std::string_view kFriends = "friends";

  struct Parts {
    Catalogue catalogue;
    KnnScale scale;
    uint32_t neighbours = 100;
    float shrinkage = 0;
    float locality = 1;                  ///< q
    KnnSimilarity similarity = KnnSimilarity::kCosine;
    KnnScoring scoring = KnnScoring::kSum;
    bool friends = false;                ///< algorithm `friends`
    std::vector<float> idf;              ///< [tracks]
    std::vector<std::string> listeners;  ///< [m] names, ascending
    std::vector<uint64_t> begin;         ///< [m + 1] rows, each of length 1 as a vector
    std::vector<uint32_t> track;
    std::vector<float> value;
    std::vector<float> length;           ///< [m] of each row before; 0 where empty
    std::vector<uint64_t> friend_begin;  ///< [m + 1]; empty: not known
    std::vector<uint32_t> friend_of;
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return friends_ ? kFriends : kAlgorithm; }
  /// state: threes of (neighbour's row in two halves, s^q).
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx, size_t) const override { return {}; }
  Status Save(const std::filesystem::path& file) const override;

 private:
  struct Neighbour {
    uint32_t row;
    float likeness;
    float common;
  };
  /// What likenesses need of a row.
  struct Row {
    float length = 0;  ///< as a vector, before it was brought to 1
    float size = 0;    ///< tracks
    float sum = 0;     ///< of its values, at length 1
  };
  explicit UserKnnModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}
  void Prepare();
  uint32_t RowOf(std::string_view listener) const;
  /// Everybody who has something in common with these weights (of length 1; `row` tells of them).
  std::vector<Neighbour> Alike(std::span<const std::pair<TrackIx, float>> weights, const Row& row, uint32_t self) const;
  /// s of two rows with `common` tracks in common, from the product of their vectors of length 1.
  float LikenessOf(const Row& a, const Row& b, float dot, float common) const;

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  TrackIds mapped_listeners_;
  KnnScale scale_;
  uint32_t neighbours_ = 100;
  float shrinkage_ = 0;
  float locality_ = 1;
  bool friends_ = false;
  KnnSimilarity similarity_ = KnnSimilarity::kCosine;
  KnnScoring scoring_ = KnnScoring::kSum;
  std::span<const float> idf_;
  std::span<const uint64_t> begin_;
  std::span<const uint32_t> track_;
  std::span<const float> value_, length_;
  std::span<const uint64_t> friend_begin_;
  std::span<const uint32_t> friend_of_;
  std::vector<uint64_t> index_begin_;  ///< [tracks + 1] the inverted index
  std::vector<uint32_t> index_row_;
  std::vector<float> index_value_;
  std::vector<Row> rows_;              ///< [m]
  std::vector<uint32_t> rank_;         ///< [entries] scoring by rank: of each track in its row, from 0
};

}  // namespace segue::models
