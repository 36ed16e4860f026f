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
/// known listener (by name) is not his own neighbour. Likeness is the cosine of
/// the weighted rows, shrunk: s_uv · common / (common + shrinkage).
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
    bool friends = false;                ///< algorithm `friends`
    std::vector<float> idf;              ///< [tracks]
    std::vector<std::string> listeners;  ///< [m] names, ascending
    std::vector<uint64_t> begin;         ///< [m + 1] rows, each of length 1 as a vector
    std::vector<uint32_t> track;
    std::vector<float> value;
    std::vector<uint64_t> friend_begin;  ///< [m + 1]; empty: not known
    std::vector<uint32_t> friend_of;
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return friends_ ? kFriends : kAlgorithm; }
  /// state: pairs of (neighbour's row, s^q).
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
  explicit UserKnnModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}
  void Prepare();
  uint32_t RowOf(std::string_view listener) const;
  /// Everybody who has something in common with these weights (of length 1).
  std::vector<Neighbour> Alike(std::span<const std::pair<TrackIx, float>> weights, uint32_t self) const;

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  TrackIds mapped_listeners_;
  KnnScale scale_;
  uint32_t neighbours_ = 100;
  float shrinkage_ = 0;
  float locality_ = 1;
  bool friends_ = false;
  std::span<const float> idf_;
  std::span<const uint64_t> begin_;
  std::span<const uint32_t> track_;
  std::span<const float> value_;
  std::span<const uint64_t> friend_begin_;
  std::span<const uint32_t> friend_of_;
  std::vector<uint64_t> index_begin_;  ///< [tracks + 1] the inverted index
  std::vector<uint32_t> index_row_;
  std::vector<float> index_value_;
};

}  // namespace segue::models
