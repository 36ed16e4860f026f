#pragma once

#include <memory>
#include <string>
#include <vector>

#include "models/model.h"
#include "train/member_list.h"
#include "train/trainer.h"

namespace segue::train {

using HybridMember = ListedMember;

/// Reads hybrid.members: algorithms with a comma between, each with settings of
/// its own in brackets where wanted, a semicolon between: "ials, ease,
/// ials(factors=32;alpha=4), ease(liked=all)". Names as for --set.
/// Left out is what would be another member again: `friends` where the data know
/// none (user_knn), what differs only by liked=all where the data's rule is that
/// anyway, and models of content where nothing is known of any track (ials,
/// popularity).
Result<std::vector<HybridMember>> ReadHybridMembers(const Settings& settings, const Dataset& data);

using Members = std::vector<std::unique_ptr<models::Model>>;

/// Fits the members one after the other, each on all cores; `ials_content` from
/// the `ials` before it with the same settings, where there is one. One that cannot
/// learn from these data (kInvalid: no tags, no times) is taken out of
/// `members`, with a line in the log. Never empty.
Result<Members> FitMembers(const Dataset& data, std::vector<HybridMember>& members, uint64_t seed, Instruments& instruments);

}  // namespace segue::train
