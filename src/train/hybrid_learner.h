#pragma once

#include <cstdint>
#include <vector>

#include "core/instruments.h"
#include "core/settings.h"
#include "models/hybrid.h"
#include "train/hybrid_lists.h"
#include "train/hybrid_members.h"

namespace segue::train {

/// Learns what ranks the candidates of `parts.members` from lists, into
/// `parts`, whose members become those that it uses:
///   1. hit chances are left out unless lists are surely better with them;
///   2. weights for newcomers and for others: one member alone where it is surely
///      better than any mean, else train/ensemble_selection.h;
///   3. members without weight go, unless they know tracks that no other does;
///   4. LambdaMART trees on top, as many as are best, none where they are not
///      surely better or there are fewer than 100 listeners.
/// Each choice is judged on a fifth of the listeners that it was not made on: on
/// each fifth in turn where there are fewer than 1000 lists. "Surely": by more
/// than two standard errors of the listeners' mean difference.
void LearnRanker(HybridLists lists, std::vector<HybridMember> members, const Settings& settings, uint64_t seed,
                 Instruments& instruments, models::HybridModel::Parts& parts);

}  // namespace segue::train
