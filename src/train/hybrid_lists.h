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
  bool to_validate = false;       ///< one listener in five; else to learn from
};

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

/// Lists of the listeners for whom the split holds something out that is among
/// the candidates. The shown few are drawn from the wanted; the rest of his
/// past is no candidate then. Members work for one listener on each thread;
/// same lists for any number of threads.
///   members  fitted on split.train
HybridLists MakeHybridLists(const InnerSplit& split, std::span<const std::unique_ptr<models::Model>> members,
                            const HybridListRules& rules, uint64_t seed);

/// As if there were these members only.
std::vector<HybridList> Only(std::span<const HybridList> lists, std::span<const size_t> kept);

enum class Part { kAll, kLearn, kValidate };

/// Rows of StandardScores, to select a mean of members by.
RankingData StandardRows(std::span<const HybridList> lists, Part part);
/// Rows of models::FeatureRows, to grow trees on.
RankingData FeatureRows(std::span<const HybridList> lists, Part part);

}  // namespace segue::train
