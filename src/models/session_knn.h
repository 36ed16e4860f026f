#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/sequence.h"

namespace segue::models {

/// The tracks of sessions like the listener's present one:
///
///   sim(c, n) = f(n) · Σ_{i ∈ c ∩ n} w_i · idf(i) / √|n|
///   P(t | c)  ∝ Σ_{n among the k most similar, t ∈ n} sim(c, n)
///
/// with c the context (models/sequence.h), w its weights, n a session as a set,
/// f(n) its freshness and idf(i) = ln(1 + sessions / sessions with i).
/// Source: session kNN of Jannach, Ludewig, "When Recurrent Neural Networks
/// Meet the Neighborhood for Session-Based Recommendation", RecSys 2017,
/// section 2.2; weights that fall from the newest play on and idf: V-SKNN in
/// Ludewig, Jannach, UMUAI 2018, section 3.3; the sessions' age: Garg et al.,
/// "Sequence and Time Aware Neighborhood for Session-based Recommendations:
/// STAN", SIGIR 2019, eq. 6.
/// Departures: the context goes back beyond the present session, so that one
/// that has just begun has neighbours too; popularity is the floor.
///
/// Neighbours come from an inverted index that has at most so many sessions of
/// each track as the trainer kept. Answering is O(context · sessions kept of a
/// track + neighbours · length).
class SessionKnnModel final : public SequenceModel {
 public:
  static constexpr std::string_view kAlgorithm = "session_knn";

  struct Parts {
    Catalogue catalogue;
    SequenceRule rule;
    uint32_t neighbours = 0;               ///< k
    std::vector<uint64_t> session_begin;   ///< [sessions + 1]
    std::vector<uint32_t> session_track;   ///< ascending in each session
    std::vector<float> freshness;          ///< [sessions] in (0, 1]
    std::vector<uint64_t> index_begin;     ///< [tracks + 1]
    std::vector<uint32_t> index_session;   ///< ascending for each track
    std::vector<float> idf;                ///< [tracks] > 0 where a session has it
  };
  static std::unique_ptr<Model> Make(Parts parts);
  static Result<std::unique_ptr<Model>> Open(std::shared_ptr<const ModelFile> file);

  std::string_view algorithm() const override { return kAlgorithm; }
  std::vector<ScoredTrack> Similar(TrackIx track, size_t n) const override;
  Status Save(const std::filesystem::path& file) const override;

 private:
  struct Neighbour {
    uint32_t session = 0;
    float similarity = 0;
  };

  SessionKnnModel(Catalogue catalogue, const SequenceRule& rule) : SequenceModel(std::move(catalogue), rule) {}
  float AddNext(std::span<const WeightedTrack> context, float share, std::span<float> scores) const override;
  std::vector<ScoredTrack> Reasons(std::span<const WeightedTrack> context, TrackIx track) const override;
  /// The k most similar sessions, best first, ties by row.
  std::vector<Neighbour> Neighbours(std::span<const WeightedTrack> context) const;

  std::shared_ptr<const ModelFile> file_;
  Parts own_;                          // its catalogue has moved on
  uint32_t neighbours_ = 0;
  MappedRows sessions_;                // tracks of each session
  MappedRows index_;                   // sessions of each track
  std::span<const float> freshness_;   // [sessions]
  std::span<const float> idf_;         // [tracks]
};

}  // namespace segue::models
