#pragma once

#include <optional>
#include <string_view>

namespace segue {

/// Which model a list is made by while a challenger is tried.
enum class Arm {
  kLive,    ///< the live model
  kCanary,  ///< the challenger, shown
  kShadow,  ///< the challenger, asked beside the live model and not shown
};

/// "live", "canary", "shadow".
std::string_view Name(Arm arm);
std::optional<Arm> ParseArm(std::string_view name);

/// Where a listener falls in a challenger's canary: in [0, 1), evenly spread.
/// He is in the canary where this is below its share. The same listener is
/// always in the same place, on every server, so that he sees one arm as long as
/// the canary lasts; a larger share only adds listeners; and another challenger
/// has other listeners, so that nobody is always the first to try.
///
/// The first 13 hexadecimal digits (52 bits) of SHA-256(challenger_id, a line
/// feed, listener), over 16^13.
double CanaryPlace(std::string_view challenger_id, std::string_view listener);

}  // namespace segue
