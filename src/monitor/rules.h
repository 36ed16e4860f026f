#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "core/settings.h"

namespace segue::monitor {

/// What a rule can look at.
struct MetricInfo {
  std::string_view name;
  std::string_view doc;  ///< with the unit, and when there is none
};
std::span<const MetricInfo> KnownMetrics();

/// Values by name. One that is not there is not known: no rule on it holds.
using Readings = std::map<std::string, double, std::less<>>;

/// The rules in force: the built-in ones, unless alarms.defaults is off, and
/// those of the settings, which take the place of one of the same name.
/// kInvalid names a rule whose metric is not known, and those that are.
Result<std::vector<AlarmRule>> RulesInForce(const Settings& settings);

/// Does the rule's condition hold for this value?
bool Holds(const AlarmRule& rule, double value);

/// The rule's message with {value} and {threshold} filled in; made of metric,
/// comparison and threshold where it has none.
std::string MessageOf(const AlarmRule& rule, double value);

}  // namespace segue::monitor
