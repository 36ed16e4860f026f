#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "models/hybrid.h"
#include "train/inner_split.h"
#include "train/lambdamart.h"

namespace segue::train {

/// One listener's unheard candidates, and which he went on to want.
struct HybridList {
  models::Candidates candidates;
  std::vector<uint8_t> relevant;  ///< [candidates]
  uint32_t missing = 0;           ///< wanted tracks that are no candidates
  UserIx listener{};              ///< whose; he has one in each fold of the inner split
  uint8_t fifth = 0;              ///< 0 to 4, by listener: what is chosen on some fifths is judged on another
};
inline constexpr uint8_t kFifths = 5;

/// What a hybrid learns from.
struct HybridLists {
  std::vector<HybridList> many;  ///< with all of the listener's past
  std::vector<HybridList> few;   ///< the same listeners, of whom Ranker::kFew wanted tracks are shown
};

struct HybridListRules {
  StrengthRule strength;
  models::Liked liked = models::Liked::kAll;
  size_t best = 100;   ///< candidates of each member
  size_t most = 4000;  ///< listeners, drawn with the seed
};

/// Lists of what split.train knows (UnknownTracks), of the listeners for whom the split holds something out that is among
/// the candidates. The shown few are drawn from the wanted; the rest of his
/// past is no candidate then. Members work for one listener on each thread;
/// same lists for any number of threads.
///   members  fitted on split.train
HybridLists MakeHybridLists(const InnerSplit& split, std::span<const std::unique_ptr<models::Model>> members,
                            const HybridListRules& rules, uint64_t seed);

/// As if there were these members only.
std::vector<HybridList> Only(std::span<const HybridList> lists, std::span<const size_t> kept);

/// Which of the lists: all, those of one fifth of the listeners, or of the others.
struct Part {
  enum Which : uint8_t { kAll, kFifth, kOthers };
  Which which = kAll;
  uint8_t fifth = 0;

  bool Has(const HybridList& list) const { return which == kAll || (list.fifth == fifth) == (which == kFifth); }
};

/// Rows of StandardScores, to select a mean of members by. Lists without a
/// relevant candidate are left out, here and below: no order of them is better
/// than another.
RankingData StandardRows(std::span<const HybridList> lists, Part part = {});
/// Rows of models::FeatureRows, to grow trees on.
RankingData FeatureRows(std::span<const HybridList> lists, Part part = {});
/// Whose the lists of those rows are, in their order.
std::vector<UserIx> Listeners(std::span<const HybridList> lists, Part part = {});

}  // namespace segue::train
