#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "models/catalogue.h"
#include "models/liking.h"

namespace segue::models {

/// A track of the listener's past and how much it says about what comes next.
struct WeightedTrack {
  TrackIx track{};
  float weight = 0;
};

/// What models of the next track look at in a listener's past. Part of their
/// artifacts, as it stands here.
struct SequenceRule {
  uint32_t window = 1;              ///< newest plays that count
  float window_half_life = 1;       ///< a play counts half so many plays later
  float long_term = 0;              ///< share of the context that the whole past has
  float repeat = 0;                 ///< share of the score that the listener's habits have
  float repeat_half_life_days = 30; ///< a habit counts half after so many days
  float lately = 0;                 ///< share of the habits that the newest plays make
  float lately_half_life_days = 3;  ///< each of them counts half after so many days
  Liked liked = Liked::kAll;
};
static_assert(sizeof(SequenceRule) == 32, "no padding: the bytes are the same everywhere");

/// What the next track follows from: the newest plays of wanted tracks, each
/// 2^(−plays since / window_half_life), and with the share `long_term` all
/// wanted tracks by ln(1 + strength). Where no play has a time, the latter is
/// all. The kMostContext that weigh most, ascending by track; weights sum to 1;
/// empty: a newcomer.
inline constexpr size_t kMostContext = 1000;
std::vector<WeightedTrack> ContextOf(const Profile& profile, const SequenceRule& rule);

/// What the listener plays anyway: his wanted tracks by
/// ln(1 + strength) · 2^(−days since the last play / repeat_half_life_days), and
/// with the share `lately` his newest plays, each 2^(−days / lately_half_life_days);
/// days from his newest event. Ascending by track; weights sum to 1; empty: a
/// newcomer.
std::vector<WeightedTrack> HabitsOf(const Profile& profile, const SequenceRule& rule);

/// A sparse matrix by rows in an artifact; columns ascend in each row.
struct MappedRows {
  std::span<const uint64_t> begin;   ///< [rows + 1]
  std::span<const uint32_t> column;
  std::span<const float> value;      ///< finite, ≥ 0; empty where only columns are kept

  size_t rows() const { return begin.size() - 1; }
  std::span<const uint32_t> Columns(size_t row) const { return column.subspan(begin[row], begin[row + 1] - begin[row]); }
  std::span<const float> Values(size_t row) const { return value.subspan(begin[row], begin[row + 1] - begin[row]); }

  enum class With { kValues, kColumnsOnly };
  /// Sections NAME_begin, NAME_column, NAME_value.
  void AddTo(ModelFileWriter& writer, std::string_view name) const;
  /// kCorrupt where they are no such matrix of `rows` by `columns`.
  static Result<MappedRows> Open(const ModelFile& file, std::string_view name, size_t rows, size_t columns, With with);
};

/// A model of what is played next:
///
///   score(t) = (1 − ρ)·P(t | context) + ρ·habit(t),   P with popularity as its floor
///
/// where ρ = rule.repeat. Repeats are most of real listening, so habits have a
/// part of their own: the "reminders" of Latifi, Mauro, Jannach, "Session-aware
/// Recommendation: A Surprising Quest for the State-of-the-art", Information
/// Sciences 2021, section 3.2. In discovery lists they are excluded anyway.
/// Every played track has a finite score; newcomers get popularity.
class SequenceModel : public CatalogueModel {
 public:
  Profile FoldIn(const History& history) const override;
  void Score(const Profile& profile, std::span<float> scores) const override;
  Explanation Explain(const Profile& profile, TrackIx track) const override;

 protected:
  SequenceModel(Catalogue catalogue, const SequenceRule& rule);

  /// scores[t] += share · P(t | context) for the tracks that the model reaches;
  /// returns the share that it leaves to popularity, > 0.
  virtual float AddNext(std::span<const WeightedTrack> context, float share, std::span<float> scores) const = 0;
  /// How much each track of the context says for `track`, all but a common factor.
  virtual std::vector<ScoredTrack> Reasons(std::span<const WeightedTrack> context, TrackIx track) const = 0;

  /// Is the rule one that a trainer makes?
  static bool Valid(const SequenceRule& rule);
  /// [tracks] share of all (listener, track) pairs; 0 where nobody plays it.
  std::span<const float> popular_share() const { return popular_share_; }

  SequenceRule rule_;

 private:
  std::vector<float> popular_share_;
};

}  // namespace segue::models
