#pragma once

#include <span>
#include <vector>

#include "core/preferences.h"

namespace segue::models {

/// Which tracks of a listener's past count as wanted by models that rank: all
/// of strength > 0, or, of those he rated, only the ones at or above the mean
/// of his ratings (the relevance of the MRR of record; his low ratings say
/// what he does not want).
enum class Liked : uint32_t { kAll = 0, kAboveMean = 1 };

/// train.liked; "auto" is kAboveMean where the lowest rating is at most half of
/// the highest: a file of only good ratings has no low ones to leave out.
Liked LikedRule(std::string_view setting, const Preferences& preferences);
Liked LikedRule(std::string_view setting, const Dataset& data);

/// The history with the strength of what is not wanted by the rule set to 0
/// ("met but not wanted"). Dislikes stay.
std::vector<Preference> ByLiking(std::span<const Preference> history, Liked rule);

/// The same for all listeners.
void ApplyLiking(Preferences& preferences, Liked rule);

}  // namespace segue::models
