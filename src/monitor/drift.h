#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "core/settings.h"
#include "monitor/distribution.h"

namespace segue::monitor {

enum class DriftState {
  kSteady,
  kMoved,      ///< a moderate shift: PSI of 0.1 or more, or half of a limit
  kDrifted,    ///< beyond a limit of drift.*
  kUndefined,  ///< what was always there is missing, unreadable or of another type
  kTooFew,     ///< fewer than drift.min_rows values
  kNotJudged,  ///< names and times, which are new by their nature
};
/// "steady", "moved", "drifted", "undefined", "too_few", "not_judged".
std::string_view Name(DriftState state);

/// One column now against before.
struct ColumnDrift {
  std::string column;            ///< "tracks.tempo"
  int64_t values_before = 0;     ///< that are not null
  int64_t values_now = 0;
  double null_before = 0;        ///< shares of the rows
  double null_now = 0;
  std::optional<Distance> psi;
  std::optional<Distance> wasserstein;     ///< numbers
  std::optional<Distance> jensen_shannon;  ///< texts
  DriftState state = DriftState::kSteady;
  std::string why;               ///< a sentence; "" where it is steady
};

/// The columns of quality.json's profile, and what cleaning did to rows and
/// values, now against the same of the baseline; in order of name.
///
/// A distance counts where it reaches its limit, is beyond chance for so few rows
/// (Distance::noise), and is sure in spite of what profiles do not tell; the noise is that of independent rows, which plays are
/// not quite. Datasets grow, so that a delivery is seen as diluted by what was
/// there before. What is in the profiles is looked at column by column: two columns
/// whose values are shuffled against each other have the profiles that they had.
///
/// Undefined data: a column without missing values (up to 0.1 %) that has more
/// than drift.max_undefined now; one that is gone or of another type; a minimum or
/// maximum that is not a number; and, as "rules.<rule>", rows or values that
/// cleaning could not use (unreadable, unknown kinds, impossible values), whose
/// share has risen by more than drift.max_undefined.
///
/// No column where one of the two has no profile.
std::vector<ColumnDrift> CompareQuality(const nlohmann::json& before, const nlohmann::json& now, const DriftSettings& settings);

/// Those of a state, by what is said of them, at most `most` sentences:
/// "tracks.key, tracks.mode (91.0 % missing, before 83.6 %); tracks.tempo (PSI 0.41) and 3 more".
std::string Named(const std::vector<ColumnDrift>& columns, DriftState state, size_t most);

nlohmann::json ToJson(const ColumnDrift& column);
/// {"value","noise","error"}
nlohmann::json ToJson(const Distance& distance);

}  // namespace segue::monitor
