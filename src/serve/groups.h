#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace segue::serve {

/// How what each of several listeners wants becomes what they want together:
/// the mean of it, the least (nobody has to hear what he hates), or the most.
/// Source: Masthoff, "Group Modeling: Selecting a Sequence of Television Items to
/// Suit a Group of Viewers", UMUAI 2004, section 2: average, least misery, most
/// pleasure.
enum class Strategy { kAverage, kLeastMisery, kMostPleasure };
/// "average", "least_misery", "most_pleasure".
std::string_view Name(Strategy strategy);
std::optional<Strategy> ParseStrategy(std::string_view name);

/// A model's scores of different listeners cannot be compared. Brings each
/// listener's to one scale,
///
///   u_m(t) = (s_m(t) − min s_m) / (max s_m − min s_m),   0 where all are the same,
///
/// minimum and maximum over the tracks that may be shown; models::kNever for tracks
/// that may not, or of which the model says that to anybody.
///
///   scores   [listeners][tracks]  models::Model::Score; in place
///   exclude  [tracks]             not 0: may not be shown
void BringToOneScale(std::span<std::vector<float>> scores, std::span<const uint8_t> exclude);

/// What each track is to all of them.
///
///   wanted  [listeners][tracks]  as BringToOneScale leaves them
/// Returns [tracks], in [0, 1] or models::kNever.
std::vector<float> Together(std::span<const std::vector<float>> wanted, Strategy strategy);

}  // namespace segue::serve
