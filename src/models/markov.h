#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/sequence.h"

namespace segue::models {

/// What listeners play after a track (train/markov.h counts it):
///
///   P(t | context) = Σ_s w_s · [ c(s, t) + μ·P(t) ] / [ c(s) + μ ]
///
/// with w the weights of the context (models/sequence.h), c the decayed counts
/// of t near after s, c(s) their sum over all t, and P(t) popularity: the less
/// is known of what follows s, the more popularity decides.
/// Source: first-order Markov chains and sequential rules as in Ludewig,
/// Jannach, "Evaluation of Session-based Recommendation Algorithms", UMUAI
/// 2018, section 3.1; Dirichlet smoothing: Zhai, Lafferty, TOIS 2004, eq. 5.
class MarkovModel final : public SequenceModel {
 public:
  static constexpr std::string_view kAlgorithm = "markov";

  struct Parts {
    Catalogue catalogue;
    SequenceRule rule;
    std::vector<uint64_t> begin;     ///< [tracks + 1] rows: the track before
    std::vector<uint32_t> column;    ///< the tracks after it that are kept, ascending
    std::vector<float> value;        ///< c(s, t) / (c(s) + μ)
    std::vector<float> left;         ///< [tracks] μ / (c(s) + μ)
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

 private:
  MarkovModel(Catalogue catalogue, const SequenceRule& rule) : SequenceModel(std::move(catalogue), rule) {}
  float AddNext(std::span<const WeightedTrack> context, float share, std::span<float> scores) const override;
  std::vector<ScoredTrack> Reasons(std::span<const WeightedTrack> context, TrackIx track) const override;

  std::shared_ptr<const ModelFile> file_;
  Parts own_;                      // its catalogue has moved on
  MappedRows next_;
  std::span<const float> left_;    // [tracks]
};

}  // namespace segue::models
