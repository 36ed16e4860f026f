#pragma once

#include <memory>

#include "models/groups.h"
#include "train/trainer.h"

namespace segue::train {

/// Groups of listeners and of tracks: k-means over the directions x/|x| of
/// implicit-ALS factors (train/ials.h, with its settings), so that only taste
/// counts, not how much is heard. k is the one with the greatest mean
/// silhouette (math/kmeans.h), from 2 to groups.most and to the root of how many
/// there are, so that a few listeners do not make groups of two. Listeners and tracks of
/// unknown taste are in no group.
///
/// A group's typical tracks: of listeners, those with the greatest
/// p·ln(p / q), p the share of the group who want the track, q of all (the
/// track's part in the divergence of the group from everybody); of tracks, the
/// greatest listeners · cosine to the centre. Its tags likewise by p·ln(p / q),
/// p and q shares of the weight of all tags (a listener's: those of his tracks).
///
/// Same bytes for any number of threads. O(ALS + most² · sample + n·k·d).
std::unique_ptr<Trainer> MakeGroupsTrainer();

/// The same, warm-started as tastes move. Factors of two trainings have no
/// axes in common, so it is by members: each previous group starts at the mean
/// of its members' new vectors, and Lloyd goes on from there. These groups
/// stay, with their ids, unless other ones have a silhouette better by
/// kMargin; those take the ids of the groups that most of their members come
/// from (math/kmeans.h is told nothing of ids), new groups new ids.
Result<std::unique_ptr<models::GroupsModel>> FitGroups(const Dataset& data, const Settings& settings, uint64_t seed,
                                                       const models::GroupsModel* previous, Instruments& instruments);

inline constexpr double kMargin = 0.05;

/// An id for each of `groups` new groups: greatest overlaps first, each old and
/// new group once; without an overlap, ids from `next_id` on.
///   before  [members] old id or Grouping::kNone   now  [members] new row or kNone
std::vector<uint32_t> MatchedIds(std::span<const uint32_t> before, std::span<const uint32_t> now, size_t groups,
                                 uint32_t next_id);

}  // namespace segue::train
