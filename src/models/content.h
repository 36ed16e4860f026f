#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/catalogue.h"
#include "models/content_space.h"
#include "models/liking.h"

namespace segue::models {

/// Sparse rows in arrays, as artifacts hold them.
struct SparseRows {
  std::vector<uint64_t> begin{0};  ///< [rows + 1]
  std::vector<uint32_t> column;    ///< ascending in each row
  std::vector<float> value;

  void Add(const SparseVector& row);
};

/// How the parts of a content score weigh.
struct ContentWeights {
  float text = 1;
  float audio = 1;
  float popularity = 0;
  float like_weight = 5;       ///< a review all in favour counts as this many plays
  Liked liked = Liked::kAll;
};

/// A dislike takes the track's content out of the profile with this weight; a
/// track played p times puts it in with ln(1 + p).
inline constexpr float kDislikeWeight = 1.2f;

/// What listeners' own reviews say (train/content.h). Rows: names, ascending.
struct Reviewers {
  std::vector<std::string> names;
  SparseRows words;     ///< the sum of his reviews' words, each with its sign and size; columns: terms
  SparseRows verdicts;  ///< for tracks that he reviewed without a rating, −1 to 1; columns: tracks
};

/// Recommends what is like the listener's own tracks in what is said of them
/// (tags, artist, title, album, reviews) and in how they sound. Three
/// algorithms: content_text, content_audio, and content, which is both.
///
///   score(u, i) = text · cos(q_u, t_i) + audio · cos(a_u, z_i) · share(u, i)
///                 + popularity · p_i
///   q_u = Σ_j w_uj · t_j + words of u's reviews,   a_u = Σ_j w_uj · z_j
///   w_uj = ln(1 + strength), −1.2 for a dislike
///
/// t: TF-IDF vectors of unit length (models/content_space.h); z: standardised
/// features, 0 where missing; share: Σ_f known_if · (Σ_j |w_uj| known_jf / Σ_j |w_uj|)
/// over the number of features that any track has: how much of the likeness
/// rests on numbers that both have; p: PopularityScore over the highest.
///
/// Source: Rocchio, "Relevance feedback in information retrieval", 1971
/// (Manning, Raghavan, Schütze, "Introduction to Information Retrieval", 2008,
/// eq. 9.3) for q and a; Pazzani, Billsus, "Content-based recommendation
/// systems", 2007, for its use. Departures: no query to start from; plays count by their logarithm;
/// the popularity term, because of two like tracks the better known one is
/// mostly the one that was meant.
///
/// A newcomer (no wanted tracks) gets the order of popularity, tracks that
/// nobody played behind. Those have real scores where anything is known of them;
/// a track with neither content nor plays is never recommended. O(terms of the
/// catalogue + tracks · features) a listener.
class ContentModel final : public CatalogueModel {
 public:
  static constexpr std::string_view kText = "content_text";
  static constexpr std::string_view kAudio = "content_audio";
  static constexpr std::string_view kBoth = "content";

  struct Parts {
    std::string algorithm;        ///< one of the three
    Catalogue catalogue;          ///< popularity 0: not played, but with content
    ContentWeights weights;
    Vocabulary vocabulary;
    SparseRows text;              ///< [tracks] t_i
    uint32_t features = 0;
    std::vector<float> z;         ///< [tracks x PaddedTo(features)]
    std::vector<float> known;     ///< the same shape: 1, or 0 where missing
    Reviewers reviewers;
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return algorithm_; }
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

 private:
  /// SparseRows, wherever they lie.
  struct RowsView {
    std::span<const uint64_t> begin;
    std::span<const uint32_t> column;
    std::span<const float> value;

    size_t rows() const { return begin.size() - 1; }
    std::span<const uint32_t> Columns(size_t row) const { return column.subspan(begin[row], begin[row + 1] - begin[row]); }
    std::span<const float> Values(size_t row) const { return value.subspan(begin[row], begin[row + 1] - begin[row]); }
    double Dot(size_t row, std::span<const float> dense) const;
  };
  static RowsView ViewOf(const SparseRows& rows) { return {rows.begin, rows.column, rows.value}; }
  static Result<RowsView> OpenRows(const ModelFile& file, const std::string& name, size_t rows, size_t columns);
  static void AddRows(ModelFileWriter& writer, const std::string& name, const RowsView& rows);

  explicit ContentModel(Catalogue catalogue) : CatalogueModel(std::move(catalogue)) {}

  void Prepare();
  std::optional<uint32_t> FindReviewer(std::string_view name) const;
  std::string_view ReviewerName(size_t row) const {
    return file_ == nullptr ? std::string_view(own_.reviewers.names[row]) : mapped_reviewers_[row];
  }
  /// w_uj; 0 where the track says nothing of the listener's taste.
  float WeightOf(const Profile& profile, const Preference& item) const;
  /// The profile's parts, see FoldIn.
  std::span<const float> TextOf(const Profile& profile) const { return std::span(profile.state).first(vocabulary_.size()); }
  const float* AudioOf(const Profile& profile) const { return profile.state.data() + vocabulary_.size(); }
  /// cos(direction, z) · share for all tracks.
  void ScoreAudio(const float* direction, const float* coverage, std::span<float> scores) const;
  /// "shares the tags rock and indie ..."; "" where no term speaks.
  std::string Shared(std::span<const float> text, TrackIx track) const;

  std::string algorithm_;
  std::shared_ptr<const ModelFile> file_;  // null where fitted just now
  Parts own_;                              // then these are what the views see
  ContentWeights weights_;
  Vocabulary vocabulary_;
  RowsView text_;
  size_t features_ = 0;
  size_t stride_ = 0;
  std::span<const float> z_;
  std::span<const float> known_;
  TrackIds mapped_reviewers_;
  RowsView words_;
  RowsView verdicts_;
  std::vector<float> norms_;               // [tracks] of z; 1 where it is 0
  std::vector<uint32_t> used_features_;    // those that any track has
  float highest_popularity_ = 1;
};

}  // namespace segue::models
