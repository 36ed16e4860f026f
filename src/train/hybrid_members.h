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
/// Left out: `friends` where the data know none (it would be user_knn again),
/// and what differs only by liked=all where the data's rule is that anyway.
Result<std::vector<HybridMember>> ReadHybridMembers(const Settings& settings, const Dataset& data);

using Members = std::vector<std::unique_ptr<models::Model>>;

/// Fits the members one after the other, each on all cores. One that cannot
/// learn from these data (kInvalid: no tags, no times) is taken out of
/// `members`, with a line in the log. Never empty.
Result<Members> FitMembers(const Dataset& data, std::vector<HybridMember>& members, uint64_t seed, Instruments& instruments);

}  // namespace segue::train
