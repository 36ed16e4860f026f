#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "models/catalogue.h"
#include "models/liking.h"

namespace segue::models {

/// What a listener's strength r for a track becomes before tracks or listeners
/// are compared, and when histories vote.
///   none    r
///   log     ln(1 + r)
///   binary  1
///   bm25    ln(1 + r)·(k + 1) / (ln(1 + r) + k·(1 − b + b·length/mean length)),
///           k = 1.2, b = 0.75, length: the listener's sum of ln(1 + r), times
///           the track's idf = ln(1 + (m − n + 0.5) / (n + 0.5)), n of m listeners
///           have it (Robertson, Zaragoza, "The Probabilistic Relevance
///           Framework", 2009, eq. 3.15)
///   tfidf   ln(1 + r)·idf
/// each at least 1e-15 and at most 1e15, so that sums of squares are finite and
/// products are not 0.
enum class KnnWeighting : uint32_t { kNone, kLog, kBinary, kBm25, kTfidf };
KnnWeighting ParseKnnWeighting(std::string_view name);

/// What weights need to know of the training data.
struct KnnScale {
  KnnWeighting weighting = KnnWeighting::kLog;
  Liked liked = Liked::kAll;
  float mean_length = 1;

  /// The weight of strength r > 0; `length`: the sum of ln(1 + r) over the history.
  float WeightOf(float r, float length, float idf) const;
  /// Weights of one history's wanted tracks, in its order. `idf` [tracks].
  std::vector<std::pair<TrackIx, float>> Weigh(std::span<const Preference> history, std::span<const float> idf) const;
};

enum class KnnSimilarity : uint32_t { kCosine, kPearson, kEuclidean, kJaccard };
KnnSimilarity ParseKnnSimilarity(std::string_view name);

enum class KnnScoring : uint32_t { kSum, kMean, kMax, kRank };
KnnScoring ParseKnnScoring(std::string_view name);

/// Memory-based collaborative filtering over tracks:
///
///   score(u, i) = Σ_{j ∈ history of u, i ∈ N(j)} w_uj · s_ji
///
/// N(j): the tracks nearest to j (train/item_knn.h says how near). Scoring:
/// sum as above; mean: divided by the w_uj that voted; max: the strongest vote;
/// rank: Σ w_uj / (10 + rank of i in N(j)), reciprocal rank fusion (Cormack,
/// Clarke, Büttcher, SIGIR 2009).
/// Source: Sarwar et al., "Item-based collaborative filtering", WWW 2001;
/// Deshpande, Karypis, TOIS 2004 (weighted sum over the history).
/// Tracks that nothing of the history speaks for get 0, with popularity at
/// 1e-6 of its size to order them.
class ItemKnnModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kAlgorithm = "item_knn";

  struct Parts {
    Catalogue catalogue;
    KnnScale scale;
    KnnScoring scoring = KnnScoring::kSum;
    std::vector<float> idf;            ///< [tracks]
    std::vector<uint64_t> begin;       ///< [tracks + 1]
    std::vector<uint32_t> neighbour;   ///< nearest first
    std::vector<float> similarity;     ///< > 0
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
  explicit ItemKnnModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  Parts own_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  KnnScale scale_;
  KnnScoring scoring_ = KnnScoring::kSum;
  std::span<const float> idf_;
  std::span<const uint64_t> begin_;
  std::span<const uint32_t> neighbour_;
  std::span<const float> similarity_;
};

/// Popularity at a size that only orders what nothing else does.
inline constexpr float kPopularityHint = 1e-6f;

}  // namespace segue::models
